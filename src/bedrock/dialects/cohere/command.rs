//! Cohere Command.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-cohere-command.html>

use serde::{Deserialize, Serialize};

use crate::bedrock::dialects::prompted::Prompted;
use crate::bedrock::shared::prompt::{self, GeneratedText, Images, Lead, Limits, TextRules};
use crate::bedrock::shared::prompt_labels;
use crate::bedrock::{DecodeError, EncodedRequest, Target};
use crate::chat::{Error, Param, Request, Treatment};
use crate::json::Text;

/// Highest `top_k` that the model takes; a higher one would not change the answer.
const MAX_TOP_K: u32 = 500;

/// The dialect of Command.
pub(in crate::bedrock) static COHERE_COMMAND: Command = Command;

/// The default leaves most of the model's 4096 tokens to the prompt, because both share them.
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
    /// Streams need it in addition to the operation's name.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
}

/// A whole answer, or an event of a stream.
///
/// Events have their text at the top level. The last one may repeat the whole answer in its generations.
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

impl Prompted for Command {
    fn treatment(&self, param: Param) -> Treatment {
        match param {
            Param::TopK => Treatment::Mapped,
            other => other.default_treatment(),
        }
    }

    fn encode(&self, request: &Request<'_>, target: &Target<'_>) -> Result<EncodedRequest, Error> {
        let conversation = prompt::conversation(request, Images::Refused)?;
        let (prompt, label) = prompt_labels::prompt(&conversation);
        let mut stops = prompt::stops(request);
        let label = label.filter(|label| !stops.contains(label));
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
            // Command includes the stop text at which it ended.
            stops: stops.into_iter().map(str::to_owned).collect(),
            label,
            ..TextRules::behind(&conversation, Lead::WhiteSpace)
        };
        prompt::encoded(request, &body, rules)
    }

    fn read(json: &[u8]) -> Result<GeneratedText<'_>, DecodeError> {
        let body: Generations<'_> = serde_json::from_slice(json)?;
        let (mut text, mut reason) = (body.text, body.finish_reason);
        if let Some(generation) = body.generations.into_iter().next() {
            let whole = body.is_finished.is_none();
            text = text.or(generation.text.filter(|_| whole));
            reason = reason.or(generation.finish_reason);
        }
        Ok(GeneratedText {
            text,
            reason,
            ..GeneratedText::default()
        })
    }
}
