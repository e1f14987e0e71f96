//! The upstream stage: one attempt of a relayed request on one channel.
//!
//! What Envoy may try again on the next channel passes as it is, or as a bare status. What it makes of
//! the last attempt is turned into the client's error by the listener stage ([`super::relayed`]).

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::StatusCode;

use super::response::{log_channel_fault, log_refused_credentials};
use super::{Body, Edit, End, Exchange, Head, Phase, Step};
use crate::bedrock::{ChannelFault, UpstreamError, decode_error};
use crate::call::{CLUSTER_HEADER, Headers};
use crate::chat::Error;
use crate::relay::{Failure, Relay};
use crate::routes::{ResolveError, Route};

/// A status after which nobody tries again.
const FINAL: StatusCode = StatusCode::BAD_REQUEST;

/// An attempt, as an exchange knows it.
pub(super) struct Attempt {
    relay: Rc<Relay>,
    /// The channel that it is made on.
    channel: String,
    /// When the latest callback came.
    now: SystemTime,
}

impl Exchange {
    /// Begins an attempt on a channel: the call to send.
    ///
    /// Never a reply of the filter's own: it would come back through the listener stage's context while
    /// this one's callback still runs, and the SDK panics then. What could go wrong was tried when the
    /// request was relayed; should it go wrong all the same, nothing is sent, and Envoy answers 503.
    #[must_use]
    pub fn attempt(relay: Rc<Relay>, channel: &str, now: SystemTime) -> (Self, Step) {
        let mut exchange = Self::new(Arc::clone(relay.routes()));
        exchange.protocol = relay.protocol();
        let begun = relay.begin(channel, now).map(|route| {
            let prepared = relay.prepared(&route)?;
            prepared.sign(&route, relay.parsed(), now)
        });
        let step = match begun {
            Some(Ok((call, mut headers, pieces))) => {
                // The route took it away before; nobody will now.
                headers.remove(|name| name == CLUSTER_HEADER);
                let (_, attempts) = relay.attempts();
                exchange.note_call(&call, attempts, now);
                exchange.phase = Phase::Upstream(call);
                // In one piece, because the relay keeps the client's body for another attempt.
                Edit::pass_to(headers, pieces.into_vec(relay.request().source))
            }
            Some(Err(error)) => {
                relay.failed(Failure::Unavailable, Some(error), now);
                exchange.phase = Phase::Done;
                Step::Edit(Edit::unsendable())
            }
            None => {
                exchange.phase = Phase::Done;
                Step::Edit(Edit::unsendable())
            }
        };
        exchange.attempt = Some(Attempt {
            relay,
            channel: channel.to_owned(),
            now,
        });
        (exchange, step)
    }

    /// Tells an attempt what time it is.
    pub fn set_now(&mut self, now: SystemTime) {
        if let Some(attempt) = &mut self.attempt {
            attempt.now = now;
        }
    }

    /// The head of an answer that is none: it passes, and the relay is told. What may be the request's fault
    /// or the channel's is told by the body alone.
    pub(super) fn attempt_refused(&mut self, attempt: Attempt, head: Head, end: bool) -> Step {
        if may_be_either(head.status) && !end {
            self.phase = Phase::Refusal(head);
            self.attempt = Some(attempt);
            return Step::Wait;
        }
        self.phase = Phase::Done;
        let error_type = head.headers.get_str("x-amzn-errortype");
        let error = decode_error(head.status, error_type, b"");
        self.note_end(|| End::Failed(error.reply()));
        match failure(&head, &error) {
            None => attempt.relay.refused(None),
            Some(Failure::Credentials) => {
                attempt.lacks_credentials(&error);
                return Step::Edit(Edit {
                    headers: Some(head.unavailable()),
                    body: None,
                });
            }
            Some(failure) => attempt.relay.failed(failure, None, attempt.now),
        }
        Step::Pass
    }

    /// The whole refusal of an attempt. If it is the channel's fault, another one is tried; if the model lacks
    /// on-demand throughput, the same one through a profile. Otherwise it passes.
    pub(super) fn refusal_body(&mut self, head: &Head, body: &[u8], end: bool) -> Step {
        self.phase = Phase::Done;
        let Some(attempt) = self.attempt.take() else {
            return Step::Pass;
        };
        let error = decode_error(head.status, head.headers.get_str("x-amzn-errortype"), body);
        self.note_end(|| End::Failed(error.reply()));
        if error.is_about_credentials() {
            attempt.lacks_credentials(&error);
        } else if let Some(fault) = error.channel_fault() {
            attempt.cannot_serve(&error, fault);
        } else {
            attempt.relay.refused(None);
            return Step::Pass;
        }
        bare(StatusCode::SERVICE_UNAVAILABLE, end)
    }
}

