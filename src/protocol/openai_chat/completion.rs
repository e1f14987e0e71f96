//! The body of a whole answer.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::{ChatReply, ToolStyle};
use crate::chat::{AnswerHead, Completion, FinishReason, Thought, ToolCall, Usage};
use crate::json;
use crate::protocol::openai::free_text::free_text;
use crate::wire::openai::{self as wire, FunctionCall};

/// Most bytes by which an answer is usually longer than its text.
const ROOM: usize = 1024;

/// Prefix of the ids of answers.
pub(super) const ID_PREFIX: &str = "chatcmpl-";

/// The JSON body of a `chat.completion`.
pub(super) fn body(answer: &Completion, head: &AnswerHead, reply: &ChatReply) -> Vec<u8> {
    let style = reply.tool_style;
    let (tool_calls, function_call) = match style {
        ToolStyle::ToolCalls => (answer.tool_calls.as_slice(), None),
        ToolStyle::FunctionCall => (&[][..], answer.tool_calls.first()),
    };
    let thoughts = answer.thoughts.iter().filter(|_| reply.reasoning);
    let thoughts = thoughts.map(ThinkingBlock);
    let body = Body {
        id: &[ID_PREFIX, &head.id].concat(),
        object: "chat.completion",
        created: head.created,
        model: &head.model,
        choices: [Choice {
            index: 0,
            message: Message {
                role: "assistant",
                content: answer.content.as_deref(),
                refusal: None,
                reasoning_content: reasoning_content(answer).filter(|_| reply.reasoning),
                thinking_blocks: thoughts.collect(),
                tool_calls: tool_calls.iter().map(|own| called(own, reply)).collect(),
                function_call: function_call.map(function),
                annotations: [],
            },
            logprobs: None,
            finish_reason: finish_reason(answer.finish_reason, style),
        }],
        usage: UsageBody(answer.usage),
        service_tier: answer
            .service_tier
            .as_deref()
            .or(head.service_tier.as_deref()),
    };
    // Strings and numbers always serialise.
    let text = answer.content.as_deref().map_or(0, str::len);
    json::to_vec(&body, text + ROOM).unwrap_or_default()
}

fn reasoning_content(answer: &Completion) -> Option<String> {
    let thoughts = answer.thoughts.iter().map(|thought| match thought {
        Thought::Thinking { thinking, .. } => thinking.as_str(),
        Thought::RedactedThinking { .. } => "",
    });
    let reasoning: String = answer
        .reasoning
        .as_deref()
        .into_iter()
        .chain(thoughts)
        .collect();
    (!reasoning.is_empty()).then_some(reasoning)
}

/// OpenAI's word for why an answer ended: <https://platform.openai.com/docs/api-reference/chat/object>.
pub(super) fn finish_reason(reason: FinishReason, style: ToolStyle) -> &'static str {
    match (reason, style) {
        (FinishReason::Stop | FinishReason::StopText, _) => "stop",
        (FinishReason::Length, _) => "length",
        (FinishReason::ContentFilter, _) => "content_filter",
        (FinishReason::ToolCalls, ToolStyle::ToolCalls) => "tool_calls",
        (FinishReason::ToolCalls, ToolStyle::FunctionCall) => "function_call",
    }
}

#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: [Choice<'a>; 1],
    usage: UsageBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    message: Message<'a>,
    logprobs: Option<()>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<&'a str>,
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    thinking_blocks: Vec<ThinkingBlock<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Called<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<FunctionCall<'a>>,
    annotations: [(); 0],
}

/// A tool call as the client gets it.
#[derive(Serialize)]
#[serde(untagged)]
enum Called<'a> {
    Function(wire::ToolCall<'a>),
    Custom {
        id: &'a str,
        #[serde(rename = "type")]
        kind: &'static str,
        custom: CustomCall<'a>,
    },
}

#[derive(Serialize)]
struct CustomCall<'a> {
    name: &'a str,
    input: Cow<'a, str>,
}

fn called<'a>(call: &'a ToolCall, reply: &ChatReply) -> Called<'a> {
    if reply.takes_free_text(&call.name) {
        return Called::Custom {
            id: &call.id,
            kind: "custom",
            custom: CustomCall {
                name: &call.name,
                input: free_text(&call.arguments),
            },
        };
    }
    Called::Function(wire::ToolCall::new(&call.id, function(call)))
}

fn function(call: &ToolCall) -> FunctionCall<'_> {
    FunctionCall {
        name: Cow::Borrowed(&call.name),
        arguments: &call.arguments,
    }
}

/// A thought in an extension of OpenAI's format, which clients send back unchanged.
pub(super) struct ThinkingBlock<'a>(pub(super) &'a Thought);

impl Serialize for ThinkingBlock<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        enum Block<'a> {
            Thinking {
                thinking: &'a str,
                signature: &'a str,
            },
            RedactedThinking {
                data: &'a str,
            },
        }
        let block = match self.0 {
            Thought::Thinking {
                thinking,
                signature,
            } => Block::Thinking {
                thinking,
                signature,
            },
            Thought::RedactedThinking { data } => Block::RedactedThinking { data },
        };
        block.serialize(serializer)
    }
}

/// Token counts; OpenAI counts cached tokens as part of the prompt.
pub(super) struct UsageBody(pub(super) Usage);

impl Serialize for UsageBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Body {
            prompt_tokens: u64,
            completion_tokens: u64,
            total_tokens: u64,
            prompt_tokens_details: PromptDetails,
            completion_tokens_details: CompletionDetails,
        }

        #[derive(Serialize)]
        struct PromptDetails {
            cached_tokens: u64,
            cache_write_tokens: u64,
        }

        #[derive(Serialize)]
        struct CompletionDetails {
            reasoning_tokens: u64,
        }

        let usage = self.0;
        Body {
            prompt_tokens: usage.prompt(),
            completion_tokens: usage.output,
            total_tokens: usage.prompt() + usage.output,
            prompt_tokens_details: PromptDetails {
                cached_tokens: usage.cache_read,
                cache_write_tokens: usage.cache_write,
            },
            completion_tokens_details: CompletionDetails {
                reasoning_tokens: usage.reasoning,
            },
        }
        .serialize(serializer)
    }
}
