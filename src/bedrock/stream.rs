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
    decoder: Box<dyn StreamDecoder>,
    out: Box<dyn AnswerStream>,
    /// Scratch space for decoded payloads.
    event: Vec<u8>,
    failure: Option<Error>,
}

/// What a stream begins with.
#[derive(Debug, PartialEq)]
pub enum Beginning {
    /// Not even one whole frame has arrived.
    Incomplete,
    /// An ordinary event.
    Event,
    /// An error, before anything was answered.
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
        Self {
            frames: FrameDecoder::default(),
            decoder,
            out,
            event: Vec::new(),
            failure: None,
        }
    }

    /// Takes bytes that arrived and gives the text to send on, which may be empty.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        if !self.is_over() {
            self.frames.push(bytes);
            if let Err(error) = self.drain() {
                self.fail(error);
            }
        }
        self.out.take()
    }

    /// Takes the end of the upstream's answer: an answer that is not complete becomes an error.
    pub fn finish(&mut self) -> Vec<u8> {
        if !self.is_over() {
            self.decoder.end(&mut *self.out);
        }
        if !self.is_over() {
            let message = "The model's answer broke off before its end.";
            self.fail(Error::server(
                StatusCode::BAD_GATEWAY,
                "stream_error",
                message,
            ));
        }
        self.out.take()
    }

    /// Whether nothing of the answer is missing, be it its end or an error.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.failure.is_some() || self.decoder.is_complete()
    }

    /// The error that ended it, if one did.
    #[must_use]
    pub fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Whether more than its beginning has been written: a part of the answer, or its end.
    #[must_use]
    pub fn has_content(&self) -> bool {
        self.out.has_content()
    }

    /// Why the answer ended and what it cost, once it has.
    #[must_use]
    pub fn end(&self) -> Option<(FinishReason, Usage)> {
        self.out.end()
    }

    /// The model's word for why it ended, where nobody knows what it means.
    #[must_use]
    pub fn unknown_reason(&self) -> Option<&str> {
        self.out.unknown_reason()
    }

    fn fail(&mut self, error: Error) {
        self.out.error(&error);
        self.failure = Some(error);
    }

    fn drain(&mut self) -> Result<(), Error> {
        while !self.decoder.is_complete() {
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
            self.decoder
                .event(Event { kind, payload }, &mut *self.out)
                .map_err(|error| error.reply())?;
        }
        Ok(())
    }
}

/// The error in a frame, if it is one.
///
/// Exceptions normally have their own message type; some proxies put the name where an event's
/// name stands.
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
    let message = format!("The model's answer was damaged on its way: {error}.");
    Error::server(StatusCode::BAD_GATEWAY, "stream_error", message)
}
