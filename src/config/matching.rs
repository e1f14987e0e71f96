//! Names of one model, which share the entries of a channel's maps or bypass them.

use std::collections::BTreeMap;

use super::{Channel, ModelIds};
use crate::catalog;

/// The keys of a map by the id of the model that they name; of several for one model the first counts.
#[must_use]
pub fn by_model<V>(map: &BTreeMap<String, V>) -> BTreeMap<&'static str, String> {
    let mut keys = BTreeMap::new();
    for key in map.keys() {
        if let Some(model) = catalog::find(key) {
            keys.entry(model.id).or_insert_with(|| key.clone());
        }
    }
    keys
}

/// Other names that reach the model of a key and that requests can arrive with, where only exact names match; without
/// those that have an entry in the map themselves.
#[must_use]
pub fn passing_by<C, V>(channel: &Channel<C>, map: &BTreeMap<String, V>, key: &str) -> Vec<String> {
    let Some(model) = catalog::find(key) else {
        return Vec::new();
    };
    let names = model.names_in(&channel.region);
    names
        .filter(|name| !map.contains_key(name) && arrives(channel, map, name))
        .collect()
}

/// Whether it makes a difference for a channel that names match by model.
#[must_use]
pub fn shares_entries<C>(channel: &Channel<C>) -> bool {
    fn any<C, V>(channel: &Channel<C>, map: &BTreeMap<String, V>) -> bool {
        map.keys()
            .any(|key| !passing_by(channel, map, key).is_empty())
    }
    any(channel, &channel.inference_profile_arn_map)
        || any(channel, &channel.model_families)
        || any(channel, &channel.model_apis)
}

/// Whether a request can have this name, or a name that `model_mapping` turns into it.
fn arrives<C, V>(channel: &Channel<C>, map: &BTreeMap<String, V>, name: &str) -> bool {
    let mapping = &channel.model_mapping;
    let is_asked = |name: &str| {
        if channel.models.is_empty() {
            channel.allow_model_ids != ModelIds::None || channel.maps(name)
        } else {
            channel.models.iter().any(|own| own == name)
        }
    };
    let is_mapped_to = || {
        mapping
            .iter()
            .any(|(alias, to)| to == name && is_asked(alias) && !map.contains_key(alias))
    };
    (!mapping.contains_key(name) && is_asked(name)) || is_mapped_to()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ID: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

    fn channel(patch: &Value) -> Channel {
        let mut channel = json!({
            "name": "a",
            "region": "eu-west-1",
            "credentials": {"type": "unavailable"},
            "allow_model_ids": "catalogue",
            "inference_profile_arn_map": {"claude-sonnet-4-5": "arn"},
        });
        for (key, value) in patch.as_object().unwrap() {
            channel[key] = value.clone();
        }
        serde_json::from_value(channel).unwrap()
    }

    #[track_caller]
    fn check(patch: &Value, expected: &[&str]) {
        let channel = channel(patch);
        let map = &channel.inference_profile_arn_map;
        let names = passing_by(&channel, map, "claude-sonnet-4-5");
        assert_eq!(names, expected, "{patch}");
        assert_eq!(shares_entries(&channel), !expected.is_empty());
    }

    #[test]
    fn names_that_no_entry_has_pass_by() {
        let (eu, global) = (format!("eu.{ID}"), format!("global.{ID}"));
        let all = [ID, "claude-sonnet-4-5-20250929", &global, &eu];
        check(&json!({}), &all);
        check(&json!({"allow_model_ids": "any"}), &all);
        check(&json!({"allow_model_ids": "none"}), &[]);
        check(&json!({"models": ["claude-sonnet-4-5"]}), &[]);
        check(&json!({"models": ["claude-sonnet-4-5", ID]}), &[ID]);
        let mapped = json!({"allow_model_ids": "none", "model_mapping": {"gpt-4o": ID}});
        check(&mapped, &[ID]);
        let two =
            json!({"claude-sonnet-4-5": "arn", ID: "arn", "claude-sonnet-4-5-20250929": "arn"});
        check(&json!({"inference_profile_arn_map": two}), &[&global, &eu]);
        // Whoever asks for the id means another model.
        let other = json!({"models": [ID], "model_mapping": {ID: "nova-pro"}});
        check(&other, &[]);
    }

    #[test]
    fn other_maps_count_as_well() {
        for map in [
            json!({"model_apis": {"nova-pro": "converse"}}),
            json!({"model_families": {"amazon.nova-pro-v1:0": "nova"}}),
        ] {
            let mut patch = map;
            patch["inference_profile_arn_map"] = json!({});
            assert!(shares_entries(&channel(&patch)), "{patch}");
        }
        let unknown = json!({"inference_profile_arn_map": {"house-model": "arn"}});
        assert!(!shares_entries(&channel(&unknown)));
    }

    #[test]
    fn the_first_key_of_a_model_counts() {
        let keys = ["nova-pro", "us.amazon.nova-pro-v1:0", "house-model"];
        let map = keys.map(|key| (key.to_owned(), ())).into();
        let expected = [("amazon.nova-pro-v1:0", "nova-pro".to_owned())];
        assert_eq!(by_model(&map), expected.into());
    }
}
