//! What a model family implements.

use super::{Answer, DecodeError, Documents, EncodedRequest, StreamDecoder, Target};
use crate::chat::{Completion, Error, Param, Request, Treatment};

/// How to talk to one group of models: *encode* is always towards Bedrock, *decode* towards the client.
pub trait Dialect: Sync {
    /// What becomes of a parameter of the request. The table in the documentation is made from it.
    fn treatment(&self, param: Param) -> Treatment {
        param.default_treatment()
    }

    /// Which files a request may contain.
    fn documents(&self) -> Documents {
        Documents::None
    }

    /// Whether images in a request are certain to reach the model. If not, Converse carries them, unless the channel
    /// insists on InvokeModel.
    fn carries_images(&self) -> bool {
        true
    }

    /// The upstream body for a request that sets nothing that [`Self::treatment`] refuses.
    ///
    /// # Errors
    ///
    /// A 400 that names the parameter which the model cannot honour.
    fn encode_request(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
    ) -> Result<EncodedRequest, Error>;

    /// The answer in a whole upstream body.
    ///
    /// # Errors
    ///
    /// When the body is not what the family answers with.
    fn decode_response(&self, body: &[u8], answer: &Answer) -> Result<Completion, DecodeError>;

    /// A decoder for one streamed answer.
    fn stream_decoder(&self, answer: Answer) -> Box<dyn StreamDecoder>;
}
