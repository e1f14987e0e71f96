//! The body of an answer that is not streamed.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::chat::{AnswerHead, Completion, FinishReason, Thought, ToolCall, Usage};
use crate::json;

/// By how many bytes an answer is usually longer than its text, at most.
const ROOM: usize = 1024;

/// What the ids of answers begin with.
pub(super) const ID_PREFIX: &str = "msg_";

/// The JSON body of a `message`: thoughts, then the text, then calls.
pub(super) fn body(answer: &Completion, head: &AnswerHead) -> Vec<u8> {
    let reasoning = answer.reasoning.as_deref().map(|thinking| Block::Thinking {
        thinking,
        // Reasoning that comes without proof: clients insist on the field.
        signature: "",
    });
    let mut content: Vec<_> = reasoning.into_iter().collect();
    content.extend(answer.thoughts.iter().map(Block::from));
    let text = answer.content.as_deref().filter(|text| !text.is_empty());
    content.extend(text.map(|text| Block::Text { text }));
    content.extend(answer.tool_calls.iter().map(Block::from));
    let body = Body {
        id: &[ID_PREFIX, &head.id].concat(),
        kind: "message",
        role: "assistant",
        model: &head.model,
        content,
        stop_reason: stop_reason(answer.finish_reason, answer.stop_sequence.as_deref()),
        stop_sequence: answer.stop_sequence.as_deref(),
        usage: UsageBody::from(answer.usage),
    };
    let length = text.map_or(0, str::len);
    // Strings and numbers always serialise.
    json::to_vec(&body, length + ROOM).unwrap_or_default()
}

/// Anthropic's word for why an answer ended:
/// <https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons>.
pub(super) fn stop_reason(reason: FinishReason, stop_sequence: Option<&str>) -> &'static str {
    match reason {
        FinishReason::Stop if stop_sequence.is_some() => "stop_sequence",
        FinishReason::Stop => "end_turn",
        FinishReason::Length => "max_tokens",
        FinishReason::ToolCalls => "tool_use",
        FinishReason::ContentFilter => "refusal",
    }
}

#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    role: &'static str,
    model: &'a str,
    content: Vec<Block<'a>>,
    stop_reason: &'static str,
    stop_sequence: Option<&'a str>,
    usage: UsageBody,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Text {
        text: &'a str,
    },
    Thinking {
        thinking: &'a str,
        signature: &'a str,
    },
    RedactedThinking {
        data: &'a str,
    },
    ToolUse {
        id: &'a str,
        name: &'a str,
        input: &'a RawValue,
    },
}

impl<'a> From<&'a Thought> for Block<'a> {
    fn from(thought: &'a Thought) -> Self {
        match thought {
            Thought::Thinking {
                thinking,
                signature,
            } => Self::Thinking {
                thinking,
                signature,
            },
            Thought::RedactedThinking { data } => Self::RedactedThinking { data },
        }
    }
}

impl<'a> From<&'a ToolCall> for Block<'a> {
    fn from(call: &'a ToolCall) -> Self {
        Self::ToolUse {
            id: &call.id,
            name: &call.name,
            // What is no JSON would break the whole answer.
            input: serde_json::from_str(&call.arguments).unwrap_or(RawValue::NULL),
        }
    }
}

/// Token counts; unlike OpenAI's, the input's do not contain cached ones.
#[derive(Clone, Copy, Serialize)]
pub(super) struct UsageBody {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    output_tokens: u64,
}

impl From<Usage> for UsageBody {
    fn from(usage: Usage) -> Self {
        Self {
            input_tokens: usage.input,
            cache_creation_input_tokens: usage.cache_write,
            cache_read_input_tokens: usage.cache_read,
            output_tokens: usage.output,
        }
    }
}
