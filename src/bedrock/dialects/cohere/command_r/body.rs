//! The request body, field by field; nothing that is not listed here ever reaches Bedrock.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::json::Text;

#[derive(Serialize)]
pub(super) struct Body<'a> {
    pub(super) message: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) preamble: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) chat_history: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) k: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) frequency_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) presence_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seed: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) stop_sequences: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tool_results: Vec<ToolResult<'a>>,
}

#[derive(Serialize)]
pub(super) struct Entry<'a> {
    /// `USER` or `CHATBOT`.
    pub(super) role: &'static str,
    pub(super) message: Text<'a>,
}

#[derive(Serialize)]
pub(super) struct Tool<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) description: Cow<'a, str>,
    pub(super) parameter_definitions: Parameters,
}

/// Parameters by name, in the order of the schema.
pub(super) struct Parameters(pub(super) Vec<(String, Parameter)>);

#[derive(Serialize)]
pub(super) struct Parameter {
    pub(super) description: String,
    /// Name of a Python type.
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) required: bool,
}

#[derive(Serialize)]
pub(super) struct ToolResult<'a> {
    pub(super) call: Call<'a>,
    pub(super) outputs: [Output<'a>; 1],
}

#[derive(Serialize)]
pub(super) struct Call<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) parameters: &'a RawValue,
}

#[derive(Serialize)]
pub(super) struct Output<'a> {
    pub(super) text: Text<'a>,
}

impl Serialize for Parameters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, parameter)| (name, parameter)))
    }
}
