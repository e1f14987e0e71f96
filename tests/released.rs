//! Plugin configurations of released versions, in `tests/golden-config/`: each has every field of its version, and
//! keeps compiling. The file of a version that is not released yet grows with it; then it stays as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bedrock_filter::config::PluginConfig;
use bedrock_filter::routes::Routes;
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden-config")
}

/// The files by their versions.
fn released() -> Vec<(String, String)> {
    let files = std::fs::read_dir(folder()).unwrap();
    let mut released: Vec<_> = files
        .map(|file| {
            let path = file.unwrap().path();
            let version = path.file_stem().unwrap().to_string_lossy().into_owned();
            (version, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    released.sort();
    released
}

#[test]
fn the_configuration_of_every_released_version_compiles() {
    let released = released();
    let own = env!("CARGO_PKG_VERSION");
    assert!(
        released.iter().any(|(version, _)| version == own),
        "tests/golden-config has no {own}.json; write one with every field of this version"
    );
    for (version, text) in &released {
        let config = PluginConfig::from_json(text.as_bytes());
        let config = config.unwrap_or_else(|fault| panic!("{version}: {fault}"));
        let channels = config.channels.len();
        let routes = Routes::compile(config);
        let routes = routes.unwrap_or_else(|faults| panic!("{version}: {faults:?}"));
        assert_eq!(channels, 3, "{version}");
        assert!(routes.clusters().count() > 0, "{version}");
    }
}

/// A field that is read but lost would not be noticed by compiling alone.
#[test]
fn no_field_of_an_earlier_version_is_lost() {
    for (version, text) in released() {
        let config = PluginConfig::from_json(text.as_bytes()).unwrap();
        let written = serde_json::to_value(&config).unwrap();
        let lost = lost("", &serde_json::from_str(&text).unwrap(), &written);
        assert!(lost.is_empty(), "{version}: {lost:?}");
    }
}

/// Places whose values changed on the way, but for what has its default and what is secret.
fn lost(place: &str, old: &Value, new: &Value) -> Vec<String> {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let members = old.iter();
            let lost = members.map(|(name, value)| {
                let place = format!("{place}/{name}");
                match new.get(name) {
                    Some(new) => lost(&place, value, new),
                    None if is_default(name, value) => Vec::new(),
                    None => vec![place],
                }
            });
            lost.flatten().collect()
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            let pairs = old.iter().zip(new).enumerate();
            let lost = pairs.map(|(index, (old, new))| lost(&format!("{place}/{index}"), old, new));
            lost.flatten().collect()
        }
        (old, new) if old == new => Vec::new(),
        _ => vec![place.to_owned()],
    }
}

/// What is not written, because an older filter might not know it.
fn is_default(name: &str, value: &Value) -> bool {
    match name {
        "unknown_parameters" => value == "leave_out",
        "api" => value == "auto",
        "fips" => value == false,
        "signer" => value == "filter",
        "stage" => value == "listener",
        _ => false,
    }
}

/// A name that no object has.
const UNKNOWN: &str = "unknown-to-everyone";

/// Otherwise a later version could lose what nobody wrote down.
#[test]
fn the_current_version_is_there_with_every_field() {
    let path = folder().join(concat!(env!("CARGO_PKG_VERSION"), ".json"));
    let text = std::fs::read_to_string(path).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let mut objects = Vec::new();
    find_objects("", &document, &mut objects);
    // Objects of one type, by the fields that it has: together they must have them all.
    let mut types: BTreeMap<BTreeSet<String>, BTreeSet<String>> = BTreeMap::new();
    for pointer in objects {
        let fields = known(&document, &pointer, UNKNOWN, "unknown field");
        let own = document.pointer(&pointer).unwrap().as_object().unwrap();
        let seen = types.entry(fields.clone()).or_default();
        // An enum's tag is not one of its fields.
        seen.extend(own.keys().filter(|name| fields.contains(*name)).cloned());
    }
    for (fields, seen) in &types {
        let missing: Vec<_> = fields.difference(seen).collect();
        assert!(missing.is_empty(), "the file has nowhere {missing:?}");
    }
    assert!(types.len() > 10, "{types:?}");
    let kinds = known(
        &document,
        "/channels/0/credentials",
        "type",
        "unknown variant",
    );
    let channels = document["channels"].as_array().unwrap().iter();
    let own = channels.map(|channel| channel["credentials"]["type"].as_str().unwrap().to_owned());
    assert_eq!(own.collect::<BTreeSet<_>>(), kinds);
}

fn find_objects(pointer: &str, value: &Value, found: &mut Vec<String>) {
    let below = |name: &str, value: &Value, found: &mut Vec<String>| {
        let name = name.replace('~', "~0").replace('/', "~1");
        find_objects(&format!("{pointer}/{name}"), value, found);
    };
    match value {
        Value::Object(members) => {
            found.push(pointer.to_owned());
            members
                .iter()
                .for_each(|(name, own)| below(name, own, found));
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(index, own)| below(&index.to_string(), own, found));
        }
        _ => {}
    }
}

/// What would be understood at this place instead of an unknown text; nothing in a map, whose names are free.
fn known(document: &Value, pointer: &str, name: &str, complaint: &str) -> BTreeSet<String> {
    let mut document = document.clone();
    let object = document.pointer_mut(pointer).unwrap();
    object[name] = Value::from(UNKNOWN);
    let Err(error) = serde_json::from_value::<PluginConfig>(document) else {
        return BTreeSet::new();
    };
    let error = error.to_string();
    let Some((_, expected)) = error.split_once(&format!("{complaint} `{UNKNOWN}`")) else {
        return BTreeSet::new();
    };
    let names = expected.split('`').skip(1).step_by(2);
    names.map(str::to_owned).collect()
}
