//! What a model family implements.

use http::StatusCode;
use serde::Serialize;

use crate::catalog::Model;
use crate::chat::{AnswerSink, Completion, Error, Param, Request, Treatment, Usage};
use crate::json::{self, Pieces};

use crate::bedrock::shared::markup::Rules;
use crate::bedrock::shared::prompt::TextRules;
use crate::bedrock::{Operation, Options, ToolNames, UpstreamError};
use crate::catalog::ModelFamily;

/// By how many bytes an upstream body is usually longer than the client's, at most.
const ROOM: usize = 1024;

/// How one group of models is spoken to: *encode* is towards Bedrock, *decode* towards the client.
pub trait Dialect: Sync {
    /// What happens to a parameter of the request. The table in the documentation is made from it.
    fn treatment(&self, param: Param) -> Treatment {
        param.default_treatment()
    }

    /// Whether a request may contain files.
    fn reads_documents(&self) -> bool {
        false
    }

    /// Whether images in a request are sure to reach the model. Where they are not, Converse carries
    /// them, unless the channel insists on InvokeModel.
    fn carries_images(&self) -> bool {
        true
    }

    /// The upstream body for a request in which nothing is set that [`Self::treatment`] refuses.
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

/// The model that a request is encoded for.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// What the catalogue knows about it, if anything.
    pub model: Option<&'static Model>,
    /// Its family, which is known even of models that the catalogue does not have.
    pub family: ModelFamily,
    /// The id that is called: a model id, profile id or ARN.
    pub model_id: &'a str,
    /// Bedrock's own options; InvokeModel has them in headers, which are not the dialect's affair.
    pub options: &'a Options,
}

/// An upstream request, but for path and headers.
#[derive(Debug)]
pub struct EncodedRequest {
    /// The API to call.
    pub operation: Operation,
    /// The body; its spans are of the client's.
    pub body: Pieces,
    /// What is needed to read the answer.
    pub answer: Answer,
}

impl EncodedRequest {
    /// A request with this body, as JSON, for a client's request of about the same length.
    ///
    /// # Errors
    ///
    /// A 500 when the body cannot be written as JSON, which no dialect's can.
    pub(super) fn new(
        request: &Request<'_>,
        operation: Operation,
        body: &impl Serialize,
        answer: Answer,
    ) -> Result<Self, Error> {
        let capacity = (request.source.len() + ROOM).saturating_sub(request.long_texts());
        let body = json::to_pieces(body, request.source, capacity)
            .map_err(|error| encoding_failed(&error))?;
        Ok(Self {
            operation,
            body,
            answer,
        })
    }
}

/// A fault of ours: something could not be written as JSON.
pub(super) fn encoding_failed(error: &impl std::error::Error) -> Error {
    Error::server(
        StatusCode::INTERNAL_SERVER_ERROR,
        "encoding_failed",
        format!("cannot encode: {error}"),
    )
}

/// What of a request is needed to read its answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// What the tools are called at the client.
    pub names: ToolNames,
    /// Token counts from the answer's headers, for families whose bodies have none.
    pub header_usage: Option<Usage>,
    /// Tool calls of earlier turns, so that ids that are made up here are unique in the conversation.
    pub earlier_calls: u32,
    /// Texts that end the answer and that the model was not told, see [`crate::bedrock::decode`].
    pub stops: Vec<String>,
    /// What the model writes into its texts beside the answer.
    pub(super) markup: Option<Rules>,
    /// How the text behind a prompt is read.
    pub(super) text: TextRules,
}

/// State of one streamed answer.
pub trait StreamDecoder {
    /// Takes one event and writes the chunks it makes.
    ///
    /// # Errors
    ///
    /// When the event is not what the family streams, or is itself an error.
    fn event(&mut self, event: Event<'_>, out: &mut dyn AnswerSink) -> Result<(), DecodeError>;

    /// Whether the answer is complete: its last event has been written.
    fn is_complete(&self) -> bool;

    /// Takes the end of the stream. Families whose last event cannot be told from others write the
    /// end of the answer here, and are complete then.
    fn end(&mut self, _out: &mut dyn AnswerSink) {}
}

/// One event of a stream.
#[derive(Clone, Copy, Debug)]
pub struct Event<'e> {
    /// `chunk` on InvokeModelWithResponseStream, the event's name on ConverseStream.
    pub kind: &'e str,
    /// JSON: the model's own event, or Converse's payload.
    pub payload: &'e [u8],
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
                StatusCode::BAD_GATEWAY,
                "invalid_upstream_response",
                "The model's answer could not be read.",
            ),
            Self::Upstream(error) => error.reply(),
        }
    }
}
