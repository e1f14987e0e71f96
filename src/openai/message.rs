//! Messages of the conversation.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Content, Text};

/// One message.
///
/// Flat over all roles; which fields matter follows from `role`. The fields that start with `_`
/// are what servers put into answers and clients send back; they carry nothing for the model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message<'a> {
    /// Who speaks.
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
    /// Of old assistant messages; refused when set.
    #[serde(default)]
    pub function_call: Option<IgnoredAny>,
    #[serde(default, rename = "name")]
    _name: Option<IgnoredAny>,
    #[serde(default, rename = "audio")]
    _audio: Option<IgnoredAny>,
    #[serde(default, rename = "annotations")]
    _annotations: Option<IgnoredAny>,
    #[serde(default, rename = "reasoning_content")]
    _reasoning_content: Option<IgnoredAny>,
    #[serde(default, rename = "reasoning")]
    _reasoning: Option<IgnoredAny>,
    #[serde(default, rename = "provider_specific_fields")]
    _provider_specific_fields: Option<IgnoredAny>,
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
    /// Name and arguments.
    #[serde(borrow)]
    pub function: FunctionCall<'a>,
}

/// Name and arguments of a call.
#[derive(Clone, Debug, Deserialize)]
pub struct FunctionCall<'a> {
    /// Name of the function.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// A JSON object, as a string.
    #[serde(default, borrow)]
    pub arguments: Option<Text<'a>>,
}
