//! The body of an answer that is not streamed.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::chat::{AnswerHead, Completion, FinishReason, Thought, ToolCall, Usage, object_of};
use crate::json;

/// How many bytes an answer usually has besides its text, at most.
const ROOM: usize = 1024;

/// What the ids of answers begin with.
pub(super) const ID_PREFIX: &str = "msg_";

/// The JSON body of a `message`: thoughts, then the text, then calls. `only_stop` is the client's stop text, if it has
/// one alone.
pub(super) fn body(answer: &Completion, head: &AnswerHead, only_stop: Option<&str>) -> Vec<u8> {
    let reasoning = answer.reasoning.as_deref().map(|thinking| Block::Thinking {
        thinking,
        // Reasoning that comes without proof: clients insist on the field.
        signature: "",
    });
    let mut content: Vec<_> = reasoning.into_iter().collect();
    content.extend(answer.thoughts.iter().map(Block::from));
    let text = answer.content.as_deref().filter(|text| !text.is_empty());
    content.extend(text.map(|text| Block::Text { text }));
    for (index, call) in (0..).skip(content.len()).zip(&answer.tool_calls) {
        content.push(Block::call(call, &head.id, index));
    }
    let stop = answer.stop_sequence.as_deref().or(only_stop);
    let ending = Ending::of(answer.finish_reason, stop);
    let body = Body {
        id: &[ID_PREFIX, &head.id].concat(),
        kind: "message",
        role: "assistant",
        model: &head.model,
        content,
        stop_reason: ending.stop_reason,
        stop_sequence: ending.stop_sequence,
        usage: UsageBody::from(answer.usage),
    };
    let length = text.map_or(0, str::len);
    // Strings and numbers always serialise.
    json::to_vec(&body, length + ROOM).unwrap_or_default()
}

/// Whether a text has only the characters that Anthropic's ids and names may have.
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_in_tokens)
}

fn is_in_tokens(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// The id of a call in an answer: the model's own, unless clients could not send that to Anthropic's API. Then it is
/// made of the answer's id and the place of the call among its blocks, so that no two of a conversation are the same.
pub(super) fn call_id<'a>(own: &'a str, answer: &str, index: u32) -> Cow<'a, str> {
    if is_token(own) {
        return Cow::Borrowed(own);
    }
    let answer = answer.bytes().filter(|byte| is_in_tokens(*byte));
    let answer: String = answer.map(char::from).collect();
    format!("toolu_{answer}_{index}").into()
}

/// Why an answer ended, in Anthropic's words:
/// <https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons>.
#[derive(Serialize)]
pub(super) struct Ending<'a> {
    stop_reason: &'static str,
    stop_sequence: Option<&'a str>,
}

impl<'a> Ending<'a> {
    /// The stop text counts only if the answer ended at one.
    pub(super) fn of(reason: FinishReason, stop_sequence: Option<&'a str>) -> Self {
        let stop_reason = match reason {
            FinishReason::Stop => "end_turn",
            FinishReason::StopText => "stop_sequence",
            FinishReason::Length => "max_tokens",
            FinishReason::ToolCalls => "tool_use",
            FinishReason::ContentFilter => "refusal",
        };
        Self {
            stop_reason,
            stop_sequence: stop_sequence.filter(|_| reason == FinishReason::StopText),
        }
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
        id: Cow<'a, str>,
        name: &'a str,
        input: Cow<'a, RawValue>,
    },
}

/// The input of a call, which is an object whatever the model wrote.
pub(super) fn input(arguments: &str) -> Cow<'_, RawValue> {
    let object = object_of(arguments.into());
    object.unwrap_or(Cow::Borrowed(RawValue::NULL))
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

impl<'a> Block<'a> {
    /// A call in an answer with this id, behind so many other blocks.
    fn call(call: &'a ToolCall, answer: &str, index: u32) -> Self {
        Self::ToolUse {
            id: call_id(&call.id, answer, index),
            name: &call.name,
            input: input(&call.arguments),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_anthropic_would_refuse_are_replaced_and_stay_apart() {
        for (own, index, id) in [
            ("call_A-1", 0, "call_A-1"),
            ("functions.now:0", 0, "toolu_1a-2_0"),
            ("functions.now:0", 1, "toolu_1a-2_1"),
            ("", 2, "toolu_1a-2_2"),
            ("é", 3, "toolu_1a-2_3"),
        ] {
            assert_eq!(call_id(own, "1a-2", index), id);
        }
        assert_eq!(call_id("a b", "é.x", 0), "toolu_x_0");
    }
}
