//! The bill of materials, in `CycloneDX`'s JSON: <https://cyclonedx.org/docs/1.6/json/>.
//!
//! Without a serial number and a time, so that the same sources have the same bill.

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::crates::{Crate, Crates};

/// The bill of everything that a release consists of.
pub(super) fn of(crates: &Crates) -> Result<String> {
    let components: Vec<_> = crates.iter().map(|(_, own)| component(own)).collect();
    let dependencies = crates
        .iter()
        .map(|(_, own)| depends(own, crates))
        .collect::<Result<Vec<_>>>()?;
    let version = crates.version();
    let roots = crates
        .roots
        .iter()
        .filter_map(|id| crates.get(id))
        .map(purl);
    let mut all = dependencies;
    all.insert(
        0,
        json!({ "ref": "bedrock-filter-release", "dependsOn": roots.collect::<Vec<_>>() }),
    );
    let bill = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": {
            "bom-ref": "bedrock-filter-release",
            "type": "application",
            "name": "bedrock-filter",
            "version": version,
        } },
        "components": components,
        "dependencies": all,
    });
    Ok(serde_json::to_string_pretty(&bill)? + "\n")
}

fn component(own: &Crate) -> Value {
    let mut members = Map::from_iter([
        ("bom-ref".to_owned(), json!(purl(own))),
        ("type".to_owned(), json!("library")),
        ("name".to_owned(), json!(own.name)),
        ("version".to_owned(), json!(own.version)),
        ("purl".to_owned(), json!(purl(own))),
    ]);
    if !own.licence.is_empty() {
        // Older crates separate alternatives by a slash: https://doc.rust-lang.org/cargo/reference/manifest.html
        let expression = own.licence.replace('/', " OR ");
        members.insert("licenses".to_owned(), json!([{ "expression": expression }]));
    }
    if let Some(sum) = &own.checksum {
        let hash = json!({ "alg": "SHA-256", "content": sum });
        members.insert("hashes".to_owned(), json!([hash]));
    }
    Value::Object(members)
}

fn depends(own: &Crate, crates: &Crates) -> Result<Value> {
    let names = own.dependencies.iter().map(|id| {
        let own = crates.get(id).context("a dependency is missing")?;
        Ok(purl(own))
    });
    let mut names = names.collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(json!({ "ref": purl(own), "dependsOn": names }))
}

/// <https://github.com/package-url/purl-spec>
fn purl(own: &Crate) -> String {
    format!("pkg:cargo/{}@{}", own.name, own.version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;
    use std::collections::BTreeSet;

    fn bill() -> Value {
        let crates = Crates::of(&Workspace::locate().unwrap()).unwrap();
        serde_json::from_str(&of(&crates).unwrap()).unwrap()
    }

    fn texts<'v>(list: &'v Value, member: &str) -> Vec<&'v str> {
        let items = list.as_array().unwrap().iter();
        items.map(|own| own[member].as_str().unwrap()).collect()
    }

    #[test]
    fn what_is_depended_on_is_a_component() {
        let bill = bill();
        let components = texts(&bill["components"], "bom-ref");
        let known: BTreeSet<_> = components.iter().copied().collect();
        assert_eq!(known.len(), components.len());
        for own in bill["dependencies"].as_array().unwrap() {
            for name in own["dependsOn"].as_array().unwrap() {
                assert!(known.contains(name.as_str().unwrap()), "{name}");
            }
        }
        let roots = bill["dependencies"][0]["dependsOn"].to_string();
        assert!(roots.contains("bedrock-filter@") && roots.contains("config-service@"));
    }

    #[test]
    fn what_is_only_tested_with_or_for_other_systems_is_left_out() {
        let bill = bill();
        let names = texts(&bill["components"], "name");
        assert!(names.contains(&"proxy-wasm") && names.contains(&"axum"));
        for other in ["proptest", "windows-sys", "security-framework", "xtask"] {
            assert!(!names.contains(&other), "{other}");
        }
    }

    #[test]
    fn every_component_has_a_licence() {
        let bill = bill();
        for own in bill["components"].as_array().unwrap() {
            let expression = &own["licenses"][0]["expression"];
            assert!(expression.is_string(), "{own}");
        }
    }
}
