//! The answer as events: the same content, in small pieces.
//!
//! <https://platform.claude.com/docs/en/build-with-claude/streaming>

use serde_json::{Value, json};

use super::plan::{field, list};

/// Bytes of tool input per event.
const JSON_PIECE: usize = 7;
/// Upper bound of a text piece, for texts without spaces.
const TEXT_PIECE: usize = 1000;

/// The events whose sum is `message`.
pub(super) fn events(message: &Value) -> Vec<Value> {
    let mut events = vec![start(message)];
    for (index, block) in list(message, "content").iter().enumerate() {
        events.extend(block_events(index, block));
    }
    let usage = message.get("usage").unwrap_or(&Value::Null);
    events.push(json!({
        "type": "message_delta",
        "delta": {
            "stop_reason": message.get("stop_reason"),
            "stop_sequence": message.get("stop_sequence"),
        },
        "usage": { "output_tokens": usage.get("output_tokens") },
    }));
    events.push(end(message, usage));
    events
}

fn start(message: &Value) -> Value {
    let mut message = message.clone();
    if let Some(fields) = message.as_object_mut() {
        fields.remove("amazon-bedrock-guardrailAction");
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
    json!({ "type": "message_start", "message": message })
}

fn end(message: &Value, usage: &Value) -> Value {
    let mut end = json!({
        "type": "message_stop",
        "amazon-bedrock-invocationMetrics": {
            "inputTokenCount": usage.get("input_tokens"),
            "outputTokenCount": usage.get("output_tokens"),
            "invocationLatency": 100,
            "firstByteLatency": 50,
            "cacheReadInputTokenCount": usage.get("cache_read_input_tokens"),
            "cacheWriteInputTokenCount": usage.get("cache_creation_input_tokens"),
        },
    });
    let action = message.get("amazon-bedrock-guardrailAction");
    if let (Some(action), Some(fields)) = (action, end.as_object_mut()) {
        fields.insert("amazon-bedrock-guardrailAction".to_owned(), action.clone());
    }
    end
}

fn block_events(index: usize, block: &Value) -> Vec<Value> {
    let (empty, deltas) = match field(block, "text") {
        Some(text) => (json!({"type": "text", "text": ""}), text_deltas(text)),
        None => tool(block),
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

fn text_deltas(text: &str) -> Vec<Value> {
    text.split_inclusive(char::is_whitespace)
        .flat_map(|word| pieces(word, TEXT_PIECE))
        .map(|piece| json!({"type": "text_delta", "text": piece}))
        .collect()
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
        .chain(pieces(&input, JSON_PIECE))
        .map(|piece| json!({"type": "input_json_delta", "partial_json": piece}))
        .collect();
    (empty, deltas)
}

/// Cuts at character boundaries, near every `size` bytes.
fn pieces(text: &str, size: usize) -> Vec<&str> {
    let mut rest = text;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let end = (size.min(rest.len())..=rest.len()).find(|end| rest.is_char_boundary(*end));
        let (piece, tail) = rest.split_at(end.unwrap_or(rest.len()));
        pieces.push(piece);
        rest = tail;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_never_split_a_character() {
        for size in 1..9 {
            let text = "{\"stadt\":\"Köln 🌧\"}";
            assert_eq!(pieces(text, size).concat(), text, "{size}");
        }
    }

    #[test]
    fn a_call_without_arguments_has_no_deltas() {
        let block = json!({"type": "tool_use", "id": "a", "name": "now", "input": {}});
        assert_eq!(block_events(0, &block).len(), 2);
    }
}
