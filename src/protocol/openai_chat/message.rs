//! Messages of the conversation.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::Text;
use crate::protocol::openai::arguments::Arguments;
use crate::protocol::openai::content::{CacheControl, Content};
use crate::protocol::openai::value::word;

/// One message.
///
/// Flat over all roles; which fields matter follows from `role`. Others are left out: clients send back what
/// they, or a server, wrote into an answer, and OpenAI takes that.
#[derive(Clone, Debug, Deserialize)]
pub struct Message<'a> {
    /// Who speaks.
    #[serde(deserialize_with = "word")]
    pub role: Role,
    /// What is said; `null` or absent where an assistant only calls tools.
    #[serde(default, borrow)]
    pub content: Option<Content<'a>>,
    /// An assistant's refusal of an earlier turn.
    #[serde(default, borrow)]
    pub refusal: Option<Text<'a>>,
    /// Tools that the assistant called.
    #[serde(default, borrow)]
    pub tool_calls: Option<Vec<ToolCall<'a>>>,
    /// Of `tool` messages: the call that this is the result of.
    #[serde(default, borrow)]
    pub tool_call_id: Option<Text<'a>>,
    /// Of old assistant messages: the function that was called.
    #[serde(default, borrow)]
    pub function_call: Option<FunctionCall<'a>>,
    /// Of `function` messages: the function that this is the result of.
    #[serde(default, borrow)]
    pub name: Option<Text<'a>>,
    /// What an assistant thought before it answered, as we sent it: signed blocks come back
    /// unchanged.
    #[serde(default, borrow)]
    pub thinking_blocks: Option<Vec<ThinkingBlock<'a>>>,
    /// Extension: ends a prefix of the request that the model may cache.
    #[serde(default)]
    pub cache_control: Option<CacheControl>,
}

/// A piece of the model's thinking: `{"type": "thinking", "thinking", "signature"}` or
/// `{"type": "redacted_thinking", "data"}`.
#[derive(Clone, Debug, Deserialize)]
pub struct ThinkingBlock<'a> {
    /// `thinking` or `redacted_thinking`.
    #[serde(rename = "type", borrow)]
    pub kind: Text<'a>,
    /// The thought; may be empty where only the signature matters.
    #[serde(default, borrow)]
    pub thinking: Option<Text<'a>>,
    /// Proves that the model thought it.
    #[serde(default, borrow)]
    pub signature: Option<Text<'a>>,
    /// An encrypted thought.
    #[serde(default, borrow)]
    pub data: Option<Text<'a>>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Instructions.
    System,
    /// Instructions, in newer requests.
    Developer,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// The result of a tool call.
    Tool,
    /// The result of a function call, in old requests.
    Function,
}

/// A tool call of an earlier turn.
#[derive(Clone, Debug, Deserialize)]
pub struct ToolCall<'a> {
    /// Ties the call to its result.
    #[serde(borrow)]
    pub id: Text<'a>,
    /// Name and arguments of a function.
    #[serde(default, borrow)]
    pub function: Option<FunctionCall<'a>>,
    /// Name and free text of a custom tool.
    #[serde(default, borrow)]
    pub custom: Option<CustomCall<'a>>,
}

/// Name and free text of a call.
#[derive(Clone, Debug, Deserialize)]
pub struct CustomCall<'a> {
    /// Name of the tool.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// The text, as JSON.
    #[serde(borrow)]
    pub input: &'a RawValue,
}

/// Name and arguments of a call.
#[derive(Clone, Debug, Deserialize)]
pub struct FunctionCall<'a> {
    /// Name of the function.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// A JSON object, as a string.
    #[serde(default, borrow)]
    pub arguments: Option<Arguments<'a>>,
}
