//! Why a request of a test was not answered, and what to do about it.

use std::time::Duration;

use axum::http::StatusCode;

use super::remedy;
use crate::call::Refusal;
use crate::outbound::CallError;

/// Why a stage of a request failed; no message has a secret.
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
    /// There was no answer.
    #[error("{origin}: {reason}")]
    Unanswered {
        /// Who was asked.
        origin: String,
        /// Why.
        reason: Silence,
    },
    /// There was none of Bedrock's; whoever may not know more is told this.
    #[error("no answer of Bedrock's came from {0}")]
    NotBedrock(String),
    /// The answer did not come to its end.
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
        /// Bedrock's name for it.
        exception: String,
        /// What the client would see.
        message: String,
        /// What to do.
        remedy: Option<&'static str>,
    },
    /// The answer was not understood.
    #[error("the client would get HTTP {status}: {message}")]
    Answer {
        /// The client's status.
        status: u16,
        /// The client's message.
        message: String,
    },
    /// The stream broke off.
    #[error("the stream broke off: {0}")]
    Stream(String),
}

/// Why a request cannot be sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unsendable {
    /// The address is not a valid URL.
    #[error("the address is no URL")]
    Address,
    /// A header contains bytes that HTTP does not allow.
    #[error("a header cannot be sent over HTTP")]
    Header,
}

/// Why nobody answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum Silence {
    /// Somebody else did.
    #[error("the answer is not Bedrock's")]
    Stranger,
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It took too long.
    #[error("no answer began within {} s", .0.as_secs())]
    TimedOut(Duration),
}

/// Why an answer did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum BrokenAnswer {
    /// It ended early, or did not end where it should have.
    #[error("the answer broke off, or is too long")]
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
            Self::Unanswered { .. } => Some(remedy::OF_CONNECTION),
            Self::NotBedrock(_) => Some(remedy::OF_UNKNOWN_HOST),
            Self::Bedrock { remedy, .. } => *remedy,
            Self::Unreadable(_)
            | Self::Unsendable(_)
            | Self::Broken { .. }
            | Self::Answer { .. }
            | Self::Stream(_) => None,
        }
    }
}
