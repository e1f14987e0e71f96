//! Names of one model that have an entry, and those that have none.

use std::collections::BTreeMap;

use super::{Channel, Fault, pointer};
use crate::catalog;
use crate::config::passing_by;

/// Names that a message lists.
const LISTED: usize = 4;

pub(super) fn check<C>(channel: &Channel<C>) -> Vec<Fault> {
    if channel.r#match.is_exact() {
        check_exact(channel).into_iter().collect()
    } else {
        check_shared(channel)
    }
}

/// With exact names an entry is for its key alone, and clients know more names than administrators think of.
fn check_exact<C>(channel: &Channel<C>) -> Option<Fault> {
    let map = &channel.inference_profile_arn_map;
    let passed: Vec<_> = map
        .keys()
        .map(|key| (key, passing_by(channel, map, key)))
        .filter(|(_, names)| !names.is_empty())
        .collect();
    let (key, names) = passed.first()?;
    let shown: Vec<_> = names
        .iter()
        .take(LISTED)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = match names.len().saturating_sub(shown.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let others = match passed.len() {
        0 | 1 => "",
        _ => "; other entries are passed by as well",
    };
    let message = format!(
        "these names reach the same model as `{key}` but bypass its entry in `inference_profile_arn_map`: {}{more}{others}. Set \
         `match` to `model`, or map them too",
        shown.join(", ")
    );
    Some(Fault::new("/match", "passed_by", message))
}

/// Of several entries for one model, only one can be for the names that have none.
fn check_shared<C>(channel: &Channel<C>) -> Vec<Fault> {
    let map = &channel.inference_profile_arn_map;
    let mut first = BTreeMap::<&str, (&String, &String)>::new();
    let mut found = Vec::new();
    for (key, target) in map {
        let Some(model) = catalog::find(key) else {
            continue;
        };
        let (first_key, first_target) = *first.entry(model.id).or_insert((key, target));
        if first_target != target && !passing_by(channel, map, key).is_empty() {
            let message = format!(
                "`{key}` and `{first_key}` are names of one model; its other names get the entry of `{first_key}`, \
                 which comes first in the alphabet"
            );
            let path = pointer("inference_profile_arn_map", key);
            found.push(Fault::new(path, "same_model", message));
        }
    }
    found
}
