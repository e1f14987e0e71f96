//! Names that choose a model, as stored and as shown.

mod edit;

use bedrock_filter::config::{ModelChoice, ModelChoices};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::fault::{Fault, FaultSchema};
pub(crate) use edit::ChoiceEdit;

/// A name that chooses, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredChoice {
    /// The name, as clients ask for it.
    pub name: String,
    /// What it chooses from.
    pub choice: ModelChoice,
    /// Revision of its last edit.
    pub revision: u64,
    /// When it was created, RFC 3339 in UTC.
    pub created_at: String,
    /// When it was last edited, RFC 3339 in UTC.
    pub updated_at: String,
}

/// Where a name that chooses comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ModelChoiceSource)]
pub enum ChoiceSource {
    /// An edit.
    Stored,
    /// The file of `--model-choices`, in which alone it can be edited.
    File,
}

/// A name that chooses, as administrators read it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = NamedModelChoice)]
pub struct ChoiceView {
    /// The name, as clients ask for it.
    pub name: String,
    /// What it chooses from.
    #[schema(value_type = ModelChoiceSchema)]
    pub choice: Value,
    /// Where it comes from.
    pub source: ChoiceSource,
    /// Revision of its last edit; absent if it comes from the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64, required = false)]
    pub revision: Option<u64>,
    /// When it was created, RFC 3339 in UTC; absent if it comes from the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    pub created_at: Option<String>,
    /// When it was last edited, RFC 3339 in UTC; absent if it comes from the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    pub updated_at: Option<String>,
    /// What is valid but suspicious.
    #[schema(value_type = Vec<FaultSchema>)]
    pub warnings: Vec<Fault>,
}

impl StoredChoice {
    /// What administrators read.
    #[must_use]
    pub fn view(&self, warnings: Vec<Fault>) -> ChoiceView {
        ChoiceView {
            source: ChoiceSource::Stored,
            revision: Some(self.revision),
            created_at: Some(self.created_at.clone()),
            updated_at: Some(self.updated_at.clone()),
            ..ChoiceView::in_file(&self.name, &self.choice, warnings)
        }
    }
}

impl ChoiceView {
    /// What administrators read of a name in the file.
    pub(crate) fn in_file(name: &str, choice: &ModelChoice, warnings: Vec<Fault>) -> Self {
        Self {
            name: name.to_owned(),
            // It is one of JSON's own types throughout.
            choice: serde_json::to_value(choice).unwrap_or_default(),
            source: ChoiceSource::File,
            revision: None,
            created_at: None,
            updated_at: None,
            warnings,
        }
    }
}

/// All names that choose: the stored ones, and those of the file, which count more.
#[must_use]
pub fn merged(stored: &[StoredChoice], file: &ModelChoices) -> ModelChoices {
    let stored = stored.iter();
    let stored = stored.map(|own| (own.name.clone(), own.choice.clone()));
    let file = file.0.iter();
    let file = file.map(|(name, choice)| (name.clone(), choice.clone()));
    ModelChoices(stored.chain(file).collect())
}

/// The names in a choice, each with a JSON pointer to its place.
#[must_use]
pub fn named(choice: &ModelChoice) -> Vec<(String, &str)> {
    match choice {
        ModelChoice::Ordered(models) => {
            let models = models.iter().enumerate();
            models
                .map(|(index, model)| (format!("/{index}"), model.as_str()))
                .collect()
        }
        ModelChoice::Detailed(own) => {
            let weighted = own.weighted.iter().flatten();
            let weighted = weighted.map(|(model, _)| {
                let at = crate::fault::child("/weighted", model);
                (at, model.as_str())
            });
            let rules = own.rules.iter().flatten().enumerate();
            let rules = rules.map(|(index, rule)| (format!("/rules/{index}/use"), &*rule.target));
            let otherwise = own.otherwise.iter();
            let otherwise = otherwise.map(|target| ("/else".to_owned(), target.as_str()));
            weighted.chain(rules).chain(otherwise).collect()
        }
    }
}

/// What a name chooses from: models in order, weights, or rules.
#[derive(ToSchema)]
#[schema(as = ModelChoice)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes a type of another crate")]
pub(crate) enum ModelChoiceSchema {
    /// The first of these models that can serve a request.
    Ordered(Vec<String>),
    /// Weights or rules.
    Detailed(DetailedChoiceSchema),
}

/// Weights, or rules with what is used where none fits.
#[derive(ToSchema)]
#[schema(as = DetailedModelChoice)]
#[expect(dead_code, reason = "it describes a type of another crate")]
pub(crate) struct DetailedChoiceSchema {
    /// Models with their shares of the requests, 1 to 1000.
    weighted: Option<std::collections::BTreeMap<String, u32>>,
    /// Rules, of which the first that fits decides.
    rules: Option<Vec<ChoiceRuleSchema>>,
    /// What is used if no rule fits.
    r#else: Option<String>,
}

/// A rule.
#[derive(ToSchema)]
#[schema(as = ModelChoiceRule)]
#[expect(dead_code, reason = "it describes a type of another crate")]
pub(crate) struct ChoiceRuleSchema {
    /// The conditions, all of which must hold.
    when: WhenSchema,
    /// A model, or the name of a list or of weights.
    r#use: String,
}

/// Conditions on a request; absent ones always hold.
#[derive(ToSchema)]
#[schema(as = ModelChoiceConditions)]
#[expect(dead_code, reason = "it describes a type of another crate")]
pub(crate) struct WhenSchema {
    /// The word in brackets with which the person's last message begins, or the header `x-bedrock-tier`.
    tag: Option<String>,
    /// Whether there are images.
    images: Option<bool>,
    /// Whether there are tools.
    tools: Option<bool>,
    /// Whether the request asks the model to think.
    reasoning: Option<bool>,
    /// How many tokens the request exceeds, by an estimate.
    prompt_tokens_over: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn choice(document: Value) -> ModelChoice {
        serde_json::from_value(document).unwrap()
    }

    #[test]
    fn the_file_counts_more_than_what_is_stored() {
        let stored = |name: &str| StoredChoice {
            name: name.to_owned(),
            choice: choice(json!(["stored"])),
            revision: 1,
            created_at: String::new(),
            updated_at: String::new(),
        };
        let file = serde_json::from_value(json!({"b": ["file"], "c": ["file"]})).unwrap();
        let all = merged(&[stored("a"), stored("b")], &file);
        assert_eq!(
            serde_json::to_value(all).unwrap(),
            json!({"a": ["stored"], "b": ["file"], "c": ["file"]})
        );
    }

    #[test]
    fn every_name_has_its_place() {
        let check = |document: Value, expected: &[(&str, &str)]| {
            let choice = choice(document);
            let seen = named(&choice);
            let seen: Vec<_> = seen.iter().map(|(at, name)| (&**at, *name)).collect();
            assert_eq!(seen, expected);
        };
        check(json!(["a", "b"]), &[("/0", "a"), ("/1", "b")]);
        check(
            json!({"weighted": {"a/b": 1}}),
            &[("/weighted/a~1b", "a/b")],
        );
        check(
            json!({"rules": [{"when": {"tools": true}, "use": "a"}], "else": "b"}),
            &[("/rules/0/use", "a"), ("/else", "b")],
        );
    }
}
