//! The answer of Converse.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{claude as messages, support};
use crate::catalog::Model;
use crate::controls;
use crate::family::ask::{Ask, Format, Thinking};
use crate::family::reply::{Reply, Stop};
use crate::family::{Answer, Family, Overrides, blocks, claude, field, nova, openai};

pub(super) fn answer(model: &Model, body: &Value, overrides: &Overrides) -> Answer {
    let (ask, thought) = match model.family {
        Family::Claude => of_claude(model, body),
        _ => (of_other(model, body), None),
    };
    let reply = ask.reply(overrides);
    let reasoning = reply
        .reasoning
        .as_deref()
        .map(|text| match (&thought, model.family) {
            (Some(show), _) => signed(&show(text)),
            (None, Family::Nova) => nova::reasoning(),
            (None, _) => json!({"reasoningContent": {"reasoningText": {"text": text}}}),
        });
    let message = json!({"role": "assistant", "content": blocks::content(&reply, reasoning)});
    let stop = stop(&reply, body);
    let mut whole = metadata(&reply, body, overrides);
    let mut events = blocks::events(&message, &stop);
    events.push(json!({ "metadata": whole }));
    for fields in [json!({"output": {"message": message}}), stop] {
        whole.extend(fields.as_object().cloned().into_iter().flatten());
    }
    Answer {
        body: Value::Object(whole),
        events,
        input_tokens: reply.input_tokens,
        output_tokens: reply.output_tokens,
    }
}

/// Words a thought as a block of Claude.
type Show = Box<dyn Fn(&str) -> Value>;

fn of_claude(model: &Model, body: &Value) -> (Ask, Option<Show>) {
    // The body was validated, so that it translates.
    let inner = messages::messages_body(model, body).unwrap_or_default();
    let mut ask = claude::ask(model, &inner);
    // Media types are worded alike for every model of Converse.
    ask.sights = blocks::ask(body).sights;
    let id = model.id.clone();
    (
        ask,
        Some(Box::new(move |text| claude::thought(&id, &inner, text))),
    )
}

fn of_other(model: &Model, body: &Value) -> Ask {
    let mut ask = blocks::ask(body);
    let fields = body
        .get("additionalModelRequestFields")
        .unwrap_or(&Value::Null);
    ask.thinking = match model.family {
        Family::Nova => nova::thinking(fields.get("reasoningConfig")),
        Family::DeepSeekR1 => Thinking::On,
        Family::OpenAi => openai::Quirks::of(&model.id).thinking(fields),
        _ => Thinking::Off,
    };
    if let Ok(Some(schema)) = support::schema_of(body) {
        ask.format = Format::Schema(schema);
    }
    ask
}

/// A thinking block of Claude as a reasoning block of Converse.
fn signed(block: &Value) -> Value {
    match field(block, "data") {
        Some(data) => json!({"reasoningContent": {"redactedContent": STANDARD.encode(data)}}),
        None => json!({"reasoningContent": {"reasoningText": {
            "text": field(block, "thinking"),
            "signature": field(block, "signature"),
        }}}),
    }
}

fn stop(reply: &Reply, body: &Value) -> Value {
    let (reason, sequence) = match &reply.stop {
        Stop::Guardrail => ("guardrail_intervened", None),
        Stop::Sequence(text) => ("stop_sequence", Some(text)),
        stop => (stop.word(["end_turn", "max_tokens", "tool_use"]), None),
    };
    let mut fields = Map::new();
    fields.insert("stopReason".to_owned(), json!(reason));
    let native = json!({
        "stop_sequence": sequence,
        "usage": {"output_tokens_details": {"thinking_tokens": reply.reasoning_tokens}},
    });
    let paths = super::super::list(body, "additionalModelResponseFieldPaths");
    let mut found = json!({});
    for path in paths.iter().filter_map(Value::as_str) {
        if let Some(value) = native.pointer(path) {
            insert(&mut found, path, value);
        }
    }
    if !paths.is_empty() {
        fields.insert("additionalModelResponseFields".to_owned(), found);
    }
    Value::Object(fields)
}

/// Puts a value where a JSON pointer says, making the objects on the way.
fn insert(target: &mut Value, path: &str, value: &Value) {
    let Some((name, rest)) = path
        .strip_prefix('/')
        .map(|path| path.split_once('/').unwrap_or((path, "")))
    else {
        return;
    };
    let Some(fields) = target.as_object_mut() else {
        return;
    };
    match rest {
        "" => drop(fields.insert(name.to_owned(), value.clone())),
        rest => {
            let inner = fields.entry(name.to_owned()).or_insert_with(|| json!({}));
            insert(inner, &format!("/{rest}"), value);
        }
    }
}

/// The fields that end a stream, and that are next to the message in an answer.
fn metadata(reply: &Reply, body: &Value, overrides: &Overrides) -> Map<String, Value> {
    let cache = [
        ("cacheReadInputTokens", overrides.cache_read),
        ("cacheWriteInputTokens", overrides.cache_write),
    ];
    let mut fields = Map::new();
    fields.insert("usage".to_owned(), blocks::usage_of(reply, cache));
    fields.insert("metrics".to_owned(), json!({"latencyMs": 100}));
    for name in ["performanceConfig", "serviceTier"] {
        if let Some(value) = body.get(name) {
            fields.insert(name.to_owned(), value.clone());
        }
    }
    let trace = body
        .pointer("/guardrailConfig/trace")
        .and_then(Value::as_str);
    if matches!(trace, Some("enabled" | "enabled_full")) {
        let found = controls::trace(overrides.guardrail.as_deref());
        fields.insert("trace".to_owned(), json!({ "guardrail": found }));
    }
    fields
}
