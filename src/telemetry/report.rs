//! How a request ended.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::StatusCode;

use crate::callers::Caller;
use crate::chat::{Error, Usage};

/// Everything that is known about a request that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// When the whole request was there, or when it ended if it never was.
    pub at: SystemTime,
    /// What the client speaks.
    pub protocol: &'static str,
    /// How it ended.
    pub ending: Ending,
    /// What the client got in place of an answer.
    pub fault: Option<Fault>,
    /// The latest call, if one was sent.
    pub called: Option<Called>,
    /// From the whole request to the end of the answer.
    pub duration: Option<Duration>,
    /// From the whole request to the first word of a streamed answer.
    pub first_token: Option<Duration>,
    /// Token counts of the answer.
    pub usage: Option<Usage>,
    /// An estimate of them, if it did not reach its end.
    pub so_far: Option<Usage>,
    /// The model's word for why the answer ended, if its meaning is unknown.
    pub unknown_reason: Option<String>,
    /// How the call ended, if attempts are not counted elsewhere.
    pub attempt: Option<&'static str>,
    /// Who asked, if callers are counted and this one is known.
    pub caller: Option<CountedCaller>,
}

/// A caller whose requests are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedCaller {
    /// The caller.
    pub caller: Arc<Caller>,
    /// How many callers are counted by name, at most.
    pub most: u32,
}

/// What was called for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// Name of the channel.
    pub channel: String,
    /// Name of the model, as the client asked for it.
    pub model: String,
    /// The id of a model or of a profile; the last segment of an ARN.
    pub profile: String,
    /// The id of the base model behind it, if the catalogue knows it.
    pub base_model: Option<&'static str>,
    /// The service tier, if it is not the usual one.
    pub tier: Option<Cow<'static, str>>,
    /// How many calls there were.
    pub attempts: usize,
}

/// An error, as far as programs are told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// HTTP status.
    pub status: StatusCode,
    /// The word for it.
    pub code: Option<&'static str>,
    /// The name of a model that was asked for in vain.
    pub model: Option<Box<str>>,
}

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        Self {
            status: error.status,
            code: error.code,
            model: error.model.clone(),
        }
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With an answer.
    Answered,
    /// The request was at fault.
    Refused,
    /// A limit of the caller denied it.
    Limited,
    /// Bedrock asked for fewer requests.
    Throttled,
    /// The model did not start to answer in time.
    TimedOut,
    /// The channel, Bedrock or the gateway was at fault.
    Failed,
    /// The answer broke off after the client had got a part of it.
    Broken,
    /// The client left before the end.
    Cancelled,
}

impl Ending {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Answered,
        Self::Refused,
        Self::Limited,
        Self::Throttled,
        Self::TimedOut,
        Self::Failed,
        Self::Broken,
        Self::Cancelled,
    ];

    /// Its label in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Limited => "limited",
            Self::Throttled => "throttled",
            Self::TimedOut => "timed_out",
            Self::Failed => "failed",
            Self::Broken => "broken",
            Self::Cancelled => "cancelled",
        }
    }

    /// The ending of a request whose answer was never completed, according to the reason that Envoy gives:
    /// <https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/response_code_details>.
    #[must_use]
    pub fn of_details(details: &[u8]) -> Self {
        let is_ours = details.starts_with(b"upstream_")
            || details.starts_with(b"stream_idle_timeout")
            || details.starts_with(b"response_timeout");
        if is_ours {
            Self::Broken
        } else {
            Self::Cancelled
        }
    }

    /// The ending that an error in place of an answer stands for.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        match error.status {
            StatusCode::TOO_MANY_REQUESTS => Self::Throttled,
            StatusCode::GATEWAY_TIMEOUT | StatusCode::REQUEST_TIMEOUT => Self::TimedOut,
            StatusCode::FAILED_DEPENDENCY => Self::Failed,
            status if status.is_client_error() => Self::Refused,
            _ => Self::Failed,
        }
    }
}

/// A time in whole milliseconds.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
