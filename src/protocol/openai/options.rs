//! Bedrock's own options, which requests of both APIs may have as extensions.

use serde::Deserialize;

use crate::chat::Guardrail;
use crate::json::Text;

/// `{"guardrailIdentifier", "guardrailVersion", "trace"?}`, Converse's names.
///
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_GuardrailConfiguration.html>
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GuardrailConfig<'a> {
    /// Id or ARN of the guardrail.
    #[serde(borrow)]
    pub guardrail_identifier: Text<'a>,
    /// A number, or `DRAFT`.
    #[serde(borrow)]
    pub guardrail_version: Text<'a>,
    /// `enabled`, `disabled` or `enabled_full`.
    #[serde(default, borrow)]
    pub trace: Option<Text<'a>>,
}

/// `{"latency": "standard" | "optimized"}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerformanceConfig<'a> {
    /// `standard` or `optimized`.
    #[serde(borrow)]
    pub latency: Text<'a>,
}

/// The guardrail in the words of the chat vocabulary.
pub(in crate::protocol) fn guardrail(config: GuardrailConfig<'_>) -> Guardrail<'_> {
    Guardrail {
        identifier: config.guardrail_identifier,
        version: config.guardrail_version,
        trace: config.trace,
    }
}
