//! What Bedrock adds to a model's own JSON.

use serde::Deserialize;

use crate::bedrock::shared::invocation_metrics::InvocationMetrics;

/// Keys that Bedrock adds to the model's own, in bodies and in the events of a stream.
///
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-invoke-api.html>
#[derive(Debug, Default, Deserialize)]
pub(in crate::bedrock) struct BedrockFields {
    /// Token counts; they come with the last event of a stream.
    #[serde(default, rename = "amazon-bedrock-invocationMetrics")]
    pub(in crate::bedrock) metrics: Option<InvocationMetrics>,
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

impl BedrockFields {
    /// Reads them from a body or event, whatever else it contains.
    ///
    /// # Errors
    ///
    /// When it is not a JSON object.
    pub(in crate::bedrock) fn of(json: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(json)
    }

    /// Whether a guardrail replaced the text of the model or the user.
    pub(in crate::bedrock) fn intervened(&self) -> bool {
        self.guardrail_action == Some(GuardrailAction::Intervened)
    }
}
