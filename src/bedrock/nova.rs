//! STUB

use super::{Answer, DecodeError, Dialect, EncodedRequest, StreamDecoder, Target};
use crate::openai::{ChatRequest, Completion, Error};

/// STUB
#[derive(Debug)]
pub(super) struct Messages;
impl Dialect for Messages {
    fn encode_request(&self, _: &ChatRequest<'_>, _: &Target<'_>) -> Result<EncodedRequest, Error> {
        Err(Error::unsupported(
            "model",
            "This model family is not served yet.",
        ))
    }
    fn decode_response(&self, body: &[u8], _: &Answer) -> Result<Completion, DecodeError> {
        let _: () = serde_json::from_slice(body)?;
        Ok(Completion::default())
    }
    fn stream_decoder(&self, answer: Answer) -> Box<dyn StreamDecoder> {
        super::anthropic::Messages.stream_decoder(answer)
    }
}
