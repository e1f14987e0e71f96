//! Amazon Nova, 1 and 2: `messages-v1` bodies over InvokeModel.
//!
//! <https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html>

mod body;
mod messages;
mod request;
mod response;
mod stream;
mod tools;

use crate::bedrock::{Answer, DecodeError, Dialect, EncodedRequest, StreamDecoder, Target};
use crate::chat::{Completion, Error, Param, Request, Treatment};

/// The dialect of every Nova chat model.
#[derive(Debug)]
pub(in crate::bedrock) struct Messages;

impl Dialect for Messages {
    fn treatment(&self, param: Param) -> Treatment {
        match param {
            Param::CacheMark
            | Param::Effort
            | Param::Thinking
            | Param::ToolChoice
            | Param::Tools
            | Param::TopK => Treatment::Mapped,
            other => other.default_treatment(),
        }
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
        Box::new(stream::Decoder::new(answer.names))
    }
}
