//! Pieces of OpenAI's chat format that both sides write: clients get them, and so do the families whose bodies are
//! like OpenAI's.
//!
//! <https://platform.openai.com/docs/api-reference/chat>

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::json::Text;

/// The type of all tools and their calls.
const FUNCTION: &str = "function";

/// Content of a message; `U` is the type of an image's URL.
///
/// A plain string wherever there is only text, because not everybody reads parts.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Content<'a, U> {
    Text(Text<'a>),
    Parts(Vec<Part<'a, U>>),
}

/// A part of a message's content.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Part<'a, U> {
    Text { text: Text<'a> },
    ImageUrl { image_url: ImageUrl<U> },
}

#[derive(Serialize)]
pub(crate) struct ImageUrl<U> {
    url: U,
}

/// A tool call.
#[derive(Serialize)]
pub(crate) struct ToolCall<'a> {
    id: Cow<'a, str>,
    #[serde(rename = "type")]
    kind: &'static str,
    function: FunctionCall<'a>,
}

/// Name and arguments of a call.
#[derive(Serialize)]
pub(crate) struct FunctionCall<'a> {
    pub(crate) name: Cow<'a, str>,
    /// A JSON object, as a string.
    pub(crate) arguments: &'a str,
}

/// A tool that may be called.
#[derive(Serialize)]
pub(crate) struct Tool<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    function: Function<'a>,
}

/// The function behind a tool.
#[derive(Serialize)]
pub(crate) struct Function<'a> {
    pub(crate) name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<Cow<'a, str>>,
    pub(crate) parameters: Cow<'a, RawValue>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) strict: bool,
}

impl<U> Part<'_, U> {
    /// An image.
    pub(crate) fn image(url: U) -> Self {
        Self::ImageUrl {
            image_url: ImageUrl { url },
        }
    }
}

impl<'a> ToolCall<'a> {
    pub(crate) fn new(id: impl Into<Cow<'a, str>>, function: FunctionCall<'a>) -> Self {
        Self {
            id: id.into(),
            kind: FUNCTION,
            function,
        }
    }
}

impl<'a> From<Function<'a>> for Tool<'a> {
    fn from(function: Function<'a>) -> Self {
        Self {
            kind: FUNCTION,
            function,
        }
    }
}
