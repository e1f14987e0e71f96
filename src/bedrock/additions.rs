//! What Bedrock adds to a model's own JSON.

use serde::Deserialize;

use super::metrics::Metrics;

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
