//! One `EnvoyFilter`, or several where one would be larger than Kubernetes stores.

use serde_json::{Value, json};

use super::document::{list, set};
use super::plan::Plan;
use crate::export::ExportError;

/// Patches that add something without a place among others, so that any `EnvoyFilter` can have them.
const MOVABLE: [&str; 2] = ["EXTENSION_CONFIG", "CLUSTER"];

/// Splits an `EnvoyFilter` into as few as are no larger than `most` bytes each. A patch that is larger by itself still is.
///
/// Clusters come first, in the order in which the documents are applied: a gateway must not be told of one that it does not
/// have yet.
pub(super) fn split(document: Value, plan: &Plan, most: usize) -> Result<Vec<Value>, ExportError> {
    let whole = size(&document);
    if whole <= most {
        return Ok(vec![document]);
    }
    let mut frame = document;
    let patches = std::mem::take(list(&mut frame, "/spec/configPatches")?);
    let groups = groups(patches, size(&frame), most).into_iter().enumerate();
    let parts = groups.rev().map(|(number, patches)| {
        let mut part = frame.clone();
        set(&mut part, "/metadata/name", json!(name(plan, number + 1)))?;
        set(&mut part, "/spec/configPatches", json!(patches))?;
        Ok(part)
    });
    parts.collect()
}

/// The name of one of them. With a dot, which the names of manifests cannot have, so that it is no other manifest's.
pub(super) fn name(plan: &Plan, number: usize) -> String {
    match number {
        1 => plan.name.clone(),
        number => format!("{}.{number}", plan.name),
    }
}

/// The patches of each: the first has those with a place, and then what brings the filter's own configuration.
fn groups(patches: Vec<Value>, frame: usize, most: usize) -> Vec<Vec<Value>> {
    let kind = |patch: &Value| MOVABLE.iter().position(|own| patch["applyTo"] == *own);
    let (mut movable, first): (Vec<_>, Vec<_>) =
        patches.into_iter().partition(|own| kind(own).is_some());
    movable.sort_by_key(kind);
    let mut room = most.saturating_sub(frame + first.iter().map(share).sum::<usize>());
    let (mut groups, mut group) = (Vec::new(), first);
    for patch in movable {
        let share = share(&patch);
        if share > room {
            groups.push(std::mem::take(&mut group));
            room = most.saturating_sub(frame);
        }
        room = room.saturating_sub(share);
        group.push(patch);
    }
    groups.push(group);
    groups
}

/// The bytes of a patch in a list.
fn share(patch: &Value) -> usize {
    size(patch) + 1
}

/// The bytes that Kubernetes stores.
pub(super) fn size(document: &Value) -> usize {
    document.to_string().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::Target;
    use crate::filter_code::FilterCode;

    fn plan() -> Plan {
        let path = "/filter.wasm".to_owned();
        Plan::new(&Target::default(), &FilterCode::InEnvoy { path }).unwrap()
    }

    fn patch(kind: &str, number: usize) -> Value {
        json!({ "applyTo": kind, "number": number, "filling": "x".repeat(100) })
    }

    fn parts(most: usize) -> Vec<Value> {
        let patches = [
            patch("NETWORK_FILTER", 0),
            patch("EXTENSION_CONFIG", 1),
            patch("HTTP_FILTER", 2),
        ];
        let clusters = (3..20).map(|number| patch("CLUSTER", number));
        let patches: Vec<_> = patches.into_iter().chain(clusters).collect();
        let document = json!({
            "metadata": { "name": "bedrock" },
            "spec": { "configPatches": patches },
        });
        split(document, &plan(), most).unwrap()
    }

    fn numbers(part: &Value) -> Vec<u64> {
        let patches = part["spec"]["configPatches"].as_array().unwrap().iter();
        patches.map(|own| own["number"].as_u64().unwrap()).collect()
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        let [whole] = &parts(100_000)[..] else {
            panic!("one document");
        };
        assert_eq!(numbers(whole), (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_too_large_is_several_each_small_enough() {
        let parts = parts(1_000);
        let names: Vec<_> = parts.iter().map(|own| &own["metadata"]["name"]).collect();
        assert_eq!(names, ["bedrock.4", "bedrock.3", "bedrock.2", "bedrock"]);
        assert!(parts.iter().all(|own| size(own) <= 1_000), "{parts:?}");
        // The filter, and its configuration, come last.
        assert!(numbers(&parts[3]).starts_with(&[0, 2, 1]));
        let mut all: Vec<_> = parts.iter().flat_map(numbers).collect();
        all.sort_unstable();
        assert_eq!(all, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn a_patch_that_is_too_large_by_itself_has_a_document_of_its_own() {
        let parts = parts(150);
        assert!(parts.iter().all(|own| numbers(own).len() <= 2));
    }
}
