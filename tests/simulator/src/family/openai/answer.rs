//! The answer as a chat completion, and as its chunks.

use serde_json::{Map, Value, json};

use super::quirks::{Place, Quirks};
use crate::catalog::Model;
use crate::family::pieces::{self, JSON_PIECE};
use crate::family::reply::Reply;
use crate::family::{Answer, digits, field, list};

/// A moment in 2026: answers are deterministic.
const CREATED: u64 = 1_768_480_496;

pub(super) fn answer(reply: &Reply, model: &Model, quirks: Quirks) -> Answer {
    let calls = tool_calls(reply, |number, name| match quirks {
        Quirks::Kimi => format!("functions.{name}:{}", number - 1),
        _ => format!("call_{number:024}"),
    });
    let message = message(reply, &calls, quirks);
    let finish = reply.stop.word(["stop", "length", "tool_calls"]);
    let usage = usage(reply);
    let head = head(&message, model, quirks);
    let mut body = head.clone();
    if body.contains_key("object") {
        body.insert("object".to_owned(), json!("chat.completion"));
    }
    let choice = json!({"index": 0, "message": message, "finish_reason": finish});
    body.insert("choices".to_owned(), json!([choice]));
    body.insert("usage".to_owned(), usage.clone());
    let mut events = chunks(&message, "finish_reason", finish);
    events.push(json!({"choices": [], "usage": usage}));
    for event in &mut events {
        if let Some(fields) = event.as_object_mut() {
            fields.extend(head.clone());
        }
    }
    if quirks == Quirks::Writer {
        // Some servers pass the end mark of their own event stream through.
        events.push(json!("[DONE]"));
    }
    Answer {
        body: Value::Object(body),
        events,
        input_tokens: reply.input_tokens,
        output_tokens: reply.output_tokens,
    }
}

/// Not every vendor fills in what identifies an answer.
fn head(message: &Value, model: &Model, quirks: Quirks) -> Map<String, Value> {
    let mut head = Map::new();
    head.insert("model".to_owned(), json!(model.id));
    if quirks != Quirks::MiniMax {
        head.insert(
            "id".to_owned(),
            json!(format!("chatcmpl-{}", digits(message))),
        );
        head.insert("object".to_owned(), json!("chat.completion.chunk"));
        head.insert("created".to_owned(), json!(CREATED));
    }
    head
}

fn usage(reply: &Reply) -> Value {
    let mut usage = json!({
        "prompt_tokens": reply.input_tokens,
        "completion_tokens": reply.output_tokens,
        "total_tokens": reply.input_tokens + reply.output_tokens,
    });
    if let (true, Some(fields)) = (reply.reasoning.is_some(), usage.as_object_mut()) {
        let details = json!({"reasoning_tokens": reply.reasoning_tokens});
        fields.insert("completion_tokens_details".to_owned(), details);
    }
    usage
}

/// The calls, with the ids that a family gives.
pub(crate) fn tool_calls(reply: &Reply, id: impl Fn(usize, &str) -> String) -> Vec<Value> {
    let call = |call: &crate::family::reply::Call| {
        json!({"id": id(call.number, &call.name), "type": "function", "function": {
            "name": call.name, "arguments": call.input.to_string()}})
    };
    reply.calls.iter().map(call).collect()
}

fn message(reply: &Reply, calls: &[Value], quirks: Quirks) -> Value {
    let mut message = json!({"role": "assistant", "content": reply.text});
    let Some(fields) = message.as_object_mut() else {
        return message;
    };
    if !calls.is_empty() {
        fields.insert("tool_calls".to_owned(), json!(calls));
    }
    if let Some(reasoning) = &reply.reasoning {
        let text = reply.text.as_deref().unwrap_or_default();
        let (name, value) = match quirks.place() {
            Place::Tag(tag) => ("content", format!("<{tag}>{reasoning}</{tag}>{text}")),
            Place::Field(name) => (name, reasoning.clone()),
        };
        fields.insert(name.to_owned(), json!(value));
    }
    message
}

/// The chunks of a message: role, reasoning, content, calls, end.
pub(crate) fn chunks(message: &Value, end: &str, finish: &str) -> Vec<Value> {
    let mut deltas = vec![json!({"role": "assistant", "content": ""})];
    for name in ["reasoning_content", "reasoning", "content"] {
        let texts = texts(field(message, name).unwrap_or_default());
        deltas.extend(texts.into_iter().map(|piece| json!({ name: piece })));
    }
    for (index, call) in list(message, "tool_calls").iter().enumerate() {
        deltas.extend(call_deltas(index, call));
    }
    let chunk = |delta: Value, finish: Value| json!({"choices": [{"index": 0, "delta": delta, end: finish}]});
    let mut chunks: Vec<Value> = deltas
        .into_iter()
        .map(|delta| chunk(delta, Value::Null))
        .collect();
    chunks.push(chunk(json!({}), json!(finish)));
    chunks
}

/// Inline reasoning arrives in one piece, the text word by word.
fn texts(text: &str) -> Vec<&str> {
    let (reasoning, rest) = match text.find("</reasoning>") {
        Some(at) => text.split_at(at + "</reasoning>".len()),
        None => ("", text),
    };
    let reasoning = Some(reasoning).filter(|text| !text.is_empty());
    reasoning.into_iter().chain(pieces::of_text(rest)).collect()
}

fn call_deltas(index: usize, call: &Value) -> Vec<Value> {
    let function = call.get("function").unwrap_or(&Value::Null);
    let arguments = field(function, "arguments").unwrap_or_default();
    let start = json!({"index": index, "id": call.get("id"), "type": "function",
        "function": {"name": function.get("name"), "arguments": ""}});
    let rest = pieces::of(arguments, JSON_PIECE)
        .into_iter()
        .map(|piece| json!({"index": index, "function": {"arguments": piece}}));
    let calls = std::iter::once(start).chain(rest);
    calls.map(|call| json!({"tool_calls": [call]})).collect()
}
