//! A reply as content blocks, and as the events that carry them.

use serde_json::{Map, Value, json};

use crate::family::pieces::{self, JSON_PIECE};
use crate::family::reply::Reply;
use crate::family::{field, list};

/// The blocks of a reply; `reasoning` is the block for its reasoning.
pub(crate) fn content(reply: &Reply, reasoning: Option<Value>) -> Vec<Value> {
    let text = reply.text.iter().map(|text| json!({ "text": text }));
    let calls = reply.calls.iter().map(|call| {
        let id = format!("tooluse_{:016}", call.number);
        json!({"toolUse": {"toolUseId": id, "name": call.name, "input": call.input}})
    });
    reasoning.into_iter().chain(text).chain(calls).collect()
}

/// `usage`, with the names that the cache counters have.
pub(crate) fn usage_of(reply: &Reply, cache: [(&str, u64); 2]) -> Value {
    let mut usage = Map::new();
    let cached: u64 = cache.iter().map(|(_, count)| count).sum();
    usage.insert("inputTokens".to_owned(), json!(reply.input_tokens));
    usage.insert("outputTokens".to_owned(), json!(reply.output_tokens));
    let total = reply.input_tokens + reply.output_tokens + cached;
    usage.insert("totalTokens".to_owned(), json!(total));
    for (name, count) in cache {
        usage.insert(name.to_owned(), json!(count));
    }
    Value::Object(usage)
}

/// The events of a message, up to and without the metadata.
pub(crate) fn events(message: &Value, stop: &Value) -> Vec<Value> {
    let mut events = vec![json!({"messageStart": {"role": "assistant"}})];
    for (index, block) in list(message, "content").iter().enumerate() {
        if let Some(call) = block.get("toolUse") {
            let start =
                json!({"toolUse": {"toolUseId": call.get("toolUseId"), "name": call.get("name")}});
            events.push(json!({"contentBlockStart": {"contentBlockIndex": index, "start": start}}));
        }
        events.extend(deltas(block).into_iter().map(
            |delta| json!({"contentBlockDelta": {"contentBlockIndex": index, "delta": delta}}),
        ));
        events.push(json!({"contentBlockStop": {"contentBlockIndex": index}}));
    }
    events.push(json!({ "messageStop": stop }));
    events
}

fn deltas(block: &Value) -> Vec<Value> {
    if let Some(text) = field(block, "text") {
        return texts(text).map(|piece| json!({ "text": piece })).collect();
    }
    if let Some(reasoning) = block.get("reasoningContent") {
        return reasoning_deltas(reasoning);
    }
    let input = block.pointer("/toolUse/input");
    let input = input.map(ToString::to_string).unwrap_or_default();
    match input.as_str() {
        // A call without arguments has no pieces.
        "{}" => Vec::new(),
        input => pieces::of(input, JSON_PIECE)
            .into_iter()
            .map(|piece| json!({"toolUse": {"input": piece}}))
            .collect(),
    }
}

fn reasoning_deltas(reasoning: &Value) -> Vec<Value> {
    if let Some(data) = reasoning.get("redactedContent") {
        return vec![json!({"reasoningContent": {"redactedContent": data}})];
    }
    let inner = reasoning.get("reasoningText").unwrap_or(&Value::Null);
    let text = texts(field(inner, "text").unwrap_or_default())
        .map(|piece| json!({"reasoningContent": {"text": piece}}));
    let signature = field(inner, "signature")
        .map(|signature| json!({"reasoningContent": {"signature": signature}}));
    text.chain(signature).collect()
}

fn texts(text: &str) -> impl Iterator<Item = &str> {
    pieces::of_text(text)
}
