//! How the channels are doing, judging by real requests: no model is called to find out.
//!
//! What became of each call is [`Seen`], and kept in a [`Ledger`] for each channel, which all workers of an Envoy share.
//! `GET /health` shows it in the shape of `LiteLLM`'s endpoint of that name
//! (<https://docs.litellm.ai/docs/proxy/health>).

mod ledger;
mod report;

pub use ledger::{Ledger, Standing};
pub use report::{alive, ready, report};

use http::StatusCode;

/// The outcome of a call, reduced to what it says about a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Name of the channel.
    pub channel: String,
    /// The model, by the client's name for it.
    pub model: String,
    /// Why it failed; `None` if it was answered.
    pub trouble: Option<Trouble>,
    /// Revision of the configuration with which it was made.
    pub revision: u64,
}

/// Why a channel failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// It asked for fewer requests.
    Throttled,
    /// No connection, a timeout, a broken or a 5xx answer.
    Unavailable,
    /// It refused the channel's credentials, whatever the model.
    Credentials,
    /// It does not serve the model to this account, in this region or under this id.
    Model,
}

impl Trouble {
    /// Its label in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::Credentials => "credentials",
            Self::Model => "model",
        }
    }

    /// What an error says about the channel, by its code and its status; `None` if the request is at fault, or the
    /// gateway.
    #[must_use]
    pub fn of(code: Option<&str>, status: StatusCode) -> Option<Self> {
        match code {
            Some("overloaded" | "response_too_large" | "no_route") => None,
            Some("upstream_authentication_failed") => Some(Self::Credentials),
            Some("channel_misconfigured" | "access_denied" | "model_not_found") => {
                Some(Self::Model)
            }
            _ => Self::of_status(status),
        }
    }

    /// What the status of an answer says about the channel; `None` if it says nothing, or the request is at fault.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Option<Self> {
        match status {
            StatusCode::TOO_MANY_REQUESTS => Some(Self::Throttled),
            // A model that took too long, and one that failed.
            StatusCode::REQUEST_TIMEOUT | StatusCode::FAILED_DEPENDENCY => Some(Self::Unavailable),
            _ if status.is_server_error() => Some(Self::Unavailable),
            _ => None,
        }
    }

    /// The same in words, without anything that Bedrock said.
    #[must_use]
    pub fn told(self) -> &'static str {
        match self {
            Self::Throttled => "Bedrock throttled the last request.",
            Self::Unavailable => {
                "The last request got no answer, a broken one, or an error of the server's."
            }
            Self::Credentials => "Bedrock refused the channel's credentials.",
            Self::Model => "Bedrock does not serve the model to the channel's account or region.",
        }
    }
}
