//! Cohere Command R and R+: chat bodies over InvokeModel.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-cohere-command-r-plus.html>

mod body;
mod request;
mod response;
mod rounds;
mod stream;
mod tools;

use crate::bedrock::{Answer, DecodeError, Dialect, EncodedRequest, StreamDecoder, Target};
use crate::chat::{Completion, Error, Param, Request, Treatment};

/// The dialect of Command R and R+.
#[derive(Debug)]
pub(in crate::bedrock) struct CommandR;

impl Dialect for CommandR {
    fn treatment(&self, param: Param) -> Treatment {
        match param {
            Param::FrequencyPenalty
            | Param::PresencePenalty
            | Param::Seed
            | Param::ToolChoice
            | Param::Tools
            | Param::TopK => Treatment::Mapped,
            other => other.default_treatment(),
        }
    }

    fn carries_images(&self) -> bool {
        false
    }

    fn encode_request(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
    ) -> Result<EncodedRequest, Error> {
        request::encode(request, target)
    }

    fn decode_response(&self, body: &[u8], answer: &Answer) -> Result<Completion, DecodeError> {
        response::decode(body, answer)
    }

    fn stream_decoder(&self, answer: Answer) -> Box<dyn StreamDecoder> {
        Box::new(stream::Decoder::new(answer))
    }
}
