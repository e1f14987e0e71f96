//! The model catalogue: what is known about each Bedrock model, as data.
//!
//! To add a model, edit `src/catalog/models.json`. Nothing here decides how requests to a model are written; that
//! follows from its [`crate::catalog::ModelFamily`].

mod family;
mod model;
mod profiles;
mod thinking;

pub use family::ModelFamily;
pub use model::{Caching, Model, OnConverse, Sampling};
pub use profiles::{CrossRegion, is_profile_of, split_profile, strip_profile};
pub use thinking::{MIN_BUDGET, Thinking, budget, room};

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Finds a model by alias, base id or inference profile id.
#[must_use]
pub fn find(name: &str) -> Option<&'static Model> {
    match split_profile(name) {
        // Profiles are what is called most often, their names are long, and none of them is also a model's name.
        Some((_, base)) => find_base(base).or_else(|| find_base(name)),
        None => find_base(name),
    }
}

/// Finds a model by alias or base id, but not by inference profile id.
#[must_use]
pub fn find_base(name: &str) -> Option<&'static Model> {
    let catalog = catalog();
    catalog.models.get(*catalog.by_name.get(name)?)
}

/// Every model of the catalogue.
pub fn models() -> impl Iterator<Item = &'static Model> {
    catalog().models.iter()
}

struct Catalog {
    models: Vec<Model>,
    by_name: BTreeMap<&'static str, usize>,
}

fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| {
        // A test parses the same text, so the empty fallback is never taken.
        let models: Vec<Model> = parse().unwrap_or_default();
        let by_name = models
            .iter()
            .enumerate()
            .flat_map(|(index, model)| {
                std::iter::once(model.id)
                    .chain(model.aliases.iter().copied())
                    .map(move |name| (name, index))
            })
            .collect();
        Catalog { models, by_name }
    })
}

fn parse() -> serde_json::Result<Vec<Model>> {
    serde_json::from_str(include_str!("catalog/models.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_parses_and_every_name_is_unique() {
        let models = parse().unwrap();
        let names: usize = models.iter().map(|model| 1 + model.aliases.len()).sum();
        assert_eq!(catalog().by_name.len(), names);
    }

    /// `chat-models.json` lists the models that AWS's model cards call chat models.
    #[test]
    fn every_chat_model_of_bedrock_is_known() {
        let json = include_str!("../tests/vectors/chat-models.json");
        let ids: Vec<&str> = serde_json::from_str(json).unwrap();
        let missing: Vec<_> = ids.iter().filter(|id| find_base(id).is_none()).collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert_eq!(models().count(), ids.len());
    }

    #[test]
    fn a_model_is_found_by_alias_base_id_and_profile_id() {
        for name in [
            "claude-sonnet-4-5",
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ] {
            assert_eq!(
                find(name).map(|model| model.id),
                Some("anthropic.claude-sonnet-4-5-20250929-v1:0"),
                "{name}"
            );
        }
        assert!(find("xx.anthropic.claude-sonnet-4-5-20250929-v1:0").is_none());
    }
}
