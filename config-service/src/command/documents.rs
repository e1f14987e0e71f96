//! What stands in a file of `config-service apply`, and in which order it is applied.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::Value;

use crate::reader;

/// The document in a file.
pub(super) fn read(file: &Path) -> Result<Value> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let text = reader::without_mark(&bytes).with_context(|| file.display().to_string())?;
    let text = std::str::from_utf8(text).with_context(|| file.display().to_string())?;
    // Without the message, which would quote the file, and the file may contain secrets.
    serde_saphyr::from_str(text).map_err(|error| {
        let place = error.location().map_or_else(String::new, |place| {
            format!(": see line {} column {}", place.line(), place.column())
        });
        anyhow!("{} is neither YAML nor JSON{place}", file.display())
    })
}

/// Fails if something has no name, or the name of something before it, which would be replaced in silence.
pub(super) fn check_names<'v>(kind: &str, wanted: impl Iterator<Item = &'v Value>) -> Result<()> {
    let mut names = BTreeSet::new();
    for document in wanted {
        let name = document.get("name").and_then(Value::as_str);
        let name = name.with_context(|| format!("a {kind} in the file has no `name`"))?;
        ensure!(
            names.insert(name),
            "the {kind} `{name}` is in the file twice; nothing was changed"
        );
    }
    Ok(())
}

/// Names that choose, those before others that these name: the service refuses a name that it does not know. Where that
/// goes in a circle, which it refuses too, they stay as they are.
pub(super) fn in_order(choices: &[Value]) -> Vec<Value> {
    let mut left: Vec<_> = choices.iter().collect();
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let names: BTreeSet<_> = left.iter().filter_map(|own| own["name"].as_str()).collect();
        let is_free = |own: &&Value| {
            let others = |name: &str| names.contains(name) && own["name"] != name;
            !mentions(&own["choice"], &others)
        };
        let next = left.iter().position(is_free).unwrap_or(0);
        ordered.push(left.remove(next).clone());
    }
    ordered
}

/// Whether a value has a text like that in it.
fn mentions(value: &Value, is_wanted: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is_wanted(text),
        Value::Array(all) => all.iter().any(|own| mentions(own, is_wanted)),
        Value::Object(all) => all
            .iter()
            .any(|(name, own)| is_wanted(name) || mentions(own, is_wanted)),
        _ => false,
    }
}
