//! A streamed answer: frames in, server-sent events out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde::Deserialize;

use crate::bedrock::{DecodeError, Event, StreamDecoder, UpstreamError};
use crate::chat::{AnswerStream, Error, FinishReason, Usage};
use crate::wire::event_stream::{Frame, FrameDecoder, FrameError, split_frame};

/// Event type that wraps the model's own events on InvokeModelWithResponseStream.
const CHUNK: &str = "chunk";

/// Translates one event stream to server-sent events, however its bytes are cut.
pub struct ResponseStream {
    frames: FrameDecoder,
    events: Box<dyn Events>,
    /// Scratch space for decoded payloads.
    event: Vec<u8>,
    failure: Option<Error>,
    /// How many events have come.
    count: u64,
}

/// Makes bytes for a client of the events of one stream.
pub trait Events {
    /// Takes one event.
    ///
    /// # Errors
    ///
    /// When the event is not what the model streams, or is itself an error.
    fn event(&mut self, event: Event<'_>) -> Result<(), DecodeError>;

    /// Takes the end of the stream.
    fn end(&mut self);

    /// Whether the answer is complete.
    fn is_complete(&self) -> bool;

    /// An error in place of the rest of the answer.
    fn error(&mut self, error: &Error);

    /// Takes the bytes written since the last call.
    fn take(&mut self) -> Vec<u8>;

    /// Whether more than its beginning has been written: a part of the answer, or its end.
    fn has_content(&self) -> bool;

    /// Whether the model may be silent for long after what was written last. Between pieces of text it is not.
    fn may_pause(&self) -> bool;

    /// Why the answer ended and what it cost, once it has.
    fn result(&self) -> Option<(FinishReason, Usage)>;

    /// The model's word for why it ended, if that word is unknown.
    fn unknown_reason(&self) -> Option<&str>;

    /// What the model has said of its token counts so far.
    fn counted(&self) -> Usage;
}

/// Events that a dialect reads and a protocol writes.
struct Translated {
    decoder: Box<dyn StreamDecoder>,
    out: Box<dyn AnswerStream>,
}

impl Events for Translated {
    fn event(&mut self, event: Event<'_>) -> Result<(), DecodeError> {
        self.decoder.event(event, &mut *self.out)
    }

    fn end(&mut self) {
        self.decoder.end(&mut *self.out);
    }

    fn is_complete(&self) -> bool {
        self.decoder.is_complete()
    }

    fn error(&mut self, error: &Error) {
        self.out.error(error);
    }

    fn take(&mut self) -> Vec<u8> {
        self.out.take()
    }

    fn has_content(&self) -> bool {
        self.out.has_content()
    }

    fn may_pause(&self) -> bool {
        self.out.may_pause()
    }

    fn result(&self) -> Option<(FinishReason, Usage)> {
        self.out.end()
    }

    fn unknown_reason(&self) -> Option<&str> {
        self.out.unknown_reason()
    }

    fn counted(&self) -> Usage {
        self.decoder.counted()
    }
}

/// What a stream begins with.
#[derive(Debug, PartialEq)]
pub enum Beginning {
    /// Not one whole frame has arrived yet.
    Incomplete,
    /// An ordinary event.
    Event,
    /// An error before the answer began.
    Error(Error),
}

/// Looks at the first frame, while an error can still become an HTTP status.
#[must_use]
pub fn beginning(bytes: &[u8]) -> Beginning {
    match split_frame(bytes) {
        Ok(None) => Beginning::Incomplete,
        Ok(Some((frame, _))) => match exception(&frame) {
            Some(error) => Beginning::Error(error.reply()),
            None => Beginning::Event,
        },
        Err(error) => Beginning::Error(broken(error)),
    }
}

impl ResponseStream {
    /// A stream that `decoder` reads and `out` writes.
    #[must_use]
    pub fn new(decoder: Box<dyn StreamDecoder>, out: Box<dyn AnswerStream>) -> Self {
        Self::of(Box::new(Translated { decoder, out }))
    }

    /// A stream whose events become bytes for the client in one step.
    #[must_use]
    pub fn of(events: Box<dyn Events>) -> Self {
        Self {
            frames: FrameDecoder::default(),
            events,
            event: Vec::new(),
            failure: None,
            count: 0,
        }
    }

