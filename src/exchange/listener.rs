//! The listener stage of a request that may be tried on several channels.
//!
//! It sends a placeholder for the request to the pool; the upstream stage puts the real one in its place.
//! An answer comes back finished; an error comes back as Envoy left it after the last attempt.

use std::rc::Rc;
use std::time::SystemTime;

use super::outcome::Calls;
use super::placeholder;
use super::{Arrival, Edit, End, Exchange, Head, Measure, Phase, ReadBody, Step};
use crate::call::Headers;
use crate::chat::Error;
use crate::failover::{AttemptResult, ChannelPicker, Client, RetryableRequest};

impl Exchange {
    /// Keeps a request for its attempts and sends its placeholder on.
    pub(super) fn start_attempts(
        &mut self,
        picker: &Rc<ChannelPicker>,
        client: Client,
        kept: Headers,
        now: SystemTime,
        (buffered, read): (usize, ReadBody<'_>),
    ) -> Step {
        let reservation = picker.reserve(&self.routes, client, buffered);
        let body = self.untagged(read());
        if self.protocol.counter().is_some() {
            // It must be known before anything else can go wrong.
            let parsed = self.protocol.parse(&body, &self.said).ok();
            self.measure = parsed.as_ref().and_then(Measure::of);
        }
        let started = reservation.and_then(|reservation| {
            let (spoken, body) = ((self.protocol, &self.said), (body, reservation));
            let who = (&self.routes, self.caller.clone());
            RetryableRequest::start(picker, who, spoken, body, now)
        });
        match started {
            Ok((request, plan)) => {
                self.measure = Measure::of(request.parsed());
                self.start_meter(request.parsed());
                self.note_prompt(request.parsed());
                request.count_in(self.tally.as_ref());
                self.outcome = Rc::clone(request.outcome());
                self.account.calls = Calls::Attempts;
                self.phase = Phase::Attempted(request);
                Step::Edit(placeholder::to_pool(&plan, kept))
            }
            Err(error) => self.reply(&error),
        }
    }

    /// The head of what came back after the last attempt.
    ///
    /// An error is held until it is whole, although it may be known already: a reply in the middle of an
    /// attempt's callback would make Envoy 1.36 take the attempt apart within it, and the SDK panics then.
    pub(super) fn attempted_headers(
        &mut self,
        request: Rc<RetryableRequest>,
        mut head: Head,
        arrival: Arrival,
    ) -> Step {
        if let Some(status) = request.hidden_status() {
            head.status = status;
        }
        if matches!(request.last_result(), Some(AttemptResult::Answered)) {
            self.phase = Phase::Done;
            self.follow(request.answer());
            return self.pass_answer(head.headers);
        }
        if arrival.is_complete() {
            let (error, headers) = self.attempted_error(&request, &head, b"");
            if let Some(step) = self.replace_by_estimate(&head, Arrival::Partial) {
                return step;
            }
            let mut reply = head.reply(self.to(), &error);
            reply.headers.extend(headers.fields());
            return Step::Reply(reply);
        }
        self.phase = Phase::AttemptedError(request, head);
        Step::Wait
    }

    /// The whole body of an error that came back.
    pub(super) fn attempted_body(
        &mut self,
        request: &RetryableRequest,
        head: &Head,
        body: &[u8],
    ) -> Step {
        let (error, headers) = self.attempted_error(request, head, body);
        if let Some(step) = self.replace_by_estimate(head, Arrival::Complete) {
            return step;
        }
        let (mut all, body) = head.error_json(self.to(), &error);
        all.0.extend(headers.0);
        Edit::pass_to(all, body)
    }

    /// The error for the client instead of what came back, with the headers that say what was tried.
    fn attempted_error(
        &mut self,
        request: &RetryableRequest,
        head: &Head,
        body: &[u8],
    ) -> (Error, Headers) {
        self.phase = Phase::Done;
        let error = match request.last_result() {
            Some(AttemptResult::Failed(error)) => error,
            _ => head.error(body, None),
        };
        if let Some(measure) = &mut self.measure {
            let route = request.routes().find(&request.model()).ok();
            measure.most = route.and_then(|route| route.model?.context);
        }
        let mut headers = Headers::default();
        request.describe(&mut headers);
        self.account.refuse(&error);
        self.note_end(|| End::Failed(error.clone()));
        (self.told(&error), headers)
    }
}