/// Whether the status alone does not say whose fault it is.
fn may_be_either(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND
    )
}

/// A status for Envoy to try again after, if that is what its route says, in place of an answer.
///
/// What Envoy holds of the answer must go: 1.36 would send it to the client after another attempt. And
/// where the answer has ended already, 1.36 crashes over another attempt: there it gets a status that is
/// final. The listener stage knows the error anyway.
fn bare(status: StatusCode, end: bool) -> Step {
    let status = if end { FINAL } else { status };
    let mut headers = Headers::default();
    headers.add(":status", status.as_str());
    headers.add("content-length", "0");
    Step::Edit(Edit {
        headers: Some(headers),
        body: Some(Body::default()),
    })
}

impl Attempt {
    /// Where its call went, as far as that can still be changed.
    fn route(&self) -> Option<Route<'_>> {
        let relay = &self.relay;
        relay
            .routes()
            .route_on(&self.channel, &relay.request().model)
    }

    /// The error for a client if the channel's credentials have expired: it is not tried first then, but may
    /// be the next in a pool.
    fn expired(&self) -> Option<Error> {
        self.route().filter(|route| !route.is_valid(self.now))?;
        let model = self.relay.request().model.to_string();
        Some(ResolveError::NoCredentials(model).error())
    }

    /// Bedrock refused the channel's credentials.
    fn lacks_credentials(&self, error: &UpstreamError) {
        log_refused_credentials(&self.channel, error);
        let reply = self.expired().unwrap_or_else(|| error.reply());
        self.relay
            .failed(Failure::Credentials, Some(reply), self.now);
    }

    /// The channel does not serve the model, or not under this id.
    fn cannot_serve(&self, error: &UpstreamError, fault: ChannelFault) {
        let Some(route) = self.route() else {
            return self.relay.refused(Some(error.reply()));
        };
        log_channel_fault(&self.channel, &route.model_id, fault);
        if error.is_about_on_demand() && route.through_geo_profile().is_some() {
            self.relay.lacks_on_demand(&route, error.reply());
        } else {
            self.relay
                .failed(Failure::Model, Some(error.reply()), self.now);
        }
    }

    /// The answer has begun well: the client will get it.
    pub(super) fn succeeded(&self, headers: &mut Headers) {
        self.relay.answered();
        self.relay.describe(headers);
    }

    /// The answer turned out to be an error before the client saw any of it: a bare status in its place.
    pub(super) fn failed(&self, error: &Error, end: bool) -> Step {
        match failure_of(error.status, None) {
            Some(failure) => self.relay.failed(failure, Some(error.clone()), self.now),
            None => self.relay.refused(Some(error.clone())),
        }
        bare(error.status, end)
    }
}

impl Relay {
    /// Says which channel served the request and after how many attempts, if that is wanted.
    pub(super) fn describe(&self, headers: &mut Headers) {
        let wanted = self
            .routes()
            .failover()
            .is_some_and(|failover| failover.answer_headers);
        if let (Some(channel), attempts) = self.attempts()
            && wanted
        {
            headers.add("x-bedrock-channel", channel);
            headers.add("x-bedrock-attempts", attempts.to_string());
        }
    }
}

/// How a channel failed, if the answer's status is its fault and not the request's.
fn failure(head: &Head, error: &UpstreamError) -> Option<Failure> {
    if error.is_about_credentials() {
        return Some(Failure::Credentials);
    }
    let seconds = head.headers.get_str("retry-after");
    let seconds = seconds.and_then(|text| text.parse().ok());
    failure_of(head.status, seconds.map(Duration::from_secs))
}

/// What a status says of the channel; of 429, for how long.
fn failure_of(status: StatusCode, retry_after: Option<Duration>) -> Option<Failure> {
    match status {
        StatusCode::TOO_MANY_REQUESTS => Some(Failure::Throttled(retry_after)),
        // A model that took too long, and one that failed.
        StatusCode::REQUEST_TIMEOUT | StatusCode::FAILED_DEPENDENCY => Some(Failure::Unavailable),
        _ if status.is_server_error() => Some(Failure::Unavailable),
        _ => None,
    }
}
