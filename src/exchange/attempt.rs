//! The upstream stage: one attempt of a request on one channel.
//!
//! An answer that Envoy may try again on the next channel passes unchanged, or as a bare status. What is left after
//! the last attempt becomes the client's error in the listener stage ([`super::listener`]).

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::StatusCode;

use super::answer::{log_channel_fault, log_refused_credentials};
use super::head::AWS_ID;
use super::{Arrival, Body, Edit, End, Exchange, Head, Phase, Stage, Step};
use crate::bedrock::{ChannelFault, UpstreamError, decode_error};
use crate::call::{CLUSTER_HEADER, Headers};
use crate::chat::Error;
use crate::failover::{BegunAnswer, Failure, RetryableRequest};
use crate::health::Trouble;
use crate::routes::{ResolveError, Route};

/// A status after which there is no other attempt.
const FINAL: StatusCode = StatusCode::BAD_REQUEST;

/// An attempt, as an exchange knows it.
pub(super) struct Attempt {
    request: Rc<RetryableRequest>,
    /// The channel that it is made on.
    channel: String,
    /// The name of the model that is called there.
    model: String,
    /// When the latest callback came.
    now: SystemTime,
}

impl Exchange {
    /// Begins an attempt on a channel: the call to send.
    ///
    /// Never a reply of the filter's own: it would come back through the listener stage's context while this one's
    /// callback still runs, and the SDK panics then. Whatever could fail was tried when the channel was picked; if it
    /// fails nevertheless, nothing is sent, and Envoy answers 503.
    #[must_use]
    pub fn attempt(request: Rc<RetryableRequest>, channel: &str, now: SystemTime) -> (Self, Step) {
        let mut exchange = Self::new(Arc::clone(request.routes()));
        exchange.protocol = request.protocol();
        exchange.tally = request.tally();
        exchange.caller = request.caller().cloned();
        exchange.outcome = Rc::clone(request.outcome());
        exchange.said.id = request.id().map(str::to_owned);
        let mut model = String::new();
        let begun = request.begin_attempt(channel, now).map(|route| {
            model.clone_from(&route.requested);
            let prepared = request.prepared(&route)?;
            prepared.sign(&route, request.parsed(), now)
        });
        let step = match begun {
            Some(Ok((mut call, mut headers, pieces))) => {
                call.chosen = request.chooses().then(|| model.clone());
                // The route used to remove it; now the filter has to.
                headers.remove(|name| name == CLUSTER_HEADER);
                exchange.note_call(&call, request.attempts(), now);
                exchange.phase = Phase::Upstream(call);
                // In one piece, because the client's body is kept for another attempt.
                Edit::pass_to(headers, pieces.into_vec(request.request().source))
            }
            Some(Err(error)) => {
                request.failed(Failure::Unavailable, Some(error), now);
                exchange.phase = Phase::Done;
                Step::Edit(Edit::unsendable())
            }
            None => {
                request.explain_end();
                exchange.phase = Phase::Done;
                Step::Edit(Edit::unsendable())
            }
        };
        exchange.stage = Stage::Cluster(Attempt {
            request,
            channel: channel.to_owned(),
            model,
            now,
        });
        (exchange, step)
    }

    /// Tells the exchange what time it is.
    pub fn set_now(&mut self, now: SystemTime) {
        self.now = Some(now);
        if let Stage::Cluster(attempt) = &mut self.stage {
            attempt.now = now;
        }
    }

    /// The head of an error: it passes, and the attempt is settled. If the request or the channel may be at fault,
    /// only the body says which.
    pub(super) fn attempt_refused(
        &mut self,
        attempt: Attempt,
        head: Head,
        arrival: Arrival,
    ) -> Step {
        if may_be_either(head.status) && !arrival.is_complete() {
            self.phase = Phase::Refusal(head);
            self.stage = Stage::Cluster(attempt);
            return Step::Wait;
        }
        self.phase = Phase::Done;
        let error_type = head.headers.get_str("x-amzn-errortype");
        let error = decode_error(head.status, error_type, b"");
        self.note_end(|| End::Failed(error.reply()));
        let is_last = attempt.request.is_last();
        let status = match failure(&head, &error) {
            None => {
                attempt.request.refused(None);
                return Step::Pass;
            }
            Some(Failure::Credentials) => {
                attempt.lacks_credentials(&error);
                StatusCode::SERVICE_UNAVAILABLE
            }
            Some(failure) => {
                attempt.request.failed(failure, None, attempt.now);
                if !is_last {
                    return Step::Pass;
                }
                head.status
            }
        };
        if is_last {
            attempt.request.hide_status(status);
        }
        Step::Edit(Edit {
            headers: Some(head.with_status(if is_last { FINAL } else { status })),
            body: None,
        })
    }

    /// The complete refusal of an attempt. If the channel is at fault, another one is tried; if the model lacks
    /// on-demand throughput, the same channel through a profile. Otherwise it passes.
    pub(super) fn refusal_body(&mut self, head: &Head, body: &[u8], arrival: Arrival) -> Step {
        self.phase = Phase::Done;
        let Some(attempt) = self.take_attempt() else {
            return Step::Pass;
        };
        let error = decode_error(head.status, head.headers.get_str("x-amzn-errortype"), body);
        self.note_end(|| End::Failed(error.reply()));
        if error.is_about_credentials() {
            attempt.lacks_credentials(&error);
        } else if let Some(fault) = error.channel_fault() {
            attempt.cannot_serve(&error, fault);
        } else {
            attempt.request.refused(None);
            return Step::Pass;
        }
        let arrival = attempt.request.unless_last(arrival);
        bare(head, StatusCode::SERVICE_UNAVAILABLE, arrival)
    }
}

