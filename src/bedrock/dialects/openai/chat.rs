//! Models whose InvokeModel bodies are OpenAI's own: a chat completion in, a chat completion out.
//!
//! There are many vendors (gpt-oss and GPT-6, Qwen3, `DeepSeek` V3, Kimi, `MiniMax`, GLM, Gemma, Nemotron, Grok, the
//! newer Mistral models, imported models), and they differ in details: the catalogue says what a model takes, and
//! answers are read leniently. The body is still our own, never the client's bytes.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html>

mod body;
mod calls;
mod messages;
mod request;
mod response;
mod stream;
mod wire;

use crate::bedrock::{Answer, DecodeError, Dialect, EncodedRequest, StreamDecoder, Target};
use crate::chat::{Completion, Error, Param, Request, Treatment};

/// The dialect of every model with OpenAI-shaped bodies.
#[derive(Debug)]
pub(in crate::bedrock) struct Chat;

impl Dialect for Chat {
    fn treatment(&self, param: Param) -> Treatment {
        match param {
            Param::FrequencyPenalty
            | Param::ParallelToolCalls
            | Param::PresencePenalty
            | Param::Effort
            | Param::Seed
            | Param::Thinking
            | Param::ToolChoice
            | Param::Tools => Treatment::Mapped,
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
        Box::new(stream::Decoder::new(answer))
    }
}
