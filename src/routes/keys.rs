//! The keys of a channel's maps, as names find them.

use std::collections::BTreeMap;

use super::CompiledChannel;
use super::foreign::decode_once;
use crate::catalog::{self, ModelFamily};
use crate::config::{Api, Channel, by_model};

/// Keys by the id of the model that they name; empty where only exact names match.
#[derive(Debug, Default)]
pub(super) struct KeysByModel {
    arns: Keys,
    families: Keys,
    apis: Keys,
}

type Keys = BTreeMap<&'static str, String>;

impl KeysByModel {
    pub(super) fn of(channel: &Channel) -> Self {
        if channel.r#match.is_exact() {
            return Self::default();
        }
        Self {
            arns: by_model(&channel.inference_profile_arn_map),
            families: by_model(&channel.model_families),
            apis: by_model(&channel.model_apis),
        }
    }
}

/// The key whose entry applies to a name because both name the same model.
fn key_of<'k>(keys: &'k Keys, name: &str) -> Option<&'k String> {
    if keys.is_empty() {
        return None;
    }
    let model = catalog::find(&decode_once(name))?;
    keys.get(model.id)
}

/// A channel's maps. The mapped name comes first, then the requested one, then what the keys name: a mapping says
/// which model is meant, so the model of the name before it does not count.
impl CompiledChannel {
    /// The entry of `inference_profile_arn_map` for a name, with its key.
    pub(super) fn arn_entry(&self, requested: &str) -> Option<(&String, &String)> {
        let mapped = self.mapped(requested);
        let map = &self.channel.inference_profile_arn_map;
        let by_name = map
            .get_key_value(mapped)
            .or_else(|| map.get_key_value(requested));
        by_name.or_else(|| map.get_key_value(key_of(&self.keys.arns, mapped)?))
    }

    /// What `model_families` says about a name, or about the id that it stands for.
    pub(super) fn family_hint(&self, requested: &str, model_id: &str) -> Option<ModelFamily> {
        let map = &self.channel.model_families;
        if map.is_empty() {
            return None;
        }
        let mapped = self.mapped(requested);
        let decoded = || map.get(&*decode_once(mapped));
        let by_name = map
            .get(mapped)
            .or_else(decoded)
            .or_else(|| map.get(requested));
        let by_id = by_name.or_else(|| map.get(model_id));
        by_id
            .or_else(|| map.get(key_of(&self.keys.families, mapped)?))
            .copied()
    }

    /// Which API `model_apis` wants for a name, or for the id that it stands for.
    pub(super) fn api_of(&self, requested: &str, model_id: &str) -> Option<Api> {
        let map = &self.channel.model_apis;
        if map.is_empty() {
            return None;
        }
        let mapped = self.mapped(requested);
        let by_name = map.get(mapped).or_else(|| map.get(requested));
        let by_id = by_name.or_else(|| map.get(model_id));
        by_id
            .or_else(|| map.get(key_of(&self.keys.apis, mapped)?))
            .copied()
    }
}