    /// Takes bytes that arrived and returns the text to send on, which may be empty.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        if !self.is_over() {
            self.frames.push(bytes);
            if let Err(error) = self.drain() {
                self.fail(error);
            }
        }
        self.events.take()
    }

    /// Takes the end of the upstream's answer: an incomplete answer becomes an error.
    pub fn finish(&mut self) -> Vec<u8> {
        if !self.is_over() {
            self.events.end();
        }
        if !self.is_over() {
            let message = "The model's answer was cut off before its end.";
            self.fail(Error::server(
                StatusCode::BAD_GATEWAY,
                "stream_error",
                message,
            ));
        }
        self.events.take()
    }

    /// How many events have come.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// An estimate of what an answer has used that does not reach its end: what the model has said so far, and at least one
    /// token for each event.
    #[must_use]
    pub fn so_far(&self) -> Usage {
        let counted = self.events.counted();
        Usage {
            output: counted.output.max(self.count),
            ..counted
        }
    }

    /// Whether nothing more is missing: the answer has its end, or an error.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.failure.is_some() || self.events.is_complete()
    }

    /// The error that ended it, if one did.
    #[must_use]
    pub fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Whether more than its beginning has been written: a part of the answer, or its end.
    #[must_use]
    pub fn has_content(&self) -> bool {
        self.events.has_content()
    }

    /// Whether the client may have to wait for long now: the model may think, or write what it sends only as a whole.
    #[must_use]
    pub fn may_pause(&self) -> bool {
        !self.is_over() && self.events.may_pause()
    }

    /// Why the answer ended and what it cost, once it has.
    #[must_use]
    pub fn end(&self) -> Option<(FinishReason, Usage)> {
        self.events.result()
    }

    /// The model's word for why it ended, if its meaning is unknown.
    #[must_use]
    pub fn unknown_reason(&self) -> Option<&str> {
        self.events.unknown_reason()
    }

    fn fail(&mut self, error: Error) {
        self.events.error(&error);
        self.failure = Some(error);
    }

    fn drain(&mut self) -> Result<(), Error> {
        while !self.events.is_complete() {
            let Some(frame) = self.frames.next_frame().map_err(broken)? else {
                break;
            };
            if let Some(error) = exception(&frame) {
                return Err(error.reply());
            }
            let kind = frame.header(":event-type").unwrap_or_default();
            let payload = if kind == CHUNK {
                unwrap_chunk(frame.payload, &mut self.event).map_err(|error| error.reply())?;
                &self.event
            } else {
                frame.payload
            };
            self.count += 1;
            self.events
                .event(Event { kind, payload })
                .map_err(|error| error.reply())?;
        }
        Ok(())
    }
}

/// The error in a frame, if it is one.
///
/// Exceptions normally have their own message type; some proxies put the exception where an event's name should be.
fn exception(frame: &Frame<'_>) -> Option<UpstreamError> {
    #[derive(Default, Deserialize)]
    struct Payload {
        #[serde(default)]
        message: Option<String>,
    }
    let name = match frame.header(":message-type") {
        Some("exception") => frame.header(":exception-type").unwrap_or_default(),
        Some("error") => {
            let code = frame.header(":error-code").unwrap_or_default();
            let message = frame.header(":error-message").unwrap_or_default();
            return Some(UpstreamError::in_stream(code, message));
        }
        _ => frame
            .header(":event-type")
            .filter(|name| name.ends_with("Exception"))?,
    };
    let payload: Payload = serde_json::from_slice(frame.payload).unwrap_or_default();
    let message = payload.message.unwrap_or_default();
    Some(UpstreamError::in_stream(name, &message))
}

/// Decodes `{"bytes": "<base64>", "p": "<padding>"}` into `event`.
fn unwrap_chunk(payload: &[u8], event: &mut Vec<u8>) -> Result<(), DecodeError> {
    #[derive(Deserialize)]
    struct Chunk<'a> {
        #[serde(borrow)]
        bytes: &'a str,
    }
    let chunk: Chunk<'_> = serde_json::from_slice(payload)?;
    event.clear();
    STANDARD
        .decode_vec(chunk.bytes, event)
        .map_err(|error| DecodeError::Malformed(serde::de::Error::custom(error)))
}

fn broken(error: FrameError) -> Error {
    let message = format!("The model's answer was damaged in transit: {error}.");
    Error::server(StatusCode::BAD_GATEWAY, "stream_error", message)
}
