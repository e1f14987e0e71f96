//! AI21 Jurassic-2.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-jurassic2.html>

use serde::{Deserialize, Serialize};

use crate::bedrock::dialects::prompted::Prompted;
use crate::bedrock::shared::prompt::{self, GeneratedText, Images, Lead, Limits, TextRules};
use crate::bedrock::shared::prompt_labels;
use crate::bedrock::{DecodeError, EncodedRequest, Target};
use crate::chat::{Error, Request};
use crate::json::Text;

/// The dialect of Jurassic-2.
pub(in crate::bedrock) static J2: Jurassic = Jurassic;

const LIMITS: Limits = Limits {
    default: 2_048,
    most: 8_191,
};

/// The dialect of Jurassic-2.
#[derive(Debug)]
pub(in crate::bedrock) struct Jurassic;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    prompt: String,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<&'a str>,
}

#[derive(Deserialize)]
struct Completions<'a> {
    #[serde(default, borrow)]
    completions: Vec<One<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct One<'a> {
    #[serde(default, borrow)]
    data: Option<Data<'a>>,
    #[serde(default, borrow)]
    finish_reason: Option<Reason<'a>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(default, borrow)]
    text: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Reason<'a> {
    #[serde(default, borrow)]
    reason: Option<Text<'a>>,
}

impl Prompted for Jurassic {
    fn encode(&self, request: &Request<'_>, target: &Target<'_>) -> Result<EncodedRequest, Error> {
        let conversation = prompt::conversation(request, Images::Refused)?;
        let (prompt, label) = prompt_labels::prompt(&conversation);
        let mut stop_sequences = prompt::stops(request);
        stop_sequences.extend(label);
        let body = Body {
            prompt,
            max_tokens: LIMITS.max_tokens(request, target),
            temperature: prompt::temperature(request),
            top_p: request.sampling.top_p,
            stop_sequences,
        };
        let rules = TextRules::behind(&conversation, Lead::WhiteSpace);
        prompt::encoded(request, &body, rules)
    }

    fn read(json: &[u8]) -> Result<GeneratedText<'_>, DecodeError> {
        let body: Completions<'_> = serde_json::from_slice(json)?;
        let Some(one) = body.completions.into_iter().next() else {
            return Ok(GeneratedText::default());
        };
        let reason = one.finish_reason.and_then(|finish| finish.reason);
        Ok(GeneratedText {
            text: one.data.and_then(|data| data.text),
            reason,
            ..GeneratedText::default()
        })
    }
}
