//! Decodes a whole answer.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::Error as _;
use serde_json::value::RawValue;

use crate::bedrock::shared::arguments::arguments;
use crate::bedrock::shared::end_reason::{Called, EndReason};
use crate::bedrock::{Answer, DecodeError, ToolNames};
use crate::chat::{self, Completion, Usage};
use crate::json::Text;

/// A whole answer; the last event of a stream has it too.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Response<'a> {
    #[serde(borrow)]
    response_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) text: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) finish_reason: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) tool_calls: Option<Vec<ToolCall<'a>>>,
    meta: Option<Meta>,
    #[serde(rename = "amazon-bedrock-guardrailAction", borrow)]
    guardrail_action: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct ToolCall<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(default, borrow)]
    parameters: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default)]
    tokens: Option<Tokens>,
}

#[derive(Clone, Copy, Deserialize)]
struct Tokens {
    #[serde(default)]
    input_tokens: Option<f64>,
    #[serde(default)]
    output_tokens: Option<f64>,
}

impl Response<'_> {
    /// The model's own token counts; most answers on Bedrock have none.
    pub(super) fn usage(&self) -> Option<Usage> {
        let tokens = self.meta.as_ref()?.tokens?;
        Some(Usage {
            input: count(tokens.input_tokens?),
            output: count(tokens.output_tokens?),
            ..Usage::default()
        })
    }

    fn is_empty(&self) -> bool {
        self.text.is_none() && self.tool_calls.is_none() && self.finish_reason.is_none()
    }
}

/// Cohere writes counts as decimal numbers.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts of floats saturate, and counts are small"
)]
fn count(tokens: f64) -> u64 {
    tokens as u64
}

impl ToolCall<'_> {
    /// The arguments, a JSON object; empty if there are none.
    pub(super) fn arguments(&self) -> Cow<'_, str> {
        self.parameters.map(arguments).unwrap_or_default()
    }

    fn out(&self, id: String, names: &ToolNames) -> chat::ToolCall {
        chat::ToolCall {
            id,
            name: names.restore(&self.name).to_owned(),
            arguments: self.arguments().into_owned(),
        }
    }
}

/// An id for a call, unique in the conversation: Cohere's calls have none.
pub(super) fn call_id(earlier_calls: u32, index: u32) -> String {
    format!("call_{}", earlier_calls.saturating_add(index))
}

pub(super) fn decode(body: &[u8], answer: &Answer) -> Result<Completion, DecodeError> {
    let response: Response<'_> = serde_json::from_slice(body)?;
    if response.is_empty() {
        return Err(serde_json::Error::custom("no text, calls or finish reason").into());
    }
    let calls = response.tool_calls.as_deref().unwrap_or_default();
    let tool_calls: Vec<_> = (0..)
        .zip(calls)
        .map(|(index, call)| call.out(call_id(answer.earlier_calls, index), &answer.names))
        .collect();
    let mut end = EndReason::default();
    end.guardrail(response.guardrail_action.as_deref());
    end.take(response.finish_reason.as_deref())?;
    let text = response.text.as_deref();
    let text = text.filter(|text| !text.is_empty() || tool_calls.is_empty());
    let mut completion = Completion {
        id: response.response_id.as_deref().map(str::to_owned),
        content: text.map(str::to_owned),
        tool_calls,
        usage: response.usage().or(answer.header_usage).unwrap_or_default(),
        ..Completion::default()
    };
    // Bedrock says COMPLETE even for calls.
    end.end(Called::of(&completion), &mut completion);
    Ok(completion)
}
