//! What is stored, and what is read.

use serde::Serialize;
use sqlx::FromRow;
use utoipa::ToSchema;

/// Whatever sums are told apart by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    /// Who asked; empty where callers are not told apart.
    pub caller: String,
    /// With which key.
    pub key: String,
    /// The channel; empty if none was reached.
    pub channel: String,
    /// Its region.
    pub region: String,
    /// The client's name for the model.
    pub model: String,
    /// What was called: a model or profile id, or the last segment of an ARN.
    pub model_id: String,
    /// The base model behind it, if the catalogue knows it.
    pub base_model: String,
    /// What was asked for.
    pub endpoint: String,
    /// Bedrock's service tier; empty for the usual one.
    pub tier: String,
}

/// One request to be stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// What tells it from every other.
    pub id: Vec<u8>,
    /// When it arrived, in milliseconds since the epoch.
    pub at_ms: i64,
    /// What it counts for.
    pub subject: Subject,
    /// The proxy's id of the request.
    pub request_id: String,
    /// How it ended.
    pub outcome: String,
    /// HTTP status of an error, or 0.
    pub status: u16,
    /// The word for the error.
    pub code: String,
    /// What would have become of it if every client needed a key; empty where nobody looked.
    pub foreseen: String,
    /// A name that nothing serves, if that was asked for.
    pub unserved: Option<String>,
    /// Input tokens that no cache was involved in.
    pub input: i64,
    /// Output tokens.
    pub output: i64,
    /// Input tokens read from a cache.
    pub cache_read: i64,
    /// Input tokens written to a cache.
    pub cache_write: i64,
    /// Output tokens spent on reasoning.
    pub reasoning: i64,
    /// How often it was sent to Bedrock.
    pub attempts: i64,
    /// How long it took.
    pub duration_ms: i64,
    /// Until the first word of a streamed answer.
    pub first_token_ms: Option<i64>,
    /// In billionths of a US dollar, if that is known.
    pub cost: Option<i64>,
}

/// What counts against budgets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct Spent {
    /// Tokens of prompts and answers.
    pub tokens: i64,
    /// Billionths of a US dollar.
    pub nano_usd: i64,
}

impl Spent {
    /// Adds to it.
    pub fn add(&mut self, other: Self) {
        self.tokens = self.tokens.saturating_add(other.tokens);
        self.nano_usd = self.nano_usd.saturating_add(other.nano_usd);
    }
}

/// Sums of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow, Serialize, ToSchema)]
pub struct Sums {
    /// Requests
    pub requests: i64,
    /// Of them, those that did not end with an answer
    pub errors: i64,
    /// Input tokens that were neither read from a cache nor written to one
    pub input_tokens: i64,
    /// Output tokens, reasoning included
    pub output_tokens: i64,
    /// Input tokens read from a cache
    pub cache_read_tokens: i64,
    /// Input tokens written to a cache
    pub cache_write_tokens: i64,
    /// Output tokens spent on reasoning
    pub reasoning_tokens: i64,
    /// Calls of Bedrock
    pub attempts: i64,
    /// Milliseconds that the requests took together
    pub duration_ms: i64,
    /// Milliseconds to the first words of streamed answers together
    pub first_token_ms: i64,
    /// Streamed answers that said something
    pub with_first_token: i64,
    /// Billionths of a US dollar, as far as prices are known
    pub cost_nano_usd: i64,
    /// Answers whose cost is unknown
    pub unpriced: i64,
}

/// Sums, and what they are of. Only what was grouped by is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromRow, Serialize, ToSchema)]
pub struct Line {
    /// Start of the hour or day, in seconds since the epoch
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<i64>,
    /// Who asked
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// With which key
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The channel
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Its region
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The client's name for the model
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What was called: a model or profile id, or the last segment of an ARN
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// The base model behind it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_model: Option<String>,
    /// What was asked for
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Bedrock's service tier
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// How the requests ended
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    #[serde(flatten)]
    #[sqlx(flatten)]
    /// The sums
    pub sums: Sums,
}

/// How many requests fell into a bucket of times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// See [`Self::of`].
    pub bucket: i64,
    /// How many.
    pub requests: i64,
}

/// How long requests took, by buckets in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latencies {
    /// From the whole request to the end of its answer.
    pub duration: Vec<Latency>,
    /// Of streams: from the whole request to the first word.
    pub first_token: Vec<Latency>,
}

impl FromIterator<(String, i64, i64)> for Latencies {
    /// Of rows with a kind, a bucket, and how many requests are in it.
    fn from_iter<T: IntoIterator<Item = (String, i64, i64)>>(rows: T) -> Self {
        let mut own = Self::default();
        for (kind, bucket, requests) in rows {
            let latencies = match &*kind {
                "duration" => &mut own.duration,
                _ => &mut own.first_token,
            };
            latencies.push(Latency { bucket, requests });
        }
        own
    }
}

impl Latency {
    /// The bucket of a time: the powers of the square root of two, so that it is known to a fifth.
    #[must_use]
    pub fn of(milliseconds: i64) -> i64 {
        let milliseconds = milliseconds.max(1);
        // The log of the square, rounded up: 2^(bucket / 2) is the bucket's upper end.
        let squared = i128::from(milliseconds) * i128::from(milliseconds);
        let floor = i64::from(squared.ilog2());
        floor + i64::from(squared.count_ones() > 1)
    }

    /// The upper end of a bucket, in milliseconds.
    #[must_use]
    pub fn upper_ms(bucket: i64) -> f64 {
        2_f64.powf(bucket as f64 / 2.0)
    }
}

/// A name that was asked for and that nothing serves.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, Serialize, ToSchema)]
pub struct Unserved {
    /// The name
    pub model: String,
    /// First time, in seconds since the epoch
    pub first_at: i64,
    /// Last time
    pub last_at: i64,
    /// How often
    pub requests: i64,
}
