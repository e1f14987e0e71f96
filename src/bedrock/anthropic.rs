//! Anthropic Claude: Messages API bodies over InvokeModel.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html>

mod body;
mod request;
mod response;
mod stream;
mod turns;

use super::{DecodeError, Dialect, EncodedRequest, StreamDecoder, Target, ToolNames};
use crate::openai::{ChatRequest, Completion, Error};

/// The dialect of every Claude model that speaks the Messages API.
#[derive(Debug)]
pub(super) struct Messages;

impl Dialect for Messages {
    fn encode_request(
        &self,
        request: &ChatRequest<'_>,
        target: Target,
    ) -> Result<EncodedRequest, Error> {
        request::encode(request, target)
    }

    fn decode_response(&self, body: &[u8], names: &ToolNames) -> Result<Completion, DecodeError> {
        response::decode(body, names)
    }

    fn stream_decoder(&self, names: ToolNames) -> Box<dyn StreamDecoder> {
        Box::new(stream::Decoder::new(names))
    }
}
