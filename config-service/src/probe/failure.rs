//! Why a test request failed, and what to do about it.

use axum::http::StatusCode;

use super::remedy;
use crate::call::Refusal;
use crate::candor::Unanswered;

/// Why a stage of a request failed; no message contains a secret.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The filter refused the request.
    #[error("{}", .0.message())]
    Refused(Refusal),
    /// The filter refused the request before its answer was read.
    #[error("{}", .0.message())]
    Unreadable(Refusal),
    /// The request cannot be sent.
    #[error(transparent)]
    Unsendable(#[from] Unsendable),
    /// Bedrock did not answer.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// The answer was not complete.
    #[error("HTTP {}, then {reason}", status.as_u16())]
    Broken {
        /// Its status.
        status: StatusCode,
        /// Why.
        reason: BrokenAnswer,
    },
    /// Bedrock refused the request.
    #[error("HTTP {} {exception}: {message}", status.as_u16())]
    Bedrock {
        /// The status.
        status: StatusCode,
        /// The name of Bedrock's exception.
        exception: String,
        /// What the client would see.
        message: String,
        /// What to do.
        remedy: Option<&'static str>,
    },
    /// The answer was not understood.
    #[error("the client would get HTTP {status}: {message}")]
    Answer {
        /// The status that the client would get.
        status: u16,
        /// The message that the client would get.
        message: String,
    },
    /// The stream broke off.
    #[error("the stream was cut off: {0}")]
    Stream(String),
}

/// Why the request cannot be sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unsendable {
    /// The address is not a valid URL.
    #[error("the address is not a valid URL")]
    Address,
    /// A header contains bytes that HTTP does not allow.
    #[error("a header cannot be sent over HTTP")]
    Header,
}

/// Why an answer was not complete.
#[derive(Debug, thiserror::Error)]
pub(super) enum BrokenAnswer {
    /// It ended too early or too late.
    #[error("the answer was cut off, or is too long")]
    Incomplete,
    /// It took too long.
    #[error("the answer did not end in time")]
    TimedOut,
}

impl Failure {
    /// What to do about it.
    pub(super) fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Refused(_) => Some("Explain shows which rule decides, and why."),
            Self::Unanswered(Unanswered::Because { .. }) => Some(remedy::OF_CONNECTION),
            Self::Unanswered(Unanswered::Untold(_)) => Some(remedy::OF_UNKNOWN_HOST),
            Self::Bedrock { remedy, .. } => *remedy,
            Self::Unreadable(_)
            | Self::Unsendable(_)
            | Self::Broken { .. }
            | Self::Answer { .. }
            | Self::Stream(_) => None,
        }
    }
}