/// Whether the status alone does not say which of the two is at fault.
fn may_be_either(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND
    )
}

/// A status in place of an answer, after which Envoy tries again if its route says so.
///
/// What Envoy holds of the answer must be removed: 1.36 would send it to the client after another attempt. And if the
/// answer has already ended, 1.36 crashes over another attempt, so it gets a final status, as after the last attempt. The
/// listener stage knows the error anyway. AWS's id of the call stays.
fn bare(head: &Head, status: StatusCode, arrival: Arrival) -> Step {
    let status = match arrival {
        Arrival::Complete => FINAL,
        Arrival::Partial => status,
    };
    let mut headers = Headers::default();
    headers.add(":status", status.as_str());
    headers.add("content-length", "0");
    if let Some(id) = head.headers.get(AWS_ID) {
        headers.add(AWS_ID, id);
    }
    Step::Edit(Edit {
        headers: Some(headers),
        body: Some(Body::default()),
    })
}

impl Attempt {
    /// Where its call went, as far as that can still be determined.
    fn route(&self) -> Option<Route<'_>> {
        let request = &self.request;
        request.routes().route_on(&self.channel, &self.model)
    }

    /// The error for a client if the channel's credentials have expired: it is not tried first then, but may come
    /// next in a pool.
    fn expired(&self) -> Option<Error> {
        self.route().filter(|route| !route.is_valid(self.now))?;
        let model = self.request.request().model.to_string();
        Some(ResolveError::NoCredentials(model).error())
    }

    /// Bedrock refused the channel's credentials.
    fn lacks_credentials(&self, error: &UpstreamError) {
        log_refused_credentials(&self.channel, error);
        let reply = self.expired().unwrap_or_else(|| error.reply());
        self.request
            .failed(Failure::Credentials, Some(reply), self.now);
    }

    /// The channel does not serve the model, or not under this id.
    fn cannot_serve(&self, error: &UpstreamError, fault: ChannelFault) {
        let Some(route) = self.route() else {
            return self.request.refused(Some(error.reply()));
        };
        log_channel_fault(&self.channel, &route.model_id, fault);
        if error.is_about_on_demand() && route.through_geo_profile().is_some() {
            self.request.lacks_on_demand(&route, error.reply());
        } else {
            self.request
                .failed(Failure::Model, Some(error.reply()), self.now);
        }
    }

    /// The channel has said something.
    pub(super) fn heard(&self) {
        self.request.heard();
    }

    /// The answer has begun well: the client will get it.
    pub(super) fn succeeded(&self, headers: &mut Headers) -> Option<Rc<BegunAnswer>> {
        self.request.answered();
        self.request.describe(headers);
        self.request.answer()
    }

    /// The answer turned out to be an error before the client saw any of it: returns a bare status instead.
    pub(super) fn failed(&self, head: &Head, error: &Error, arrival: Arrival) -> Step {
        match failure_of(error.status, None) {
            Some(failure) => self.request.failed(failure, Some(error.clone()), self.now),
            None => self.request.refused(Some(error.clone())),
        }
        bare(head, error.status, self.request.unless_last(arrival))
    }
}

impl RetryableRequest {
    /// What matters of an answer that is to be replaced by a status: after the last attempt nothing may follow it.
    fn unless_last(&self, arrival: Arrival) -> Arrival {
        if self.is_last() {
            return Arrival::Complete;
        }
        arrival
    }

    /// Says why there is no other attempt, although Envoy began one.
    fn explain_end(&self) {
        if self.is_last() && self.last_result().is_none() {
            let status = if self.timed_out() {
                StatusCode::GATEWAY_TIMEOUT
            } else {
                StatusCode::SERVICE_UNAVAILABLE
            };
            self.explain(decode_error(status, None, b"").reply());
        }
    }

    /// Says which channel served the request and after how many attempts, if that is configured.
    pub(super) fn describe(&self, headers: &mut Headers) {
        let wanted = self
            .routes()
            .failover()
            .is_some_and(|failover| failover.answer_headers);
        if let Some(channel) = self.last_channel().filter(|_| wanted) {
            headers.add("x-bedrock-channel", channel);
            headers.add("x-bedrock-attempts", self.attempts().to_string());
        }
    }
}

/// How a channel failed, if the status means that it is at fault and not the request.
fn failure(head: &Head, error: &UpstreamError) -> Option<Failure> {
    if error.is_about_credentials() {
        return Some(Failure::Credentials);
    }
    let seconds = head.headers.get_str("retry-after");
    let seconds = seconds.and_then(|text| text.parse().ok());
    failure_of(head.status, seconds.map(Duration::from_secs))
}

/// What a status means for the channel; for a 429, also for how long.
fn failure_of(status: StatusCode, retry_after: Option<Duration>) -> Option<Failure> {
    Trouble::of_status(status).map(|trouble| Failure::of(trouble, retry_after))
}
