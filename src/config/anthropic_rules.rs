//! What of Anthropic's Messages API goes on to Bedrock as the client wrote it, beside what the filter knows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Exceptions to the filter's own lists, for what clients or Bedrock have learned since it was made.
///
/// Names end in `*` where all that begin so are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AnthropicRules {
    /// Members of the request.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Rule>,
    /// Beta features; `refuse` is the same as `drop`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub betas: BTreeMap<String, Rule>,
    /// Tools, by their `type`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tools: BTreeMap<String, Rule>,
    /// Blocks of content, by their `type`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub content: BTreeMap<String, Rule>,
    /// Whether the text by which some clients say who they are stays in the system prompt.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub keep_attribution: bool,
}

/// What becomes of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// It goes on as it is.
    Pass,
    /// It is left out.
    Drop,
    /// The request is refused, by the name of what is at fault.
    Refuse,
}

impl AnthropicRules {
    /// Whether there are no exceptions. Then the field is left out, because older filters do not know it.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
