//! What Bedrock adds to a model's own JSON.

use serde::Deserialize;

use crate::openai::Usage;

/// Keys that Bedrock writes next to the model's own, in bodies and in the events of a stream.
///
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-invoke-api.html>
#[derive(Debug, Default, Deserialize)]
pub(super) struct Additions {
    /// Token counts; they come with the last event of a stream.
    #[serde(default, rename = "amazon-bedrock-invocationMetrics")]
    pub(super) metrics: Option<Metrics>,
    #[serde(default, rename = "amazon-bedrock-guardrailAction")]
    guardrail_action: Option<GuardrailAction>,
}

/// Tokens as Bedrock counts them.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Metrics {
    input_token_count: u64,
    output_token_count: u64,
    cache_read_input_token_count: u64,
    cache_write_input_token_count: u64,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
enum GuardrailAction {
    #[serde(rename = "INTERVENED")]
    Intervened,
    #[serde(other)]
    None,
}

impl Additions {
    /// Reads them from a body or event, whatever else it contains.
    ///
    /// # Errors
    ///
    /// When it is no JSON object.
    pub(super) fn of(json: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(json)
    }

    /// Whether a guardrail replaced what the model or the user said.
    pub(super) fn intervened(&self) -> bool {
        self.guardrail_action == Some(GuardrailAction::Intervened)
    }
}

impl From<Metrics> for Usage {
    fn from(metrics: Metrics) -> Self {
        Self {
            input: metrics.input_token_count,
            cache_read: metrics.cache_read_input_token_count,
            cache_write: metrics.cache_write_input_token_count,
            output: metrics.output_token_count,
            reasoning: 0,
        }
    }
}
