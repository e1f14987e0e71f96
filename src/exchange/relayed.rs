//! The listener stage of a request that may be tried on several channels.
//!
//! It sends a stand-in for the request to the pool; the upstream stage puts the real one in its place.
//! An answer comes back finished; an error comes back as Envoy left it after the last attempt.

use std::rc::Rc;
use std::time::SystemTime;

use http::Method;

use super::call::CLUSTER_HEADER;
use super::{Edit, Exchange, Head, Headers, Phase, Step};
use crate::openai::Error;
use crate::relay::{Dispatcher, End, Plan, Relay};

/// Body of the stand-in: Envoy keeps it for another attempt in place of the real one, which may be long.
const STAND_IN: &[u8] = b"{}";

/// Path of the stand-in: that of any call, so that the same route takes it.
const PATH: &str = "/model/relayed/invoke";

impl Exchange {
    /// Makes a relay of a request and sends its stand-in on.
    pub(super) fn start_relay(
        &mut self,
        dispatcher: &Rc<Dispatcher>,
        body: Vec<u8>,
        kept: Headers,
        now: SystemTime,
    ) -> Step {
        match dispatcher.relay(&self.routes, body, now) {
            Ok((relay, plan)) => {
                self.phase = Phase::Relayed(relay);
                Step::Edit(stand_in(&plan, kept))
            }
            Err(error) => self.reply(&error),
        }
    }

    /// The head of what came back for a relayed request.
    ///
    /// An error is held until it is whole, although it may be known already: a reply in the middle of an
    /// attempt's callback would make Envoy 1.36 take the attempt apart within it, and the SDK panics then.
    pub(super) fn relayed_headers(&mut self, relay: Rc<Relay>, head: Head, end: bool) -> Step {
        if matches!(relay.end(), Some(End::Answered)) {
            self.phase = Phase::Done;
            return Step::Pass;
        }
        if end {
            let (error, headers) = self.relayed_error(&relay, &head, b"");
            let mut reply = head.reply(&error);
            reply.headers.extend(headers.fields());
            return Step::Reply(reply);
        }
        self.phase = Phase::RelayedError(relay, head);
        Step::Wait
    }

    /// The whole body of an error that came back.
    pub(super) fn relayed_body(&mut self, relay: &Relay, head: &Head, body: &[u8]) -> Step {
        let (error, headers) = self.relayed_error(relay, head, body);
        let body = error.body();
        let mut all = head.json(error.status, body.len());
        all.0.extend(headers.0);
        Edit::pass_to(all, body)
    }

    /// What the client is told in place of what came back, and the headers that say who was tried.
    fn relayed_error(&mut self, relay: &Relay, head: &Head, body: &[u8]) -> (Error, Headers) {
        self.phase = Phase::Done;
        let error = match relay.end() {
            Some(End::Failed(error)) => error,
            _ => head.error(body, None),
        };
        let mut headers = Headers::default();
        relay.describe(&mut headers);
        (error, headers)
    }
}

fn stand_in(plan: &Plan, kept: Headers) -> Edit {
    let mut headers = Headers::default();
    headers.add(":method", Method::POST.as_str());
    headers.add(":scheme", "http");
    headers.add(":authority", "bedrock");
    headers.add(":path", PATH);
    headers.add("content-type", "application/json");
    headers.add("content-length", STAND_IN.len().to_string());
    headers.add(CLUSTER_HEADER, plan.cluster.as_str());
    // One attempt for each channel of the pool; the route says after what.
    headers.add("x-envoy-max-retries", plan.retries.to_string());
    headers.0.extend(kept.0);
    Edit {
        headers: Some(headers),
        body: Some(STAND_IN.to_vec().into()),
    }
}
