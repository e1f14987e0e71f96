//! The record of one request.

use super::proto::{bytes, number};
use crate::chat::Usage;

/// Longest name in a record, in bytes: clients choose some of them.
const MAX_NAME: usize = 200;

/// Most tokens of one count. Whoever answers may say anything; no model reads or writes nearly as many.
const MAX_TOKENS: u64 = 1_000_000_000;

/// Tells one record from every other: what makes sending it twice harmless. It is never the client's: a request id may
/// be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordId(pub [u8; 16]);

/// What one request used, as it is known when it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Its own id.
    pub id: RecordId,
    /// The proxy's id of the request, to find it in a log.
    pub request_id: String,
    /// When it arrived, in milliseconds since the epoch.
    pub at_ms: u64,
    /// Who asked; empty where callers are not told apart.
    pub caller: String,
    /// With which of its keys: the start of the key's hash.
    pub key: String,
    /// What would have become of it if every client needed a key: `served`, or the word for the refusal; empty where
    /// nobody looked.
    pub foreseen: &'static str,
    /// The channel that served it, or failed last; empty if there was none.
    pub channel: String,
    /// The channel's region.
    pub region: String,
    /// The model, by the client's name for it; empty if the request could not be read.
    pub model: String,
    /// What was called: a model id, a profile id or the last segment of an ARN.
    pub model_id: String,
    /// The base model behind it, as far as the catalogue tells.
    pub base_model: String,
    /// What was asked for: the name of a protocol.
    pub endpoint: &'static str,
    /// How it ended, in the words of metrics.
    pub outcome: &'static str,
    /// HTTP status of an error.
    pub status: u16,
    /// The word for the error, if it has one.
    pub code: &'static str,
    /// Its tokens, as the model counted them.
    pub tokens: Tokens,
    /// The service tier that Bedrock says it used; empty for the usual one.
    pub tier: String,
    /// How often it was sent to Bedrock.
    pub attempts: u32,
    /// From the whole request to the end of the answer.
    pub duration_ms: u64,
    /// From the whole request to the first word of a streamed answer.
    pub first_token_ms: Option<u64>,
}

/// Token counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Input tokens that were neither read from nor written to a cache.
    pub input: u64,
    /// Output tokens, reasoning included.
    pub output: u64,
    /// Input tokens read from a cache.
    pub cache_read: u64,
    /// Input tokens written to a cache, for however long.
    pub cache_write: u64,
    /// Those of them that are written for an hour.
    pub cache_write_1h: u64,
    /// Output tokens spent on reasoning.
    pub reasoning: u64,
}

impl From<Usage> for Tokens {
    /// Counts that no answer can have are cut.
    fn from(usage: Usage) -> Self {
        Self {
            input: usage.input.min(MAX_TOKENS),
            output: usage.output.min(MAX_TOKENS),
            cache_read: usage.cache_read.min(MAX_TOKENS),
            cache_write: usage.cache_write.min(MAX_TOKENS),
            cache_write_1h: usage.cache_write_1h.min(MAX_TOKENS),
            reasoning: usage.reasoning.min(MAX_TOKENS),
        }
    }
}

impl Record {
    /// Whether the client was refused because nobody knows who it is, or because its caller is not served.
    #[must_use]
    pub fn is_of_refused_client(&self) -> bool {
        self.attempts == 0 && !self.code.is_empty() && self.code == self.foreseen
    }

    /// The record as the message `Record` of `usage.proto`. Long names are cut.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(224);
        bytes(&mut out, 1, &self.id.0);
        number(&mut out, 2, self.at_ms);
        let names: [(u64, &str); 13] = [
            (3, &self.caller),
            (4, &self.key),
            (5, &self.channel),
            (6, &self.region),
            (7, &self.model),
            (8, &self.model_id),
            (9, &self.base_model),
            (10, self.endpoint),
            (11, self.outcome),
            (16, &self.request_id),
            (17, self.code),
            (18, &self.tier),
            (25, self.foreseen),
        ];
        for (field, name) in names {
            bytes(&mut out, field, cut(name).as_bytes());
        }
        let tokens = &self.tokens;
        let numbers = [
            (12, tokens.input),
            (13, tokens.output),
            (14, self.duration_ms),
            (15, self.attempts.into()),
            (19, self.status.into()),
            (20, tokens.cache_read),
            (21, tokens.cache_write),
            (22, tokens.cache_write_1h),
            (23, tokens.reasoning),
            // 0 is left out, and means that there was none.
            (
                24,
                self.first_token_ms.map_or(0, |own| own.saturating_add(1)),
            ),
        ];
        for (field, value) in numbers {
            number(&mut out, field, value);
        }
        out
    }
}

/// A name of at most [`MAX_NAME`] bytes.
fn cut(name: &str) -> &str {
    name.get(..name.floor_char_boundary(MAX_NAME))
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_record_is_small_and_a_hostile_one_is_cut() {
        let record = Record {
            id: RecordId([7; 16]),
            request_id: "0a1b2c3d-0a1b-4c3d-8e5f-0a1b2c3d4e5f".to_owned(),
            at_ms: 1_796_004_223_800,
            channel: "team-a".to_owned(),
            region: "us-east-1".to_owned(),
            model: "claude-sonnet-4-5".to_owned(),
            model_id: "abcdefghijkl".to_owned(),
            base_model: "anthropic.claude-sonnet-4-5-20250929-v1:0".to_owned(),
            tokens: Tokens {
                input: 1_200,
                output: 300,
                ..Tokens::default()
            },
            endpoint: "openai_chat",
            outcome: "answered",
            attempts: 1,
            duration_ms: 2_300,
            first_token_ms: Some(420),
            ..Record::default()
        };
        assert!(record.encode().len() < 224, "{}", record.encode().len());
        let hostile = Record {
            model: "ä".repeat(100_000),
            ..record
        };
        assert!(hostile.encode().len() < 400);
    }

    #[test]
    fn counts_that_no_answer_can_have_are_cut() {
        let most = Usage {
            input: u64::MAX,
            cache_read: u64::MAX,
            cache_write: u64::MAX,
            cache_write_1h: u64::MAX,
            output: u64::MAX,
            reasoning: u64::MAX,
        };
        assert_eq!(most.prompt(), u64::MAX);
        let tokens = Tokens::from(most);
        assert_eq!(
            (tokens.input, tokens.output, tokens.reasoning),
            (MAX_TOKENS, MAX_TOKENS, MAX_TOKENS)
        );
        let real = Usage {
            input: 200_000,
            ..Usage::default()
        };
        assert_eq!(Tokens::from(real).input, 200_000);
    }
}
