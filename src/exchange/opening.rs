//! The first bytes of a streamed answer, held back while an error can still become an HTTP status.

use http::StatusCode;

use super::{Edit, Exchange, Head, Phase, ReadBody, Step};
use crate::bedrock::{Beginning, ResponseStream, beginning};
use crate::call::{Call, LEFT_OUT};
use crate::chat::Error;
use crate::wire::event_stream::MAX_FRAME_LEN;

/// A stream of an attempt, from which the client has got nothing yet: as long as it says nothing of its
/// own, another channel may answer instead.
pub(super) struct Opening {
    stream: ResponseStream,
    head: Head,
    /// What of the request was left out.
    left_out: Option<String>,
    /// Bytes that the stream has taken.
    taken: usize,
    /// What it has written.
    out: Vec<u8>,
    /// Whether the model may think for long now. Envoy's time for the attempt runs until something is
    /// passed on, and a thought must not be taken for a channel that hangs.
    may_think: bool,
}

impl Exchange {
    /// Takes all that has arrived of a stream that is held until its first frame is whole.
    pub(super) fn first_frame(
        &mut self,
        mut call: Call,
        head: Head,
        (buffered, end): (usize, bool),
        read: ReadBody<'_>,
    ) -> Step {
        let bytes = read();
        match beginning(&bytes) {
            Beginning::Incomplete if !end && buffered <= MAX_FRAME_LEN => {
                self.phase = Phase::FirstFrame(call, head);
                Step::Wait
            }
            Beginning::Incomplete => {
                let message = "The model's answer broke off before it began.";
                self.replace(
                    &head,
                    &Error::server(StatusCode::BAD_GATEWAY, "stream_error", message),
                    end,
                )
            }
            Beginning::Error(error) => self.replace(&head, &error, end),
            Beginning::Event => {
                let opening = Opening {
                    may_think: call.may_think,
                    left_out: call.left_out.take(),
                    stream: call.into_stream(&head),
                    head,
                    taken: 0,
                    out: Vec::new(),
                };
                self.opening(Box::new(opening), &bytes, (buffered, end))
            }
        }
    }

    /// Takes all that has arrived of a stream that may say nothing of its own yet.
    pub(super) fn opening(
        &mut self,
        mut opening: Box<Opening>,
        all: &[u8],
        (buffered, end): (usize, bool),
    ) -> Step {
        opening.take(all, end);
        let is_silent = self.attempt.is_some() && !opening.stream.has_content();
        let is_held = is_silent && !opening.may_think;
        if is_silent && let Some(error) = opening.stream.failure().cloned() {
            return self.replace(&opening.head, &error, end);
        }
        if is_held && !end && buffered <= MAX_FRAME_LEN {
            self.phase = Phase::Opening(opening);
            return Step::Wait;
        }
        let Opening {
            stream,
            head,
            left_out,
            out,
            ..
        } = *opening;
        self.note_stream(&stream);
        if !end {
            self.phase = Phase::Stream(Box::new(stream));
        }
        let mut headers = head.sse();
        headers.add_some(LEFT_OUT, left_out);
        self.succeeded(&mut headers);
        Edit::pass_to(headers, out)
    }
}

impl Opening {
    /// Takes what is new of all that has arrived.
    fn take(&mut self, all: &[u8], end: bool) {
        let new = all.get(self.taken..).unwrap_or_default();
        self.taken = all.len();
        self.out.extend(self.stream.push(new));
        if end {
            self.out.extend(self.stream.finish());
        }
    }
}
