//! Names that no client will send as they stand.

use std::collections::BTreeSet;

use super::{Channel, Fault, pointer};
use crate::config::Invisible;

pub(super) fn check<C>(channel: &Channel<C>) -> Vec<Fault> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, name) in channel.models.iter().enumerate() {
        let path = format!("/models/{index}");
        if !seen.insert(name) {
            let message = format!("`{name}` is already in the list; remove one of them");
            found.push(Fault::new(path, "listed_twice", message));
            continue;
        }
        found.extend(check_name(&path, name));
    }
    for (path, name) in mapped(channel) {
        found.extend(check_name(&path, name));
    }
    for (key, value) in &channel.inference_profile_arn_map {
        let path = pointer("inference_profile_arn_map", key);
        found.extend(check_invisible(&path, value));
    }
    for alias in channel.model_mapping.keys() {
        if !channel.models.is_empty() && !channel.models.contains(alias) {
            let message = format!(
                "`{alias}` is not in `models`, so no request can use this alias; add it there"
            );
            let path = pointer("model_mapping", alias);
            found.push(Fault::new(path, "unreachable_key", message));
        }
    }
    found
}

/// Every name in the channel's maps, and where it stands.
fn mapped<C>(channel: &Channel<C>) -> Vec<(String, &str)> {
    let mapping = channel.model_mapping.iter().flat_map(|(key, value)| {
        let path = pointer("model_mapping", key);
        [(path.clone(), key.as_str()), (path, value.as_str())]
    });
    let keys = [
        (
            "inference_profile_arn_map",
            channel.inference_profile_arn_map.keys().collect::<Vec<_>>(),
        ),
        ("model_families", channel.model_families.keys().collect()),
        ("model_apis", channel.model_apis.keys().collect()),
    ];
    let keys = keys
        .into_iter()
        .flat_map(|(field, keys)| keys.into_iter().map(move |key| (pointer(field, key), key)));
    let keys = keys.map(|(path, key)| (path, key.as_str()));
    mapping.chain(keys).collect()
}

fn check_name(path: &str, name: &str) -> Option<Fault> {
    if let Some(sign) = name.chars().find(|sign| matches!(sign, ',' | ';')) {
        let message = format!(
            "`{name}` is one name with a `{sign}` in it; if it is meant to be several names, list each of them \
             separately"
        );
        return Some(Fault::new(path, "several_names", message));
    }
    if name.ends_with('.') {
        let message =
            format!("`{name}` ends with a full stop, which no request will contain; remove it");
        return Some(Fault::new(path, "trailing_sign", message));
    }
    check_invisible(path, name)
}

/// New ones are refused; these were stored by a version that took them, or written by hand.
fn check_invisible(path: &str, text: &str) -> Option<Fault> {
    Invisible::find(text).map(|found| {
        let message = format!(
            "contains an invisible character, {found}; names are matched exactly, so remove it"
        );
        Fault::new(path, "invisible_character", message)
    })
}
