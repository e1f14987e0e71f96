//! Why a request is denied by a limit.

use std::time::Duration;

use http::StatusCode;

use super::{Verdict, whole_seconds};
use crate::chat::{Error, ErrorKind, LimitKind};

/// Why a request is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The caller has as many requests at once as it may.
    Concurrency {
        /// How many that are.
        most: u32,
    },
    /// More than a limit that this Envoy counts by itself.
    Limit(Verdict),
    /// The prompt alone is more than the limit on tokens, so that it does not help to wait.
    TooLong {
        /// How many tokens it has at least.
        tokens: u64,
        /// How many the caller may use in a minute.
        limit: u32,
    },
    /// More than one of these limits, which the rate limit service counts.
    Shared {
        /// Requests in a minute.
        rpm: Option<u32>,
        /// Tokens in a minute.
        tpm: Option<u32>,
        /// When to ask again, if the service says so.
        retry_after: Option<Duration>,
    },
    /// The rate limit service does not answer, and nothing passes without it.
    Unknown,
}

/// What a client is told to wait where nobody knows better: a minute starts anew by then.
const WAIT: Duration = Duration::from_secs(60);

impl Denial {
    /// A word for it, fit for a label of a metric.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Concurrency { .. } => "concurrency",
            Self::Limit(verdict) => verdict.kind.unit(),
            Self::TooLong { .. } => LimitKind::Tokens.unit(),
            Self::Shared { .. } => "shared",
            Self::Unknown => "unknown",
        }
    }

    /// The client's error.
    #[must_use]
    pub fn error(&self) -> Error {
        match self {
            Self::Concurrency { most } => {
                let message = format!(
                    "Too many requests at once: this API key may have {most}. Please try again in 1s, or when one of \
                     them has ended."
                );
                limited(message, Duration::from_secs(1)).code("concurrency_limit_exceeded")
            }
            Self::Limit(verdict) => {
                let (rpm, tpm) = match verdict.kind {
                    LimitKind::Requests => (Some(verdict.limit), None),
                    LimitKind::Tokens => (None, Some(verdict.limit)),
                };
                exceeded(rpm, tpm, verdict.retry_after)
            }
            Self::TooLong { tokens, limit } => {
                let message = format!(
                    "Request too large: its prompt has at least {tokens} tokens, and this API key may use {limit} \
                     tokens per minute. Send a shorter prompt; it does not help to wait."
                );
                let error =
                    Error::new(StatusCode::TOO_MANY_REQUESTS, ErrorKind::RateLimit, message);
                error.code("prompt_exceeds_limit")
            }
            Self::Shared {
                rpm,
                tpm,
                retry_after,
            } => exceeded(*rpm, *tpm, *retry_after),
            Self::Unknown => {
                let message =
                    "The gateway cannot check the limits of this API key right now; please retry.";
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Error::server(status, "limits_unavailable", message).retry_after(1)
            }
        }
    }
}

/// Codex reads the time from the words `try again in`.
fn exceeded(rpm: Option<u32>, tpm: Option<u32>, retry_after: Option<Duration>) -> Error {
    let requests = rpm.map(|limit| format!("{limit} requests"));
    let tokens = tpm.map(|limit| format!("{limit} tokens"));
    let both: Vec<_> = requests.into_iter().chain(tokens).collect();
    let (wait, both) = (retry_after.unwrap_or(WAIT), both.join(" and "));
    let message = format!(
        "Rate limit reached: this API key may use {both} per minute. Please try again in {}s.",
        whole_seconds(wait)
    );
    limited(message, wait).code("rate_limit_exceeded")
}

fn limited(message: String, wait: Duration) -> Error {
    let seconds = u32::try_from(whole_seconds(wait)).unwrap_or(u32::MAX);
    let error = Error::new(StatusCode::TOO_MANY_REQUESTS, ErrorKind::RateLimit, message);
    error.retry_after(seconds.max(1))
}
