//! The first bytes of a streamed answer, held back while an error can still become an HTTP status.

use http::StatusCode;

use super::{Arrival, Edit, Exchange, Head, Held, Phase, ReadBody, Step};
use crate::bedrock::{Beginning, ResponseStream, beginning};
use crate::call::{Call, Headers};
use crate::chat::Error;
use crate::wire::event_stream::MAX_FRAME_LEN;

/// The stream of an attempt of which the client has received nothing yet. Until it has content, another channel may
/// answer instead.
pub(super) struct Opening {
    stream: ResponseStream,
    head: Head,
    /// What the client is told of its request.
    notes: Headers,
    /// Bytes that the stream has taken.
    taken: usize,
    /// What it has written.
    out: Vec<u8>,
    /// Whether the model may think for long now. Envoy's time for the attempt runs until something is
    /// passed on, and a thought must not be taken for a channel that hangs.
    pub(super) may_think: bool,
}

impl Exchange {
    /// Takes all that has arrived of a stream that is held until its first frame is whole.
    pub(super) fn first_frame(
        &mut self,
        call: Call,
        head: Head,
        held: Held,
        read: ReadBody<'_>,
    ) -> Step {
        let bytes = read();
        match beginning(&bytes) {
            Beginning::Incomplete if held.may_grow(MAX_FRAME_LEN) => {
                self.phase = Phase::FirstFrame(call, head);
                Step::Wait
            }
            Beginning::Incomplete => {
                let message = "The model's answer was cut off before it began.";
                self.replace(
                    &head,
                    &Error::server(StatusCode::BAD_GATEWAY, "stream_error", message),
                    held.arrival,
                )
            }
            Beginning::Error(error) => self.replace(&head, &error, held.arrival),
            Beginning::Event => {
                let opening = Box::new(Opening::new(call, head));
                self.opening(opening, &bytes, held)
            }
        }
    }

    /// Takes all that has arrived of a stream that may have no content yet.
    pub(super) fn opening(&mut self, mut opening: Box<Opening>, all: &[u8], held: Held) -> Step {
        opening.take(all, held.arrival);
        let is_silent = !opening.stream.has_content();
        let is_attempt = self.own_attempt().is_some();
        // Else it is held for a second at most, so that there can be signs of life after it.
        let is_held = is_silent
            && ((is_attempt && !opening.may_think)
                || (self.keeps_alive() && !opening.stream.is_over()));
        if is_silent
            && is_attempt
            && let Some(error) = opening.stream.failure().cloned()
        {
            return self.replace(&opening.head, &error, held.arrival);
        }
        if is_held && held.may_grow(MAX_FRAME_LEN) {
            self.phase = Phase::Opening(opening);
            return Step::Wait;
        }
        Step::Edit(self.begin(*opening, held.arrival, b""))
    }

    /// Passes on that an answer begins and what there is of it, or a sign of life if that is nothing.
    pub(super) fn begin(&mut self, opening: Opening, arrival: Arrival, sign: &[u8]) -> Edit {
        let Opening {
            stream,
            head,
            notes,
            mut out,
            ..
        } = opening;
        if out.is_empty() {
            out.extend_from_slice(sign);
        }
        self.note_stream(&stream);
        if !arrival.is_complete() {
            self.phase = Phase::Stream(Box::new(stream));
        }
        let mut headers = head.sse(self.to());
        headers.0.extend(notes.0);
        self.succeeded(&mut headers);
        Edit {
            headers: Some(headers),
            body: Some(out.into()),
        }
    }
}

impl Opening {
    pub(super) fn new(mut call: Call, head: Head) -> Self {
        Self {
            may_think: call.may_think,
            notes: call.take_notes(),
            stream: call.into_stream(&head),
            head,
            taken: 0,
            out: Vec::new(),
        }
    }

    /// Takes what is new of all that has arrived.
    pub(super) fn take(&mut self, all: &[u8], arrival: Arrival) {
        let new = all.get(self.taken..).unwrap_or_default();
        self.taken = all.len();
        self.out.extend(self.stream.push(new));
        if arrival.is_complete() {
            self.out.extend(self.stream.finish());
        }
    }
}
