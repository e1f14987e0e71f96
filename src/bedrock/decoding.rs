//! How answers are decoded, whole and streamed.

use http::StatusCode;

use super::UpstreamError;
use crate::chat::{AnswerSink, Error, Usage};

/// State of one streamed answer.
pub trait StreamDecoder {
    /// Takes one event and writes the chunks it makes.
    ///
    /// # Errors
    ///
    /// When the event is not what the family streams, or is itself an error.
    fn event(&mut self, event: Event<'_>, out: &mut dyn AnswerSink) -> Result<(), DecodeError>;

    /// Whether the answer is complete: its last event has been written.
    fn is_complete(&self) -> bool;

    /// Takes the end of the stream. Families whose last event looks like any other write the end of the answer here,
    /// and are complete then.
    fn end(&mut self, _out: &mut dyn AnswerSink) {}

    /// What the model has said of its token counts so far. Most say nothing before the end.
    fn counted(&self) -> Usage {
        Usage::default()
    }
}

/// One event of a stream.
#[derive(Clone, Copy, Debug)]
pub struct Event<'e> {
    /// `chunk` on InvokeModelWithResponseStream, the event's name on ConverseStream.
    pub kind: &'e str,
    /// JSON: the model's own event, or Converse's payload.
    pub payload: &'e [u8],
}

/// Why an upstream answer could not be decoded.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not in the family's format.
    #[error("the model's answer could not be read: {0}")]
    Malformed(#[from] serde_json::Error),
    /// An error inside an answer that began well.
    #[error(transparent)]
    Upstream(UpstreamError),
}

impl DecodeError {
    /// The error as the client sees it.
    #[must_use]
    pub fn reply(&self) -> Error {
        match self {
            // serde's message can repeat part of the answer, so it stays out.
            Self::Malformed(_) => Error::server(
                StatusCode::BAD_GATEWAY,
                "invalid_upstream_response",
                "The model's answer could not be read.",
            ),
            Self::Upstream(error) => error.reply(),
        }
    }
}
