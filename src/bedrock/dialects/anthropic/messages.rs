//! Anthropic Claude: Messages API bodies over InvokeModel.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html>

mod betas;
mod body;
mod request;
mod response;
mod stream;
mod thinking;
mod turns;

pub(in crate::bedrock) use betas::betas;
pub(in crate::bedrock) use body::Thinking;
pub(in crate::bedrock) use request::max_tokens;
pub(in crate::bedrock) use thinking::{Plan, plan};

use crate::bedrock::{
    Answer, DecodeError, Dialect, Documents, EncodedRequest, StreamDecoder, Target,
};
use crate::chat::{Completion, Error, Param, Request, Treatment};

/// The dialect of every Claude model with the Messages API.
#[derive(Debug)]
pub(in crate::bedrock) struct Messages;

impl Dialect for Messages {
    fn treatment(&self, param: Param) -> Treatment {
        match param {
            Param::BetaFeatures
            | Param::CacheMark
            | Param::ContextEdits
            | Param::ParallelToolCalls
            | Param::Effort
            | Param::Thinking
            | Param::ToolChoice
            | Param::Tools
            | Param::TopK
            | Param::User => Treatment::Mapped,
            other => other.default_treatment(),
        }
    }

    fn documents(&self) -> Documents {
        Documents::PdfAndText
    }

    fn encode_request(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
    ) -> Result<EncodedRequest, Error> {
        request::encode(request, target)
    }

    fn decode_response(&self, body: &[u8], answer: &Answer) -> Result<Completion, DecodeError> {
        response::decode(body, &answer.names)
    }

    fn stream_decoder(&self, answer: Answer) -> Box<dyn StreamDecoder> {
        Box::new(stream::Decoder::new(answer.names))
    }
}
