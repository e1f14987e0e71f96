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

use crate::bedrock::{Answer, DecodeError, Dialect, EncodedRequest, StreamDecoder, Target};
use crate::chat::{Completion, Error, Param, Request, Treatment};

/// The dialect of every model that is called through Converse.
///
/// What a parameter becomes can depend on the model: one that Converse has no field for goes to
/// the model itself where it has such a parameter, and is left out or refused where it has none.
#[derive(Debug)]
pub(super) struct Converse;

impl Dialect for Converse {
    fn treatment(&self, param: Param) -> Treatment {
        match param {
            Param::BetaFeatures
            | Param::CacheMark
            | Param::ParallelToolCalls
            | Param::Effort
            | Param::OutputFormat
            | Param::Thinking
            | Param::ToolChoice
            | Param::Tools
            | Param::TopK => Treatment::Mapped,
            other => other.default_treatment(),
        }
    }

    fn reads_documents(&self) -> bool {
        true
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
