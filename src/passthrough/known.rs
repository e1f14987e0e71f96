//! The members that model servers know in blocks and their sources. They refuse all others.

use super::list::List;
use crate::json::PieceWriter;
use crate::protocol::anthropic_messages::{Object, Value};

/// The members that the model servers know, by the block's type; other types are passed on with all of theirs.
const MEMBERS: [(&str, &[&str]); 8] = [
    (
        "document",
        &["source", "title", "context", "citations", "cache_control"],
    ),
    ("image", &["source", "cache_control"]),
    ("redacted_thinking", &["data"]),
    (
        "search_result",
        &["source", "title", "content", "citations", "cache_control"],
    ),
    ("text", &["text", "citations", "cache_control"]),
    ("thinking", &["thinking", "signature"]),
    (
        "tool_result",
        &["tool_use_id", "content", "is_error", "cache_control"],
    ),
    ("tool_use", &["id", "name", "input", "cache_control"]),
];

/// The members that are known in a block of a type; `None` if all are.
pub(super) fn known(kind: &str) -> Option<&'static [&'static str]> {
    let found = MEMBERS.iter().find(|(own, _)| *own == kind);
    found.map(|(_, members)| *members)
}

/// The members that the model servers know in a source.
const SOURCE: [&str; 4] = ["type", "media_type", "data", "content"];

/// Whether an object inside a block is a mark, or a source that is passed on unchanged.
pub(super) fn is_known_object(object: &Object<'_>) -> bool {
    let is_mark = object.kind() == "ephemeral";
    is_mark
        || object
            .members
            .iter()
            .all(|own| SOURCE.contains(&&*own.name) && !own.value.is_null())
}

pub(super) fn write_source(source: &Object<'_>, out: &mut PieceWriter<'_>) {
    let mut list = List::new("{");
    for member in &source.members {
        if !SOURCE.contains(&&*member.name) || member.value.is_null() {
            continue;
        }
        list.member(&member.name, out);
        write_value(&member.value, out);
    }
    list.end_with("}", "{}", out);
}

/// Writes a value as the client wrote it, or a repaired text.
pub(super) fn write_value(value: &Value<'_>, out: &mut PieceWriter<'_>) {
    match value {
        Value::Text(text) => out.text(text),
        Value::Object(own) => out.raw(own.json),
        Value::Blocks(json, _) => out.raw(json),
        Value::Raw(json) => out.raw(json.get()),
    }
}
