//! Decodes a whole answer.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::bedrock::shared::end_reason::{Called, EndReason};
use crate::bedrock::{DecodeError, ToolNames};
use crate::chat::{Completion, Thought, ToolCall, Usage};
use crate::json::Text;

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(default)]
    id: Option<String>,
    #[serde(borrow)]
    content: Vec<Content<'a>>,
    #[serde(default, borrow)]
    stop_reason: Option<Text<'a>>,
    #[serde(default)]
    stop_sequence: Option<String>,
    #[serde(default)]
    usage: UsageBody,
    #[serde(default, rename = "amazon-bedrock-guardrailAction", borrow)]
    guardrail_action: Option<Text<'a>>,
}

/// A content block, flat over all types; unknown types are skipped.
#[derive(Deserialize)]
struct Content<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    #[serde(default, borrow)]
    text: Option<Text<'a>>,
    #[serde(default, borrow)]
    id: Option<Text<'a>>,
    #[serde(default, borrow)]
    name: Option<Text<'a>>,
    #[serde(default, borrow)]
    input: Option<&'a RawValue>,
    #[serde(default, borrow)]
    thinking: Option<Text<'a>>,
    #[serde(default, borrow)]
    signature: Option<Text<'a>>,
    #[serde(default, borrow)]
    data: Option<Text<'a>>,
}

/// Token counts, in answers and in the events of a stream.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct UsageBody {
    input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
    output_tokens: Option<u64>,
    output_tokens_details: Option<OutputDetails>,
}

/// How long what was written to a cache is kept.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct CacheCreation {
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    thinking_tokens: Option<u64>,
}

impl UsageBody {
    /// Overwrites the counts in `usage` with those that are present: they are totals, not increments.
    pub(super) fn apply(self, usage: &mut Usage) {
        let reasoning = self.output_tokens_details.and_then(|d| d.thinking_tokens);
        let hour = self
            .cache_creation
            .and_then(|own| own.ephemeral_1h_input_tokens);
        for (count, field) in [
            (self.input_tokens, &mut usage.input),
            (self.cache_read_input_tokens, &mut usage.cache_read),
            (self.cache_creation_input_tokens, &mut usage.cache_write),
            (hour, &mut usage.cache_write_1h),
            (self.output_tokens, &mut usage.output),
            (reasoning, &mut usage.reasoning),
        ] {
            *field = count.unwrap_or(*field);
        }
    }
}

pub(super) fn decode(body: &[u8], names: &ToolNames) -> Result<Completion, DecodeError> {
    let answer: Answer<'_> = serde_json::from_slice(body)?;
    let mut completion = Completion {
        id: answer.id,
        stop_sequence: answer.stop_sequence,
        ..Completion::default()
    };
    let mut answered = false;
    for block in &answer.content {
        match &*block.kind {
            "text" => {
                let text = block.text.as_deref().unwrap_or_default();
                completion.content.get_or_insert_default().push_str(text);
            }
            "tool_use" if names.is_answer(block.name.as_deref().unwrap_or_default()) => {
                let answer = block.input.map_or("{}", RawValue::get);
                completion.content = Some(names.answer(answer).into_owned());
                answered = true;
            }
            "tool_use" => completion.tool_calls.push(tool_call(block, names)),
            kind => completion.thoughts.extend(thought(kind, block)),
        }
    }
    answer.usage.apply(&mut completion.usage);
    let mut end = EndReason::default();
    end.guardrail(answer.guardrail_action.as_deref());
    end.take(answer.stop_reason.as_deref())?;
    let called = Called::when(!answered && !completion.tool_calls.is_empty());
    end.end(called, &mut completion);
    Ok(completion)
}

fn thought(kind: &str, block: &Content<'_>) -> Option<Thought> {
    let owned = |text: &Option<Text<'_>>| text.as_deref().unwrap_or_default().to_owned();
    match kind {
        "thinking" => Some(Thought::Thinking {
            thinking: owned(&block.thinking),
            signature: owned(&block.signature),
        }),
        "redacted_thinking" => Some(Thought::RedactedThinking {
            data: owned(&block.data),
        }),
        _ => None,
    }
}

fn tool_call(block: &Content<'_>, names: &ToolNames) -> ToolCall {
    let name = block.name.as_deref().unwrap_or_default();
    ToolCall {
        id: block.id.as_deref().unwrap_or_default().to_owned(),
        name: names.restore(name).to_owned(),
        arguments: block.input.map_or("{}", RawValue::get).to_owned(),
    }
}
