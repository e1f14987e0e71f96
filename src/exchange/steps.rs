//! The steps of an exchange, as the host takes them. What a client gets can be read by the page that asks, if there is one.

use std::time::SystemTime;

use super::{Arrival, Exchange, ReadBody, Step};
use crate::call::Headers;

impl Exchange {
    /// Takes the request's headers, which are complete when there is no body.
    pub fn request_headers(&mut self, headers: Headers, arrival: Arrival) -> Step {
        let step = self.head_step(headers, arrival);
        self.readable(step)
    }

    /// Takes a piece of the request's body; `buffered` counts all that Envoy holds, in bytes.
    pub fn request_body(
        &mut self,
        buffered: usize,
        arrival: Arrival,
        now: SystemTime,
        read: ReadBody<'_>,
    ) -> Step {
        let step = self.body_step(buffered, arrival, now, read);
        self.readable(step)
    }

    /// Takes the answer's headers, which are complete when there is no body.
    ///
    /// Envoy's own answers (no upstream, timeout, body too large) come through here too.
    pub fn response_headers(&mut self, headers: Headers, arrival: Arrival) -> Step {
        self.note_limits(&headers);
        let step = self.answer_head_step(headers, arrival);
        let step = self.with_limits(step);
        self.readable(step)
    }

    /// Takes a piece of the answer's body; `buffered` counts all that Envoy holds, in bytes.
    pub fn response_body(&mut self, buffered: usize, arrival: Arrival, read: ReadBody<'_>) -> Step {
        let step = self.answer_body_step(buffered, arrival, read);
        let step = self.with_limits(step);
        self.readable(step)
    }

    /// Takes the answer's trailers, which end it like a last piece of body would.
    ///
    /// Nothing can be added to a stream any more that already passes.
    pub fn response_trailers(&mut self, buffered: usize, read: ReadBody<'_>) -> Step {
        let step = self.answer_end_step(buffered, read);
        let step = self.with_limits(step);
        self.readable(step)
    }
}
