//! What is set for a caller's requests, and what they may not use.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::config::{Fault, Guardrail, unique_string_map};

/// Most labels of one request at Bedrock:
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#bedrock-runtime_Converse-request-requestMetadata>.
pub const MAX_REQUEST_LABELS: usize = 16;

/// Longest key and value of such a label, in characters.
pub const MAX_REQUEST_LABEL: usize = 256;

/// What is set for a caller's requests, and what they may not use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallerRules {
    /// Applied to every request, in place of a channel's. A request cannot name another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guardrail: Option<Guardrail>,
    /// The processing class of requests that do not choose one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<ServiceTier>,
    /// Labels of every request in Bedrock's invocation log. A request cannot give them other values.
    #[serde(
        deserialize_with = "unique_string_map",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub request_metadata: BTreeMap<String, String>,
    /// What is refused when a request uses it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub refused: BTreeSet<Feature>,
}

/// A processing class of Bedrock's:
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/service-tiers-inference.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceTier {
    /// The usual one.
    Default,
    /// Slower and cheaper.
    Flex,
    /// Before others.
    Priority,
    /// On reserved capacity.
    Reserved,
}

/// What a request may use besides its texts and images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// Tools that the model may call.
    Tools,
    /// Thinking that is asked for.
    Thinking,
    /// Files, such as PDFs.
    Documents,
    /// Marks of prefixes that the model caches.
    PromptCaching,
}

impl ServiceTier {
    /// Bedrock's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Flex => "flex",
            Self::Priority => "priority",
            Self::Reserved => "reserved",
        }
    }
}

impl Feature {
    /// Every feature.
    pub const ALL: &'static [Self] = &[
        Self::Tools,
        Self::Thinking,
        Self::Documents,
        Self::PromptCaching,
    ];
}

impl CallerRules {
    /// Whether they leave requests as they are.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.guardrail.is_none()
            && self.service_tier.is_none()
            && self.request_metadata.is_empty()
            && self.refused.is_empty()
    }

    /// Faults; pointers are relative to the rules.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let guardrail = self.guardrail.as_ref().and_then(|own| own.check().err());
        let guardrail = guardrail.map(|(field, reason)| {
            let field = match field {
                "guardrailVersion" => "version",
                _ => "identifier",
            };
            Fault::new(format!("/guardrail/{field}"), "invalid_guardrail", reason)
        });
        guardrail.into_iter().chain(self.label_faults()).collect()
    }

    fn label_faults(&self) -> Vec<Fault> {
        const AT: &str = "/request_metadata";
        let mut faults = Vec::new();
        if self.request_metadata.len() > MAX_REQUEST_LABELS {
            let message = format!(
                "has more than {MAX_REQUEST_LABELS} labels, which is all that Bedrock takes"
            );
            faults.push(Fault::new(AT, "too_many_labels", message));
        }
        let is_label = |text: &str| {
            text.chars().count() <= MAX_REQUEST_LABEL && text.chars().all(is_label_character)
        };
        for (key, value) in &self.request_metadata {
            if key.is_empty() || !is_label(key) || !is_label(value) {
                let message = "must have up to 256 letters, digits, blanks and `:_@$#=/+,-.` in key and value, which \
                               is what Bedrock takes, and a key that is not empty";
                let at = format!("{AT}/{}", crate::config::escape_pointer(key));
                faults.push(Fault::new(at, "invalid_label", message));
            }
        }
        faults
    }
}

/// Whether Bedrock takes a character in a label of a request.
#[must_use]
pub fn is_label_character(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || sign == ' ' || ":_@$#=/+,-.".contains(sign)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(rules: &serde_json::Value, expected: &[&str]) {
        let rules: CallerRules = serde_json::from_value(rules.clone()).unwrap();
        let faults = rules.faults();
        let seen: Vec<_> = faults
            .iter()
            .map(|own| format!("{} {}", own.pointer, own.code))
            .collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn rules_that_bedrock_would_refuse_are_faults() {
        check(&json!({}), &[]);
        check(
            &json!({"guardrail": {"identifier": "G", "version": "1"}, "request_metadata": {"": "a", "a/b": "ä"}}),
            &[
                "/guardrail/identifier invalid_guardrail",
                "/request_metadata/ invalid_label",
                "/request_metadata/a~1b invalid_label",
            ],
        );
        check(
            &json!({"guardrail": {"identifier": "g", "version": "x"}}),
            &["/guardrail/version invalid_guardrail"],
        );
        let many: BTreeMap<_, _> = (0..17).map(|index| (format!("k{index}"), "")).collect();
        check(
            &json!({"request_metadata": many}),
            &["/request_metadata too_many_labels"],
        );
    }

    #[test]
    fn rules_that_say_nothing_are_left_out() {
        let rules = CallerRules::default();
        assert!(rules.is_empty());
        assert_eq!(serde_json::to_value(&rules).unwrap(), json!({}));
        let rules = json!({"refused": ["tools", "prompt_caching"], "service_tier": "flex"});
        let read: CallerRules = serde_json::from_value(rules.clone()).unwrap();
        assert!(!read.is_empty());
        assert_eq!(serde_json::to_value(&read).unwrap(), rules);
    }
}
