//! Changes to the template, which has a place for everything.

use serde_json::Value;

use crate::export::ExportError;

/// Replaces an existing value.
pub(super) fn set(document: &mut Value, pointer: &str, value: Value) -> Result<(), ExportError> {
    *document
        .pointer_mut(pointer)
        .ok_or_else(|| missing(pointer))? = value;
    Ok(())
}

/// Adds a member, or replaces it.
pub(super) fn put(
    document: &mut Value,
    pointer: &str,
    member: &str,
    value: Value,
) -> Result<(), ExportError> {
    let owner = document.pointer_mut(pointer).and_then(Value::as_object_mut);
    let owner = owner.ok_or_else(|| missing(pointer))?;
    owner.insert(member.to_owned(), value);
    Ok(())
}

/// An object with one more member.
pub(super) fn with(mut object: Value, member: &str, value: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.insert(member.to_owned(), value);
    }
    object
}

/// Removes an existing member.
pub(super) fn remove(document: &mut Value, pointer: &str, member: &str) -> Result<(), ExportError> {
    let owner = document.pointer_mut(pointer).and_then(Value::as_object_mut);
    let removed = owner.and_then(|owner| owner.remove(member));
    removed.map(drop).ok_or_else(|| missing(member))
}

/// The list at a place.
pub(super) fn list<'d>(
    document: &'d mut Value,
    pointer: &str,
) -> Result<&'d mut Vec<Value>, ExportError> {
    let list = document.pointer_mut(pointer).and_then(Value::as_array_mut);
    list.ok_or_else(|| missing(pointer))
}

/// Index of the first patch of a kind.
pub(super) fn find(patches: &[Value], kind: &str) -> Result<usize, ExportError> {
    let place = patches.iter().position(|patch| patch["applyTo"] == kind);
    place.ok_or_else(|| missing(kind))
}

/// The first patch of a kind.
pub(super) fn patch<'p>(
    patches: &'p mut [Value],
    kind: &str,
) -> Result<&'p mut Value, ExportError> {
    let place = find(patches, kind)?;
    patches.get_mut(place).ok_or_else(|| missing(kind))
}

pub(super) fn missing(what: &str) -> ExportError {
    ExportError::Template(format!("{what} is not there"))
}
