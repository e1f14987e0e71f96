//! Pieces of Converse's body that Nova's own body has too.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html>

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use super::base64::Base64;

/// The bytes of an image or a document.
#[derive(Serialize)]
pub(in crate::bedrock) struct Source<'a> {
    pub(in crate::bedrock) bytes: Base64<'a>,
}

/// A tool call of an earlier turn.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::bedrock) struct ToolUse<'a> {
    pub(in crate::bedrock) tool_use_id: Cow<'a, str>,
    pub(in crate::bedrock) name: Cow<'a, str>,
    pub(in crate::bedrock) input: &'a RawValue,
}

/// A tool that the model may call.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::bedrock) struct ToolSpec<'a> {
    pub(in crate::bedrock) name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::bedrock) description: Option<Cow<'a, str>>,
    pub(in crate::bedrock) input_schema: InputSchema<'a>,
    /// Whether arguments have to fit the schema exactly; Nova's body does not have it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::bedrock) strict: bool,
}

/// The schema of a tool's arguments.
#[derive(Serialize)]
pub(in crate::bedrock) struct InputSchema<'a> {
    pub(in crate::bedrock) json: Cow<'a, RawValue>,
}

/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CachePointBlock.html>
#[derive(Serialize)]
pub(in crate::bedrock) struct CachePoint {
    #[serde(rename = "type")]
    pub(in crate::bedrock) kind: &'static str,
    /// How long to cache; Nova's body does not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::bedrock) ttl: Option<&'static str>,
}
