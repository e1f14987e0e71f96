//! Converse and `ConverseStream`: one body for every model.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>

mod blob;
mod body;
mod documents;
mod extras;
mod family;
mod messages;
mod request;
mod response;
mod stream;
mod tools;

use crate::bedrock::{
    Answer, DecodeError, Dialect, Documents, EncodedRequest, StreamDecoder, Target,
};
use crate::chat::{Completion, Error, Param, Request, Treatment};

/// The dialect of every model that is called through Converse.
///
/// What becomes of a parameter can depend on the model: one for which Converse has no field goes to the model itself
/// if it has such a parameter, and is otherwise left out or refused.
#[derive(Debug)]
pub(super) struct Converse;

impl Dialect for Converse {
    fn treatment(&self, param: Param) -> Treatment {
        match param {
            Param::BetaFeatures
            | Param::CacheMark
            | Param::ParallelToolCalls
            | Param::Effort
            | Param::Thinking
            | Param::ToolChoice
            | Param::Tools
            | Param::TopK => Treatment::Mapped,
            other => other.default_treatment(),
        }
    }

    fn documents(&self) -> Documents {
        Documents::Office
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
