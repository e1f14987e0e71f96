//! Model families, by name and by id.

use serde::{Deserialize, Serialize};

use super::{find, strip_profile};

/// A group of models that InvokeModel serves with the same request and response bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelFamily {
    /// Anthropic Claude, Messages API bodies.
    Anthropic,
    /// Anthropic Claude 2 and Instant, prompts.
    ClaudeText,
    /// Amazon Nova.
    Nova,
    /// Amazon Titan Text.
    TitanText,
    /// Meta Llama 2 chat.
    Llama2,
    /// Meta Llama 3 to 3.3.
    Llama3,
    /// Meta Llama 4.
    Llama4,
    /// Mistral's first models, prompts.
    MistralInstruct,
    /// Mistral Large 2407 and Pixtral, chat bodies.
    MistralChat,
    /// Cohere Command, prompts.
    CohereCommand,
    /// Cohere Command R.
    CohereCommandR,
    /// AI21 Jurassic-2, prompts.
    J2,
    /// AI21 Jamba.
    Jamba,
    /// `DeepSeek` R1, prompts.
    DeepseekR1,
    /// All families with OpenAI-shaped bodies.
    OpenaiChat,
    /// Models that InvokeModel does not serve: called through Converse only.
    Converse,
}

/// Families by the start of a base model id, for models that are not in the catalogue; a more specific start comes
/// before others.
const BY_ID: &[(&str, ModelFamily)] = &[
    ("anthropic.claude-v", ModelFamily::ClaudeText),
    ("anthropic.claude-instant", ModelFamily::ClaudeText),
    ("anthropic.claude-", ModelFamily::Anthropic),
    ("amazon.nova-", ModelFamily::Nova),
    ("amazon.titan-t", ModelFamily::TitanText),
    ("meta.llama2", ModelFamily::Llama2),
    ("meta.llama3", ModelFamily::Llama3),
    ("meta.llama4", ModelFamily::Llama4),
    ("mistral.mistral-7b", ModelFamily::MistralInstruct),
    ("mistral.mixtral", ModelFamily::MistralInstruct),
    ("mistral.mistral-large-2402", ModelFamily::MistralInstruct),
    ("mistral.mistral-small-2402", ModelFamily::MistralInstruct),
    ("mistral.mistral-large-2407", ModelFamily::MistralChat),
    ("mistral.pixtral", ModelFamily::MistralChat),
    ("mistral.", ModelFamily::OpenaiChat),
    ("cohere.command-r", ModelFamily::CohereCommandR),
    ("cohere.command", ModelFamily::CohereCommand),
    ("ai21.jamba", ModelFamily::Jamba),
    ("ai21.j2", ModelFamily::J2),
    ("deepseek.r1", ModelFamily::DeepseekR1),
    ("deepseek.", ModelFamily::OpenaiChat),
    ("openai.", ModelFamily::OpenaiChat),
    ("qwen.", ModelFamily::OpenaiChat),
    ("minimax.", ModelFamily::OpenaiChat),
    ("moonshot", ModelFamily::OpenaiChat),
    ("zai.", ModelFamily::OpenaiChat),
    ("google.gemma", ModelFamily::OpenaiChat),
    ("nvidia.", ModelFamily::OpenaiChat),
    ("xai.", ModelFamily::OpenaiChat),
    ("writer.", ModelFamily::Converse),
    ("twelvelabs.pegasus", ModelFamily::Converse),
];

impl ModelFamily {
    /// Every family.
    pub const ALL: &'static [Self] = &[
        Self::Anthropic,
        Self::ClaudeText,
        Self::Nova,
        Self::TitanText,
        Self::Llama2,
        Self::Llama3,
        Self::Llama4,
        Self::MistralInstruct,
        Self::MistralChat,
        Self::CohereCommand,
        Self::CohereCommandR,
        Self::J2,
        Self::Jamba,
        Self::DeepseekR1,
        Self::OpenaiChat,
        Self::Converse,
    ];

    /// The family of a base model id or inference profile id: from the catalogue, or else from the vendor.
    #[must_use]
    pub fn of_model_id(id: &str) -> Option<Self> {
        if let Some(model) = find(id) {
            return Some(model.family);
        }
        let id = strip_profile(id);
        BY_ID
            .iter()
            .find(|(start, _)| id.starts_with(start))
            .map(|(_, family)| *family)
    }

    /// Its name in a channel's `model_families`.
    #[must_use]
    pub fn name(self) -> String {
        let name = serde_json::to_value(self).ok();
        let name = name.as_ref().and_then(serde_json::Value::as_str);
        name.unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::models;

    #[test]
    fn the_vendor_rule_agrees_with_the_catalogue() {
        for model in models() {
            let by_id = BY_ID.iter().find(|(start, _)| model.id.starts_with(start));
            let family = by_id.map(|(_, family)| *family);
            assert_eq!(family, Some(model.family), "{}", model.id);
        }
    }

    #[test]
    fn every_family_has_a_name_of_its_own() {
        let mut names: Vec<_> = ModelFamily::ALL
            .iter()
            .map(|family| serde_json::to_string(family).unwrap())
            .collect();
        names.dedup();
        assert_eq!(names.len(), ModelFamily::ALL.len());
    }
}
