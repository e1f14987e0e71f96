//! Tools, as far as both APIs treat them alike.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::value::RawValue;

use crate::chat::{Error, Tool};

/// Leaves out tools that are the same as one before them: some agents send theirs twice, and no model takes two
/// of the same name. Telling apart two that differ is up to the client.
pub(in crate::protocol) fn drop_repeated(tools: &mut Vec<Tool<'_>>) {
    if tools.len() < 2 {
        return;
    }
    let mut firsts = BTreeMap::new();
    let mut repeated = Vec::new();
    for (index, tool) in tools.iter().enumerate() {
        match firsts.entry(&*tool.name) {
            Entry::Vacant(entry) => {
                entry.insert(tool);
            }
            Entry::Occupied(first) if is_same(first.get(), tool) => repeated.push(index),
            Entry::Occupied(_) => {}
        }
    }
    let mut repeated = repeated.into_iter().peekable();
    let mut index = 0;
    tools.retain(|_| {
        let is_repeated = repeated.next_if_eq(&index).is_some();
        index += 1;
        !is_repeated
    });
}

/// Whether two tools of one name are the same.
fn is_same(one: &Tool<'_>, other: &Tool<'_>) -> bool {
    one.parameters.map(RawValue::get) == other.parameters.map(RawValue::get)
        && one.strict == other.strict
        && one.description.as_deref() == other.description.as_deref()
}

/// A schema, unless it is null.
pub(in crate::protocol) fn schema(json: Option<&RawValue>) -> Option<&RawValue> {
    json.filter(|json| json.get() != "null")
}

/// Refuses a schema that is not an object.
pub(in crate::protocol) fn must_be_object(
    schema: &RawValue,
    path: impl Fn() -> String,
) -> Result<(), Error> {
    if schema.get().starts_with('{') {
        return Ok(());
    }
    let path = path();
    let message = format!("'{path}' must be a JSON schema object.");
    Err(Error::invalid(path, message))
}
