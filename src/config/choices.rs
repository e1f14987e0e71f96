//! Names that choose a model: by an order, by weight, or by rules about the request.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// What each name chooses from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct ModelChoices(pub BTreeMap<String, ModelChoice>);

/// What a name chooses from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelChoice {
    /// The first of these models that can serve a request.
    Ordered(Vec<String>),
    /// A choice by weight or by rules.
    Detailed(DetailedChoice),
}

/// A choice by weight or by rules: one of the two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct DetailedChoice {
    /// Models with their shares of the requests; the others take over from one that cannot serve a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weighted: Option<BTreeMap<String, u32>>,
    /// Rules, of which the first that fits decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<Vec<ChoiceRule>>,
    /// What is used if no rule fits.
    #[serde(rename = "else", skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
}

/// A rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ChoiceRule {
    /// The conditions, all of which must hold.
    pub when: When,
    /// A model, or the name of an order or of weights.
    #[serde(rename = "use")]
    pub target: String,
}

/// Conditions on a request; absent ones always hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// The word in brackets with which the client's last message begins, or its header `x-bedrock-tier`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Whether there are images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<bool>,
    /// Whether there are tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<bool>,
    /// Whether the request asks the model to think.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<bool>,
    /// How many tokens the request exceeds, by an estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_tokens_over: Option<u64>,
}

impl ModelChoices {
    /// Whether no name chooses, which need not be said: an older filter does not know the field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl When {
    /// Whether it has no condition.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Serialize for ModelChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Ordered(models) => models.serialize(serializer),
            Self::Detailed(own) => own.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ModelChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ChoiceVisitor)
    }
}

/// Reads either form, so that a fault in one of them has its place.
struct ChoiceVisitor;

impl<'de> Visitor<'de> for ChoiceVisitor {
    type Value = ModelChoice;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of models, or an object with `weighted`, or with `rules` and `else`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<Self::Value, A::Error> {
        Deserialize::deserialize(SeqAccessDeserializer::new(access)).map(ModelChoice::Ordered)
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Self::Value, A::Error> {
        Deserialize::deserialize(MapAccessDeserializer::new(access)).map(ModelChoice::Detailed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PluginConfig;

    const ALL: &str = r#"{"auto":{"rules":[{"when":{"tag":"high"},"use":"smart"},{"when":{"prompt_tokens_over":20000},"use":"long"}],"else":"fast"},"fast":["nova-lite","claude-haiku-4-5"],"mixed":{"weighted":{"nova-lite":3,"nova-pro":1}}}"#;

    #[test]
    fn what_is_written_is_what_was_read() {
        let all: ModelChoices = serde_json::from_str(ALL).unwrap();
        assert_eq!(serde_json::to_string(&all).unwrap(), ALL);
    }

    #[test]
    fn a_fault_has_its_place() {
        for (choices, pointer) in [
            (r#"{"a":5}"#, "/model_choices/a"),
            (r#"{"a":["m",5]}"#, "/model_choices/a/1"),
            (r#"{"a":{"rule":[]}}"#, "/model_choices/a/rule"),
            (
                r#"{"a":{"rules":[{"when":{"image":true},"use":"m"}]}}"#,
                "/model_choices/a/rules/0/when/image",
            ),
            (
                r#"{"a":{"rules":[{"when":{}}]}}"#,
                "/model_choices/a/rules/0",
            ),
        ] {
            let json = format!("{{\"model_choices\":{choices}}}");
            let fault = PluginConfig::from_json(json.as_bytes()).unwrap_err();
            assert_eq!(fault.pointer, pointer, "{fault}");
        }
    }
}
