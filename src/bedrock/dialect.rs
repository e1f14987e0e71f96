//! What a model family implements.

use crate::catalog::Model;
use crate::openai::{ChatRequest, ChunkWriter, Completion, Error};

use super::{Operation, ToolNames, UpstreamError};

/// How one group of models is spoken to: encode is OpenAI to Bedrock, decode Bedrock to OpenAI.
pub trait Dialect: Sync {
    /// The upstream body for a request.
    ///
    /// # Errors
    ///
    /// A 400 that names the parameter which the model cannot honour.
    fn encode_request(
        &self,
        request: &ChatRequest<'_>,
        target: Target,
    ) -> Result<EncodedRequest, Error>;

    /// The answer in a whole upstream body.
    ///
    /// # Errors
    ///
    /// When the body is not what the family answers with.
    fn decode_response(&self, body: &[u8], names: &ToolNames) -> Result<Completion, DecodeError>;

    /// A decoder for one streamed answer.
    fn stream_decoder(&self, names: ToolNames) -> Box<dyn StreamDecoder>;
}

/// The model that a request is encoded for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Target {
    /// What the catalogue knows about it, if anything.
    pub model: Option<&'static Model>,
}

/// An upstream request, but for path and headers.
#[derive(Debug)]
pub struct EncodedRequest {
    /// The API to call.
    pub operation: Operation,
    /// The body.
    pub body: Vec<u8>,
    /// What the tools are called at the client.
    pub names: ToolNames,
}

/// State of one streamed answer.
pub trait StreamDecoder {
    /// Takes one event of the model, as JSON, and writes the chunks it makes.
    ///
    /// # Errors
    ///
    /// When the event is not what the family streams, or is itself an error.
    fn event(&mut self, event: &[u8], out: &mut ChunkWriter) -> Result<(), DecodeError>;

    /// Whether the answer is complete: its last event has been written.
    fn is_complete(&self) -> bool;
}

/// Why an upstream answer is no answer.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not the family's shape.
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
            // serde's message can repeat a piece of the answer, so it stays out.
            Self::Malformed(_) => Error::server(
                502,
                "invalid_upstream_response",
                "The model's answer could not be read.",
            ),
            Self::Upstream(error) => error.reply(),
        }
    }
}
