//! The body of an answer that is not streamed.

use serde::{Serialize, Serializer};

/// What a model answered, in no family's terms.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completion {
    /// The upstream's own id of the answer, if it has one.
    pub id: Option<String>,
    /// Text of the answer; `None` when there is none.
    pub content: Option<String>,
    /// Tools that the model calls.
    pub tool_calls: Vec<ToolCallOut>,
    /// Why the answer ended.
    pub finish_reason: FinishReason,
    /// Token counts.
    pub usage: Usage,
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
    pub fn body(&self, id: &str, created: u64, model: &str) -> Vec<u8> {
        let body = Body {
            id,
            object: "chat.completion",
            created,
            model,
            choices: [Choice {
                index: 0,
                message: MessageBody {
                    role: "assistant",
                    content: self.content.as_deref(),
                    refusal: None,
                    tool_calls: &self.tool_calls,
                    annotations: [],
                },
                logprobs: None,
                finish_reason: self.finish_reason,
            }],
            usage: self.usage,
        };
        // Strings and numbers always serialise.
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: [Choice<'a>; 1],
    usage: Usage,
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
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tool_calls: &'a [ToolCallOut],
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
