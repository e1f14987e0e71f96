//! The request body, field by field; nothing that is not listed here ever reaches Bedrock.
//!
//! Unions have exactly one key, which serde's enums write.

use std::borrow::Cow;

use serde::Serialize;

use crate::bedrock::shared::converse_blocks::{CachePoint, Source, ToolSpec, ToolUse};
use crate::json::Text;

/// The only version of the body.
pub(super) const SCHEMA_VERSION: &str = "messages-v1";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body<'a> {
    pub(super) schema_version: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) system: Vec<Content<'a>>,
    pub(super) messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "InferenceConfig::is_empty")]
    pub(super) inference_config: InferenceConfig<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_config: Option<ToolConfig<'a>>,
}

#[derive(Serialize)]
pub(super) struct Message<'a> {
    pub(super) role: &'static str,
    pub(super) content: Vec<Content<'a>>,
}

/// A block that may end a cached prefix. On InvokeModel the cache point is a key next to the block's own; only
/// Converse has blocks that are nothing else.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Content<'a> {
    #[serde(flatten)]
    pub(super) block: Block<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_point: Option<CachePoint>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Block<'a> {
    Text(Text<'a>),
    Image(Image<'a>),
    ToolUse(ToolUse<'a>),
    ToolResult(ToolResult<'a>),
}

#[derive(Serialize)]
pub(super) struct Image<'a> {
    /// `png`, `jpeg`, `gif` or `webp`.
    pub(super) format: &'static str,
    pub(super) source: Source<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolResult<'a> {
    pub(super) tool_use_id: Cow<'a, str>,
    pub(super) content: Vec<ResultContent<'a>>,
    pub(super) status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum ResultContent<'a> {
    Text(Text<'a>),
    Image(Image<'a>),
    Json(Empty),
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InferenceConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_k: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) stop_sequences: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_config: Option<ReasoningConfig>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReasoningConfig {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_reasoning_effort: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolConfig<'a> {
    pub(super) tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_choice: Option<ToolChoice<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tool<'a> {
    pub(super) tool_spec: ToolSpec<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum ToolChoice<'a> {
    Auto(Empty),
    Any(Empty),
    Tool(NamedTool<'a>),
}

#[derive(Serialize)]
pub(super) struct NamedTool<'a> {
    pub(super) name: Cow<'a, str>,
}

/// `{}`.
#[derive(Serialize)]
pub(super) struct Empty {}

impl InferenceConfig<'_> {
    fn is_empty(&self) -> bool {
        self.max_tokens.is_none()
            && self.temperature.is_none()
            && self.top_p.is_none()
            && self.top_k.is_none()
            && self.stop_sequences.is_empty()
            && self.reasoning_config.is_none()
    }
}
