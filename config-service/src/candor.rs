//! How much is revealed about a host that does not answer like Bedrock.
//!
//! An editor may enter any host and port in a channel. If a test or a discovery revealed whether something listens
//! there, and what it says, it could be used to scan the config-service's network.

use std::time::Duration;

use bedrock_filter::config::Channel;
use bedrock_filter::endpoint::Endpoint;
use reqwest::{Request, Response};
use tokio::time::Instant;

use crate::outbound::{CallError, Outbound};

/// How long an unknown host may take to start its answer; also when it is reported that Bedrock did not answer,
/// whatever the reason, so that the time does not reveal it.
const GUARDED: Duration = Duration::from_secs(10);

/// A header that Bedrock puts on every answer.
const REQUEST_ID: &str = "x-amzn-requestid";

/// How much to reveal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Candor {
    /// Everything: why there was no answer, or what an unexpected answer says. For AWS's own hosts and
    /// trusted ones.
    Full,
    /// Only that Bedrock did not answer, always in the same words and after the same time.
    Guarded,
}

/// Why a host did not answer like Bedrock, as far as that may be revealed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// There was no answer.
    #[error("{origin}: {reason}")]
    Because {
        /// Which host was called.
        origin: String,
        /// Why.
        reason: Silence,
    },
    /// Callers who may not know more are told only this.
    #[error("{0} did not answer like Bedrock")]
    Untold(String),
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Silence {
    /// Something other than Bedrock answered.
    #[error("the answer does not come from Bedrock")]
    Stranger,
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It took too long.
    #[error("no answer started within {} s", .0.as_secs())]
    TimedOut(Duration),
}

impl Candor {
    /// How much to reveal about a channel's endpoint.
    pub(crate) fn of(channel: &Channel, trusted: &[Endpoint]) -> Self {
        let Some(text) = &channel.endpoint else {
            return Self::Full;
        };
        let is_known = |endpoint: Endpoint| endpoint.is_aws() || trusted.contains(&endpoint);
        match Endpoint::parse(text) {
            Ok(endpoint) if is_known(endpoint.clone()) => Self::Full,
            _ => Self::Guarded,
        }
    }

    /// Calls the host of `origin`, which has to start its answer within `patience`, or sooner if it is unknown.
    pub(crate) async fn call(
        self,
        outbound: &Outbound,
        origin: &str,
        request: Request,
        patience: Duration,
    ) -> Result<Response, Unanswered> {
        let start = Instant::now();
        let patience = match self {
            Self::Full => patience,
            Self::Guarded => GUARDED,
        };
        let answer = tokio::time::timeout(patience, outbound.call(request)).await;
        let reason = match answer {
            Ok(Ok(answer)) if self == Self::Full || is_bedrocks(&answer) => return Ok(answer),
            Ok(Ok(_)) => Silence::Stranger,
            Ok(Err(error)) => error.into(),
            Err(_) => Silence::TimedOut(patience),
        };
        let origin = origin.to_owned();
        if self == Self::Full {
            return Err(Unanswered::Because { origin, reason });
        }
        tracing::info!(origin, %reason, "a channel's host did not answer like Bedrock");
        tokio::time::sleep_until(start + GUARDED).await;
        Err(Unanswered::Untold(origin))
    }
}

fn is_bedrocks(answer: &Response) -> bool {
    answer.headers().contains_key(REQUEST_ID)
}
