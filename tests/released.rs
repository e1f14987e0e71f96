//! Plugin configurations of released versions, in `tests/golden-config/`: each has every field of its version, and
//! keeps compiling.

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
        _ => false,
    }
}
