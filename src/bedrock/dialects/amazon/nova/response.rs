//! Decodes a whole answer.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::bedrock::shared::arguments;
use crate::bedrock::shared::end_reason::{Called, EndReason};
use crate::bedrock::{Answer, DecodeError, ToolNames};
use crate::chat::{Completion, ToolCall, Usage};
use crate::json::Text;

/// Takes the place of reasoning that Nova does not show.
const REDACTED: &str = "[REDACTED]";

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow)]
    output: Output<'a>,
    #[serde(default, rename = "stopReason", borrow)]
    stop_reason: Option<Text<'a>>,
    #[serde(default)]
    usage: Option<UsageBody>,
    #[serde(default, rename = "amazon-bedrock-guardrailAction", borrow)]
    guardrail_action: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Output<'a> {
    #[serde(borrow)]
    message: Message<'a>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(default, borrow)]
    content: Option<Vec<Content<'a>>>,
}

/// A content block; unknown kinds are skipped.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content<'a> {
    #[serde(default, borrow)]
    text: Option<Text<'a>>,
    #[serde(default, borrow)]
    tool_use: Option<ToolUse<'a>>,
    #[serde(default, borrow)]
    reasoning_content: Option<Reasoning<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolUse<'a> {
    #[serde(default, borrow)]
    tool_use_id: Option<Text<'a>>,
    #[serde(default, borrow)]
    name: Option<Text<'a>>,
    #[serde(default, borrow)]
    input: Option<&'a RawValue>,
}

/// Reasoning: wrapped in whole answers, bare in the events of a stream.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reasoning<'a> {
    #[serde(default, borrow)]
    reasoning_text: Option<ReasoningText<'a>>,
    #[serde(default, borrow)]
    text: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct ReasoningText<'a> {
    #[serde(default, borrow)]
    text: Option<Text<'a>>,
}

/// Token counts. Those of the cache have two spellings.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct UsageBody {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_read_input_token_count: Option<u64>,
    cache_write_input_tokens: Option<u64>,
    cache_write_input_token_count: Option<u64>,
}

impl Reasoning<'_> {
    /// The reasoning, if Nova shows it.
    pub(super) fn shown(&self) -> Option<&str> {
        let whole = self.reasoning_text.as_ref();
        let text = whole.and_then(|whole| whole.text.as_deref());
        text.or(self.text.as_deref())
            .filter(|text| !text.is_empty() && *text != REDACTED)
    }
}

impl From<UsageBody> for Usage {
    fn from(body: UsageBody) -> Self {
        let read = body.cache_read_input_tokens;
        let write = body.cache_write_input_tokens;
        Self {
            input: body.input_tokens.unwrap_or(0),
            cache_read: read.or(body.cache_read_input_token_count).unwrap_or(0),
            cache_write: write.or(body.cache_write_input_token_count).unwrap_or(0),
            output: body.output_tokens.unwrap_or(0),
            ..Self::default()
        }
    }
}

pub(super) fn decode(body: &[u8], answer: &Answer) -> Result<Completion, DecodeError> {
    let response: Response<'_> = serde_json::from_slice(body)?;
    let mut completion = Completion::default();
    let mut json = None;
    for block in response.output.message.content.iter().flatten() {
        if let Some(text) = &block.text {
            completion.content.get_or_insert_default().push_str(text);
        }
        if let Some(text) = block.reasoning_content.as_ref().and_then(Reasoning::shown) {
            completion.reasoning.get_or_insert_default().push_str(text);
        }
        match &block.tool_use {
            Some(call) if is_answer(call, &answer.names) => {
                json = Some(answer.names.answer(&arguments(call)).into_owned());
            }
            Some(call) => completion.tool_calls.push(tool_call(call, &answer.names)),
            None => {}
        }
    }
    let usage = response.usage.map(Usage::from);
    completion.usage = usage.or(answer.header_usage).unwrap_or_default();
    let called = Called::when(json.is_none() && !completion.tool_calls.is_empty());
    let mut end = EndReason::default();
    end.guardrail(response.guardrail_action.as_deref());
    end.take(response.stop_reason.as_deref())?;
    end.end(called, &mut completion);
    // Nova sometimes thinks aloud before it calls; that is not part of an answer in JSON.
    completion.content = json.or(completion.content);
    Ok(completion)
}

fn is_answer(call: &ToolUse<'_>, names: &ToolNames) -> bool {
    names.is_answer(call.name.as_deref().unwrap_or_default())
}

fn tool_call(call: &ToolUse<'_>, names: &ToolNames) -> ToolCall {
    let name = call.name.as_deref().unwrap_or_default();
    ToolCall {
        id: call.tool_use_id.as_deref().unwrap_or_default().to_owned(),
        name: names.restore(name).to_owned(),
        arguments: arguments(call),
    }
}

fn arguments(call: &ToolUse<'_>) -> String {
    let input = call.input.map(arguments::arguments).unwrap_or_default();
    match &*input {
        "" => "{}".to_owned(),
        _ => input.into_owned(),
    }
}
