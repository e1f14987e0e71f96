//! Cohere Command.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-cohere-command.html>

use serde::{Deserialize, Serialize};

use crate::bedrock::shared::prompt::{self, Images, Lead, Limits, Said, TextRules};
use crate::bedrock::shared::prompt_labels;
use crate::bedrock::{Answer, DecodeError, Dialect, EncodedRequest, StreamDecoder, Target};
use crate::chat::{Completion, Error, Param, Request, Treatment};
use crate::json::Text;

/// Highest `top_k` that the model takes; a higher one would not change the answer.
const MAX_TOP_K: u32 = 500;

/// The dialect of Command.
pub(in crate::bedrock) static COHERE_COMMAND: Command = Command;

/// The default leaves most of the model's 4096 tokens to the prompt, because both must fit.
const LIMITS: Limits = Limits {
    default: 1_024,
    most: 4_096,
};

/// How many stop texts Command takes.
const MAX_STOPS: usize = 4;

/// The dialect of Command.
#[derive(Debug)]
pub(in crate::bedrock) struct Command;

#[derive(Serialize)]
struct Body<'a> {
    prompt: String,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    k: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<&'a str>,
    /// Streams need it beside the operation's name.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
}

/// A whole answer, or an event of a stream.
///
/// Events have their text at the top. The last one may repeat the whole answer in its generations.
#[derive(Deserialize)]
struct Generations<'a> {
    #[serde(default, borrow)]
    generations: Vec<Generation<'a>>,
    #[serde(default)]
    is_finished: Option<bool>,
    #[serde(default, borrow)]
    text: Option<Text<'a>>,
    #[serde(default, borrow)]
    finish_reason: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Generation<'a> {
    #[serde(default, borrow)]
    text: Option<Text<'a>>,
    #[serde(default, borrow)]
    finish_reason: Option<Text<'a>>,
}

impl Dialect for Command {
    fn treatment(&self, param: Param) -> Treatment {
        match param {
            Param::TopK => Treatment::Mapped,
            other => other.default_treatment(),
        }
    }

    fn encode_request(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
    ) -> Result<EncodedRequest, Error> {
        let conversation = prompt::conversation(request, Images::Refused)?;
        let (prompt, label) = prompt_labels::prompt(&conversation);
        let mut stops = prompt::stops(request);
        stops.extend(label);
        let body = Body {
            prompt,
            max_tokens: LIMITS.max_tokens(request, target),
            temperature: request.sampling.temperature,
            p: request.sampling.top_p,
            k: request.sampling.top_k.map(|k| k.min(MAX_TOP_K)),
            stop_sequences: stops.iter().copied().take(MAX_STOPS).collect(),
            stream: request.stream,
        };
        let rules = TextRules {
            // Command writes the stop text that it ended at.
            stops: stops.into_iter().map(str::to_owned).collect(),
            ..TextRules::behind(&conversation, Lead::WhiteSpace)
        };
        prompt::encoded(request, &body, rules)
    }

    fn decode_response(&self, body: &[u8], answer: &Answer) -> Result<Completion, DecodeError> {
        prompt::decode(read, body, answer)
    }

    fn stream_decoder(&self, answer: Answer) -> Box<dyn StreamDecoder> {
        Box::new(prompt::Decoder::new(read, answer))
    }
}

fn read(json: &[u8]) -> Result<Said<'_>, DecodeError> {
    let said: Generations<'_> = serde_json::from_slice(json)?;
    let (mut text, mut reason) = (said.text, said.finish_reason);
    if let Some(generation) = said.generations.into_iter().next() {
        let whole = said.is_finished.is_none();
        text = text.or(generation.text.filter(|_| whole));
        reason = reason.or(generation.finish_reason);
    }
    Ok(Said {
        text,
        reason,
        ..Said::default()
    })
}
