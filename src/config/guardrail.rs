//! A Bedrock guardrail and how much of its work is shown.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A guardrail that Bedrock applies to prompts and answers.
///
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-invoke-converse.html>
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Guardrail {
    /// Id or ARN.
    pub identifier: String,
    /// A number, or `DRAFT`.
    pub version: String,
    /// How much of the assessment Bedrock reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<GuardrailTrace>,
}

/// How much of a guardrail's assessment Bedrock reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardrailTrace {
    /// Interventions.
    Enabled,
    /// Nothing.
    Disabled,
    /// Everything that was assessed.
    EnabledFull,
}

impl GuardrailTrace {
    /// The name in Converse's body; headers have it in upper case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::EnabledFull => "enabled_full",
        }
    }
}

impl FromStr for GuardrailTrace {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "enabled" => Ok(Self::Enabled),
            "disabled" => Ok(Self::Disabled),
            "enabled_full" => Ok(Self::EnabledFull),
            _ => Err(()),
        }
    }
}

impl Guardrail {
    /// Checks identifier and version by the patterns of the InvokeModel reference.
    ///
    /// # Errors
    ///
    /// The name of the field, in Converse's spelling, and what is wrong with it.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let id = &self.identifier;
        let plain = |id: &str| {
            id.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        let arn = id.starts_with("arn:aws")
            && id.contains(":guardrail/")
            && id.bytes().all(|b| b.is_ascii_graphic());
        if id.is_empty() || id.len() > 2048 || !(plain(id) || arn) {
            return Err(("guardrailIdentifier", "must be a guardrail's id or ARN"));
        }
        let number = self.version.len() <= 8
            && !self.version.starts_with('0')
            && self.version.bytes().all(|b| b.is_ascii_digit());
        if self.version.is_empty() || !(number || self.version == "DRAFT") {
            return Err(("guardrailVersion", "must be a number or DRAFT"));
        }
        Ok(())
    }
}
