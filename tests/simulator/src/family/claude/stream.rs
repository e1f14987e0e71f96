//! The answer as events: the same content, in small pieces.
//!
//! <https://platform.claude.com/docs/en/build-with-claude/streaming>

use serde_json::{Value, json};

use crate::family::pieces::{self, JSON_PIECE};
use crate::family::{field, list};

/// The events whose sum is `message`.
pub(super) fn events(message: &Value) -> Vec<Value> {
    let mut events = vec![start(message)];
    for (index, block) in list(message, "content").iter().enumerate() {
        events.extend(block_events(index, block));
    }
    let usage = message.get("usage").unwrap_or(&Value::Null);
    let mut counts = json!({ "output_tokens": usage.get("output_tokens") });
    if let (Some(details), Some(fields)) =
        (usage.get("output_tokens_details"), counts.as_object_mut())
    {
        fields.insert("output_tokens_details".to_owned(), details.clone());
    }
    events.push(json!({
        "type": "message_delta",
        "delta": {
            "stop_reason": message.get("stop_reason"),
            "stop_sequence": message.get("stop_sequence"),
        },
        "usage": counts,
    }));
    events.push(json!({"type": "message_stop"}));
    events
}

fn start(message: &Value) -> Value {
    let mut message = message.clone();
    if let Some(fields) = message.as_object_mut() {
        for (name, value) in [
            ("content", json!([])),
            ("stop_reason", Value::Null),
            ("stop_sequence", Value::Null),
        ] {
            fields.insert(name.to_owned(), value);
        }
    }
    // The count so far; the final one comes with `message_delta`.
    if let Some(count) = message.pointer_mut("/usage/output_tokens") {
        *count = json!(1);
    }
    if let Some(usage) = message.get_mut("usage").and_then(Value::as_object_mut) {
        usage.remove("output_tokens_details");
    }
    json!({ "type": "message_start", "message": message })
}

fn block_events(index: usize, block: &Value) -> Vec<Value> {
    let (empty, deltas) = match field(block, "type") {
        Some("text") => text(block),
        Some("thinking") => thinking(block),
        Some("tool_use") => tool(block),
        _ => (block.clone(), Vec::new()),
    };
    let mut events =
        vec![json!({"type": "content_block_start", "index": index, "content_block": empty})];
    events.extend(
        deltas
            .into_iter()
            .map(|delta| json!({"type": "content_block_delta", "index": index, "delta": delta})),
    );
    events.push(json!({"type": "content_block_stop", "index": index}));
    events
}

fn text(block: &Value) -> (Value, Vec<Value>) {
    let deltas = pieces::of_text(field(block, "text").unwrap_or_default())
        .map(|piece| json!({"type": "text_delta", "text": piece}));
    (json!({"type": "text", "text": ""}), deltas.collect())
}

/// The signature comes last, and alone when the text is omitted.
fn thinking(block: &Value) -> (Value, Vec<Value>) {
    let deltas = pieces::of_text(field(block, "thinking").unwrap_or_default())
        .map(|piece| json!({"type": "thinking_delta", "thinking": piece}));
    let signature = json!({"type": "signature_delta", "signature": field(block, "signature")});
    (
        json!({"type": "thinking", "thinking": "", "signature": ""}),
        deltas.chain([signature]).collect(),
    )
}

/// Claude opens the input with an empty piece; a call without arguments has
/// no pieces at all.
fn tool(block: &Value) -> (Value, Vec<Value>) {
    let mut empty = block.clone();
    let input = block
        .get("input")
        .map(ToString::to_string)
        .unwrap_or_default();
    if let Some(fields) = empty.as_object_mut() {
        fields.insert("input".to_owned(), json!({}));
    }
    if input == "{}" {
        return (empty, Vec::new());
    }
    let deltas = std::iter::once("")
        .chain(pieces::of(&input, JSON_PIECE))
        .map(|piece| json!({"type": "input_json_delta", "partial_json": piece}))
        .collect();
    (empty, deltas)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_without_arguments_has_no_deltas() {
        let block = json!({"type": "tool_use", "id": "a", "name": "now", "input": {}});
        assert_eq!(block_events(0, &block).len(), 2);
    }
}
