//! What the dialects of models that continue a prompt have in common: all but the prompt and the names of the fields.

use crate::bedrock::shared::prompt::{self, GeneratedText};
use crate::bedrock::{Answer, DecodeError, Dialect, EncodedRequest, StreamDecoder, Target};
use crate::chat::{Completion, Error, Param, Request, Treatment};

/// A dialect of models that continue a prompt.
pub(super) trait Prompted: Sync {
    /// As [`Dialect::treatment`].
    fn treatment(&self, param: Param) -> Treatment {
        param.default_treatment()
    }

    /// As [`Dialect::carries_images`].
    fn carries_images(&self) -> bool {
        true
    }

    /// As [`Dialect::encode_request`].
    ///
    /// # Errors
    ///
    /// As there.
    fn encode(&self, request: &Request<'_>, target: &Target<'_>) -> Result<EncodedRequest, Error>;

    /// What a whole answer, or an event of a streamed one, has of the text.
    ///
    /// # Errors
    ///
    /// When it is not the family's, or contains an error.
    fn read(json: &[u8]) -> Result<GeneratedText<'_>, DecodeError>;
}

impl<D: Prompted> Dialect for D {
    fn treatment(&self, param: Param) -> Treatment {
        Prompted::treatment(self, param)
    }

    fn carries_images(&self) -> bool {
        Prompted::carries_images(self)
    }

    fn encode_request(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
    ) -> Result<EncodedRequest, Error> {
        self.encode(request, target)
    }

    fn decode_response(&self, body: &[u8], answer: &Answer) -> Result<Completion, DecodeError> {
        prompt::decode(D::read, body, answer)
    }

    fn stream_decoder(&self, answer: Answer) -> Box<dyn StreamDecoder> {
        Box::new(prompt::Decoder::new(D::read, answer))
    }
}
