//! The way down: from Bedrock's answer, or Envoy's own, to the client's.

use http::StatusCode;

use super::{Arrival, Edit, End, Exchange, Head, Held, Phase, ReadBody, Step};
use crate::call::{Call, Headers};
use crate::chat::Error;

/// Longest error that is read, in bytes; AWS's have a few hundred.
const MAX_ERROR_LEN: usize = 64 * 1024;

impl Exchange {
    pub(super) fn answer_head_step(&mut self, headers: Headers, arrival: Arrival) -> Step {
        if let Some(attempt) = self.own_attempt() {
            attempt.heard();
        }
        let phase = self.take_phase();
        let head = Head::new(headers, self.clock);
        let call = match phase {
            Phase::Upstream(call) => {
                self.note_tier(&head.headers);
                Some(call)
            }
            Phase::RequestBody { .. } => None,
            Phase::Attempted(request) => return self.attempted_headers(request, head, arrival),
            other => {
                self.phase = other;
                return Step::Pass;
            }
        };
        if head.status != StatusCode::OK
            && let Some(attempt) = self.take_attempt()
        {
            return self.attempt_refused(attempt, head, arrival);
        }
        if arrival.is_complete() {
            let error = match &call {
                Some(call) => head.error(b"", Some(call)),
                None => head.refusal(),
            };
            return self.replace_bodiless(&head, &error);
        }
        self.phase = match call {
            Some(call) if head.is_event_stream() => Phase::FirstFrame(call, head),
            call => Phase::WholeAnswer(call, head),
        };
        Step::Wait
    }

    pub(super) fn answer_body_step(
        &mut self,
        buffered: usize,
        arrival: Arrival,
        read: ReadBody<'_>,
    ) -> Step {
        let held = Held {
            bytes: buffered,
            arrival,
        };
        let step = self.take_piece(held, read);
        self.life.note(step, buffered)
    }

    fn take_piece(&mut self, held: Held, read: ReadBody<'_>) -> Step {
        let (buffered, end) = (held.bytes, held.arrival.is_complete());
        match self.take_phase() {
            Phase::AttemptedError(request, head) if end => {
                self.attempted_body(&request, &head, &error_body(buffered, read))
            }
            Phase::Refusal(head) if end || head.is_whole(buffered) => {
                self.refusal_body(&head, &error_body(buffered, read), held.arrival)
            }
            waiting @ (Phase::AttemptedError(..) | Phase::Refusal(_)) => {
                self.phase = waiting;
                Step::Wait
            }
            Phase::WholeAnswer(call, head) => self.whole_answer(call, head, held, read),
            Phase::FirstFrame(call, head) => self.first_frame(call, head, held, read),
            Phase::Opening(opening) => self.opening(opening, &read(), held),
            Phase::Stream(stream) => self.piece(stream, held.arrival, read),
            other => {
                self.phase = other;
                Step::Pass
            }
        }
    }

    pub(super) fn answer_end_step(&mut self, buffered: usize, read: ReadBody<'_>) -> Step {
        match self.take_phase() {
            // Envoy lets the filter replace a body only where there is one.
            Phase::WholeAnswer(call, head) if buffered == 0 => {
                let error = match &call {
                    Some(call) => head.error(b"", Some(call)),
                    None => head.refusal(),
                };
                self.replace_bodiless(&head, &error)
            }
            Phase::FirstFrame(call, head) if buffered == 0 => {
                let error = head.error(b"", Some(&call));
                self.replace_bodiless(&head, &error)
            }
            Phase::AttemptedError(request, head) if buffered == 0 => {
                self.attempted_headers(request, head, Arrival::Complete)
            }
            waiting @ (Phase::WholeAnswer(..)
            | Phase::FirstFrame(..)
            | Phase::Opening(_)
            | Phase::AttemptedError(..)
            | Phase::Refusal(_)) => {
                self.phase = waiting;
                self.answer_body_step(buffered, Arrival::Complete, read)
            }
            other => {
                self.phase = other;
                Step::Pass
            }
        }
    }

    fn whole_answer(
        &mut self,
        call: Option<Call>,
        head: Head,
        held: Held,
        read: ReadBody<'_>,
    ) -> Step {
        if held.bytes > self.routes.limits().max_response_bytes {
            let message = "The model's answer is larger than the gateway's limit.";
            let error = Error::server(StatusCode::BAD_GATEWAY, "response_too_large", message);
            return self.replace(&head, &error, held.arrival);
        }
        // An attempt does not wait for the end if it can help it: see `Attempt::failed`.
        let is_whole = held.arrival.is_complete()
            || (self.own_attempt().is_some() && head.is_whole(held.bytes));
        if !is_whole {
            self.phase = Phase::WholeAnswer(call, head);
            return Step::Wait;
        }
        let body = read();
        match call {
            Some(mut call) if head.status == StatusCode::OK => {
                let notes = call.take_notes();
                let streams = call.streams();
                match head.decode(call, body) {
                    Ok((answer, end)) => {
                        self.note_end(|| end);
                        let mut headers = if streams {
                            head.sse(self.to())
                        } else {
                            head.json(self.to(), answer.len())
                        };
                        headers.0.extend(notes.0);
                        self.succeeded(&mut headers);
                        Edit::pass_to(headers, answer)
                    }
                    Err(error) => self.replace(&head, &error, held.arrival),
                }
            }
            Some(call) => {
                let error = head.error(&body, Some(&call));
                self.replace(&head, &error, held.arrival)
            }
            None => self.replace(&head, &head.refusal(), held.arrival),
        }
    }

    /// The client will get this answer; an attempt says whose it is.
    pub(super) fn succeeded(&mut self, headers: &mut Headers) {
        if let Some(attempt) = self.take_attempt() {
            self.follow(attempt.succeeded(headers));
        }
    }

    /// Puts an error in place of an answer that was held back.
    ///
    /// If the upstream is still sending, a reply of our own ends that at once. An edit would keep the
    /// client's connection busy until the upstream is done, although the client has its answer.
    pub(super) fn replace(&mut self, head: &Head, error: &Error, arrival: Arrival) -> Step {
        self.phase = Phase::Done;
        self.note_end(|| End::Failed(error.clone()));
        if let Some(attempt) = self.own_attempt() {
            return attempt.failed(head, error, arrival);
        }
        if let Some(step) = self.replace_by_estimate(head, arrival) {
            return step;
        }
        let error = &self.told(error);
        if arrival.is_complete() {
            let (headers, body) = head.error_json(self.to(), error);
            return Edit::pass_to(headers, body);
        }
        Step::Reply(head.reply(self.to(), error))
    }

    /// The same where there is no body that Envoy would let the filter replace.
    fn replace_bodiless(&mut self, head: &Head, error: &Error) -> Step {
        self.phase = Phase::Done;
        self.note_end(|| End::Failed(error.clone()));
        if let Some(attempt) = self.own_attempt() {
            return attempt.failed(head, error, Arrival::Complete);
        }
        let estimate = self.replace_by_estimate(head, Arrival::Partial);
        estimate.unwrap_or_else(|| Step::Reply(head.reply(self.to(), &self.told(error))))
    }
}

/// The body of an error. Anything longer is not from AWS, and not worth reading.
fn error_body(buffered: usize, read: ReadBody<'_>) -> Vec<u8> {
    if buffered > MAX_ERROR_LEN {
        Vec::new()
    } else {
        read()
    }
}
