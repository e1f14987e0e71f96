//! The body of an answer that is not streamed.

use serde::{Serialize, Serializer};

use crate::json;

/// By how many bytes an answer is usually longer than its text, at most.
const ROOM: usize = 1024;

/// What a model answered, in no family's terms.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completion {
    /// The upstream's own id of the answer, if it has one.
    pub id: Option<String>,
    /// Text of the answer; `None` when there is none.
    pub content: Option<String>,
    /// Reasoning that comes without proof, as open models give it.
    pub reasoning: Option<String>,
    /// Reasoning that must come back unchanged in the next request.
    pub thoughts: Vec<Thought>,
    /// Tools that the model calls.
    pub tool_calls: Vec<ToolCallOut>,
    /// Why the answer ended.
    pub finish_reason: FinishReason,
    /// Token counts.
    pub usage: Usage,
    /// Processing class that was used, from families that tell it in the body.
    pub service_tier: Option<String>,
}

/// A piece of reasoning with the proof that it is the model's own.
///
/// Clients send `thinking_blocks` back as they got them, which makes the round trip stateless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Thought {
    /// A readable thought; some models show only its signature.
    Thinking {
        /// The thought.
        thinking: String,
        /// Its proof.
        signature: String,
    },
    /// An encrypted thought.
    RedactedThinking {
        /// The thought, encrypted.
        data: String,
    },
}

/// A tool call of the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "ToolCallBody")]
pub struct ToolCallOut {
    /// Ties the call to its result.
    pub id: String,
    /// Name of the function, as the client wrote it.
    pub name: String,
    /// A JSON object, as a string.
    pub arguments: String,
}

/// Why an answer ended.
///
/// <https://platform.openai.com/docs/api-reference/chat/object>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model was done, or reached a stop text.
    #[default]
    Stop,
    /// The token limit was reached.
    Length,
    /// The model calls tools.
    ToolCalls,
    /// A filter or the model itself withheld the answer.
    ContentFilter,
    /// What [`Self::ToolCalls`] is called for requests with the old `functions`.
    FunctionCall,
}

/// How the client wants tool calls: as it offered the tools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToolStyle {
    /// `tool_calls`.
    #[default]
    ToolCalls,
    /// The old `function_call`, for requests with `functions`.
    FunctionCall,
}

impl ToolStyle {
    /// The finish reason in the client's terms.
    #[must_use]
    pub(super) fn finish_reason(self, reason: FinishReason) -> FinishReason {
        match (self, reason) {
            (Self::FunctionCall, FinishReason::ToolCalls) => FinishReason::FunctionCall,
            _ => reason,
        }
    }
}

/// Token counts of an exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Input tokens that were neither read from nor written to a cache.
    pub input: u64,
    /// Input tokens read from a cache.
    pub cache_read: u64,
    /// Input tokens written to a cache.
    pub cache_write: u64,
    /// Output tokens, reasoning included.
    pub output: u64,
    /// Output tokens spent on reasoning.
    pub reasoning: u64,
}

impl Usage {
    /// All input tokens: OpenAI counts cached ones too.
    #[must_use]
    pub fn prompt(&self) -> u64 {
        self.input + self.cache_read + self.cache_write
    }
}

impl Completion {
    /// The JSON body.
    #[must_use]
    pub fn body(&self, head: &AnswerHead) -> Vec<u8> {
        let (tool_calls, function_call) = match head.tool_style {
            ToolStyle::ToolCalls => (self.tool_calls.as_slice(), None),
            ToolStyle::FunctionCall => (&[][..], self.tool_calls.first()),
        };
        let body = Body {
            id: &head.id,
            object: "chat.completion",
            created: head.created,
            model: &head.model,
            choices: [Choice {
                index: 0,
                message: MessageBody {
                    role: "assistant",
                    content: self.content.as_deref(),
                    refusal: None,
                    reasoning_content: self.reasoning_content(),
                    thinking_blocks: &self.thoughts,
                    tool_calls,
                    function_call: function_call.map(|call| FunctionBody {
                        name: call.name.clone(),
                        arguments: call.arguments.clone(),
                    }),
                    annotations: [],
                },
                logprobs: None,
                finish_reason: head.tool_style.finish_reason(self.finish_reason),
            }],
            usage: self.usage,
            service_tier: self
                .service_tier
                .as_deref()
                .or(head.service_tier.as_deref()),
        };
        // Strings and numbers always serialise.
        let text = self.content.as_deref().map_or(0, str::len);
        json::to_vec(&body, text + ROOM).unwrap_or_default()
    }

    fn reasoning_content(&self) -> Option<String> {
        let thoughts = self.thoughts.iter().map(|thought| match thought {
            Thought::Thinking { thinking, .. } => thinking.as_str(),
            Thought::RedactedThinking { .. } => "",
        });
        let reasoning: String = self
            .reasoning
            .as_deref()
            .into_iter()
            .chain(thoughts)
            .collect();
        (!reasoning.is_empty()).then_some(reasoning)
    }
}

/// What an answer says about itself.
#[derive(Clone, Debug, Default)]
pub struct AnswerHead {
    /// Id of the answer.
    pub id: String,
    /// Seconds since the epoch.
    pub created: u64,
    /// Name of the model, as the client asked for it.
    pub model: String,
    /// Processing class that Bedrock used, if it says.
    pub service_tier: Option<String>,
    /// How tool calls are written.
    pub tool_style: ToolStyle,
}

#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: [Choice<'a>; 1],
    usage: Usage,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    message: MessageBody<'a>,
    logprobs: Option<()>,
    finish_reason: FinishReason,
}

#[derive(Serialize)]
struct MessageBody<'a> {
    role: &'static str,
    content: Option<&'a str>,
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    thinking_blocks: &'a [Thought],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tool_calls: &'a [ToolCallOut],
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<FunctionBody>,
    annotations: [(); 0],
}

#[derive(Serialize)]
struct ToolCallBody {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    function: FunctionBody,
}

#[derive(Serialize)]
struct FunctionBody {
    name: String,
    arguments: String,
}

impl From<ToolCallOut> for ToolCallBody {
    fn from(call: ToolCallOut) -> Self {
        Self {
            id: call.id,
            kind: "function",
            function: FunctionBody {
                name: call.name,
                arguments: call.arguments,
            },
        }
    }
}

impl Serialize for Usage {
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

        Body {
            prompt_tokens: self.prompt(),
            completion_tokens: self.output,
            total_tokens: self.prompt() + self.output,
            prompt_tokens_details: PromptDetails {
                cached_tokens: self.cache_read,
                cache_write_tokens: self.cache_write,
            },
            completion_tokens_details: CompletionDetails {
                reasoning_tokens: self.reasoning,
            },
        }
        .serialize(serializer)
    }
}
