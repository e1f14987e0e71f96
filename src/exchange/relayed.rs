//! The listener stage of a request that may be tried on several channels.
//!
//! It sends a stand-in for the request to the pool; the upstream stage puts the real one in its place.
//! An answer comes back finished; an error comes back as Envoy left it after the last attempt.

use std::rc::Rc;
use std::time::SystemTime;

use super::stand_in;
use super::{Edit, Exchange, Head, Phase, ReadBody, Step};
use crate::call::Headers;
use crate::chat::Error;
use crate::relay::{Dispatcher, End, Relay};

impl Exchange {
    /// Makes a relay of a request and sends its stand-in on.
    pub(super) fn start_relay(
        &mut self,
        dispatcher: &Rc<Dispatcher>,
        kept: Headers,
        now: SystemTime,
        (buffered, read): (usize, ReadBody<'_>),
    ) -> Step {
        let hold = dispatcher.hold(&self.routes, self.client, buffered);
        match hold
            .and_then(|hold| dispatcher.relay(&self.routes, self.protocol, (read(), hold), now))
        {
            Ok((relay, plan)) => {
                self.phase = Phase::Relayed(relay);
                Step::Edit(stand_in::relayed(&plan, kept))
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
            let mut reply = head.reply(self.protocol, &error);
            reply.headers.extend(headers.fields());
            return Step::Reply(reply);
        }
        self.phase = Phase::RelayedError(relay, head);
        Step::Wait
    }

    /// The whole body of an error that came back.
    pub(super) fn relayed_body(&mut self, relay: &Relay, head: &Head, body: &[u8]) -> Step {
        let (error, headers) = self.relayed_error(relay, head, body);
        let body = self.protocol.error_body(&error);
        let mut all = head.error_json(&error, body.len());
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
