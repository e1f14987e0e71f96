//! Anthropic's Messages in front of Bedrock, by vectors: what people who tried it found to be right.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bedrock_filter::exchange::{Arrival, Exchange};
use bedrock_filter::routes::Routes;
use golden_cases::frames;
use harness::{Message, answer, headers, routes, send_as};
use serde_json::{Value, json};

const VECTORS: &str = include_str!("vectors/anthropic-messages.json");

/// A vector's request, or one for its answer to be the answer to.
fn request(vector: &Value) -> Value {
    let model = vector.pointer("/context/requested_model");
    let model = model.map_or("claude-sonnet-4-5-20250929", |own| own.as_str().unwrap());
    let is_stream = ["chunks", "events"]
        .iter()
        .any(|name| vector["upstream_answer"].get(name).is_some());
    let own = json!({"path": "/v1/messages", "body": {
        "model": model,
        "max_tokens": 16,
        "stream": is_stream,
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}}}],
    }});
    vector.get("request").cloned().unwrap_or(own)
}

fn channel(vector: &Value) -> Arc<Routes> {
    let api = vector.pointer("/context/api").and_then(Value::as_str);
    let is_converse =
        api == Some("converse") || vector.pointer("/context/requested_model").is_some();
    let channel = json!({
        "name": "a",
        "region": "us-east-1",
        "credentials": {"type": "static", "access_key_id": "AKIDEXAMPLE", "secret_access_key": "s"},
        "model_mapping": {"my-sonnet": "claude-sonnet-4-5"},
        "api": if is_converse { "converse" } else { "auto" },
    });
    routes(&json!({"channels": [channel]}).to_string())
}

fn sent(exchange: &mut Exchange, request: &Value) -> Result<Message, (u16, Vec<u8>)> {
    let none = serde_json::Map::new();
    let own = request["headers"].as_object().unwrap_or(&none);
    let own: Vec<_> = own
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let body = request["body"].to_string();
    send_as(
        exchange,
        (request["path"].as_str().unwrap(), &own),
        body.as_bytes(),
    )
}

/// Whether something is as a vector says, which may say less: `<…>` stands for anything like that.
fn fits(seen: &Value, wanted: &Value) -> bool {
    match (seen, wanted) {
        (_, Value::String(text)) if text.starts_with("<starts with '") => {
            let start = text.split('\'').nth(1).unwrap();
            seen.as_str().is_some_and(|seen| seen.starts_with(start))
        }
        (_, Value::String(text)) if text.starts_with("<names ") => {
            let names = text.trim_matches(['<', '>']).split(' ').skip(1);
            let seen = seen.as_str().unwrap_or_default();
            names
                .filter(|name| *name != "and")
                .all(|name| seen.contains(name))
        }
        (_, Value::String(text)) if text.starts_with('<') => !seen.is_null(),
        // A remedy may stand behind what Bedrock says.
        (Value::String(seen), Value::String(text)) if text == "m" => seen.starts_with("m"),
        (Value::Object(seen), Value::Object(wanted)) => wanted.iter().all(|(name, value)| {
            let own = seen.get(name).unwrap_or(&Value::Null);
            fits(own, value)
        }),
        (Value::Array(seen), Value::Array(wanted)) => {
            seen.len() == wanted.len() && seen.iter().zip(wanted).all(|(a, b)| fits(a, b))
        }
        (seen, wanted) => seen == wanted,
    }
}

/// Neighbouring messages of the user as one: a model server merges them.
fn merged(mut body: Value) -> Value {
    let Some(messages) = body.get_mut("messages").and_then(Value::as_array_mut) else {
        return body;
    };
    let mut all: Vec<Value> = Vec::new();
    for message in messages.drain(..) {
        match all.last_mut() {
            Some(last) if last["role"] == "user" && message["role"] == "user" => {
                let list = last["content"].as_array_mut().unwrap();
                match &message["content"] {
                    Value::String(text) => list.push(json!({"type": "text", "text": text})),
                    more => list.extend(more.as_array().unwrap().iter().cloned()),
                }
            }
            _ => all.push(message),
        }
    }
    *messages = all;
    body
}

fn check_upstream(vector: &Value, call: &Message) {
    let wanted = &vector["upstream"];
    assert_eq!(call.headers.get_str(":path"), wanted["path"].as_str());
    let names: Vec<_> = call.headers.0.iter().map(|(name, _)| &**name).collect();
    let clients = ["x-api-key", "anthropic-beta", "anthropic-version"];
    assert!(
        !names.iter().any(|name| clients.contains(name)),
        "{names:?}"
    );
    let inner = |body: &Value| {
        let inner = body
            .pointer("/input/invokeModel/body")
            .and_then(Value::as_str);
        inner.map(|own| serde_json::from_slice(&STANDARD.decode(own).unwrap()).unwrap())
    };
    let seen: Value = serde_json::from_slice(&call.body).unwrap();
    let seen = inner(&seen).unwrap_or_else(|| merged(seen));
    let wanted = inner(&wanted["body"]).unwrap_or_else(|| wanted["body"].clone());
    if vector.pointer("/context/family") == Some(&json!("anthropic")) {
        assert_eq!(seen, wanted);
    } else {
        assert!(fits(&seen, &wanted), "{seen:#}\n{wanted:#}");
    }
}

/// What Bedrock answers, by the vector.
fn upstream_answer(own: &Value) -> (bedrock_filter::call::Headers, Vec<u8>) {
    let status = own["status"].to_string();
    let mut body = own["body"].to_string().into_bytes();
    let mut kind = "application/json";
    let lines = ["chunks", "events"]
        .iter()
        .find_map(|name| own[name].as_array());
    if let Some(lines) = lines {
        let line = |event: &Value| match event.get("event") {
            Some(name) => format!("@{} {}\n", name.as_str().unwrap(), event["payload"]),
            None => format!("{event}\n"),
        };
        let mut events: String = lines.iter().map(line).collect();
        if let Some(exception) = own.get("exception") {
            let name = exception["type"].as_str().unwrap();
            events += &format!("!{name} {}\n", json!({"message": exception["message"]}));
        }
        body = frames(&events);
        kind = "application/vnd.amazon.eventstream";
    }
    let none = json!({});
    let more = own.get("headers").unwrap_or(&none).as_object().unwrap();
    let mut all = headers(&[(":status", &status), ("content-type", kind)]);
    for (name, value) in more.iter().filter(|(name, _)| *name != "content-type") {
        all.add(name.clone(), value.as_str().unwrap());
    }
    if all.get("x-amzn-requestid").is_none() {
        all.add("x-amzn-requestid", "r-1");
    }
    (all, body)
}

/// The events of a stream, without pings.
fn events(text: &str) -> Value {
    let events = text.split_terminator("\n\n").map(|event| {
        let (name, data) = event.split_once('\n').unwrap();
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        json!({"event": name.strip_prefix("event: ").unwrap(), "data": data})
    });
    events.filter(|event| event["event"] != "ping").collect()
}

fn check_answer(vector: &Value, seen: &Message) {
    let wanted = &vector["answer"];
    assert_eq!(
        seen.headers.get_str(":status"),
        Some(&*wanted["status"].to_string())
    );
    for (name, value) in wanted["headers"].as_object().into_iter().flatten() {
        let own = seen.headers.get_str(name).unwrap_or_default();
        let value = value.as_str().unwrap();
        assert!(
            own.starts_with(value) || value == "<present>",
            "{name}: {own}"
        );
    }
    let text = String::from_utf8(seen.body.clone()).unwrap();
    match wanted.get("sse") {
        Some(wanted) => assert!(fits(&events(&text), wanted), "{text}\n{wanted:#}"),
        None => {
            let body: Value = serde_json::from_str(&text).unwrap();
            let mut wanted = wanted["body"].clone();
            if let (true, Some(id)) = (body["type"] == "error", wanted.get_mut("request_id")) {
                *id = seen
                    .headers
                    .get_str("request-id")
                    .map_or(Value::Null, |id| json!(id));
            }
            assert!(fits(&body, &wanted), "{body:#}\n{wanted:#}");
        }
    }
}

#[test]
fn vectors_are_met() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let vectors = vectors["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 33);
    for vector in vectors {
        let mut exchange = Exchange::new(channel(vector));
        match sent(&mut exchange, &request(vector)) {
            Ok(call) => {
                if vector.get("upstream").is_some() {
                    check_upstream(vector, &call);
                }
                if let Some(own) = vector.get("upstream_answer") {
                    let (head, body) = upstream_answer(own);
                    let seen = answer(&mut exchange, head, &body, &[]);
                    check_answer(vector, &seen);
                }
            }
            Err((status, body)) => {
                let body = String::from_utf8(body).unwrap();
                assert_eq!(vector["answer"]["status"], status, "{body}");
                let body: Value = serde_json::from_str(&body).unwrap();
                let mut wanted = vector["answer"]["body"].clone();
                wanted.as_object_mut().unwrap().remove("request_id");
                assert!(fits(&body, &wanted), "{body:#}");
            }
        }
    }
}

#[test]
fn a_client_is_answered_under_its_own_id_whoever_answers() {
    let routes = channel(&json!({}));
    for (path, id) in [
        ("/v1/messages?beta=true", Some("req_6d1f")),
        ("/v1/messages/count_tokens", Some("req_6d1f")),
        ("/v1/chat/completions", None),
    ] {
        let mut exchange = Exchange::new(Arc::clone(&routes));
        let head = [
            (":method", "POST"),
            (":path", path),
            ("x-request-id", "6d1f"),
        ];
        exchange.request_headers(headers(&head), Arrival::Partial);
        assert_eq!(exchange.reply_id().as_deref(), id, "{path}");
        let reply = exchange.unavailable();
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(body["request_id"].as_str(), id, "{path}");
        let told = reply.headers.iter().find(|(name, _)| name == "request-id");
        assert_eq!(told.map(|(_, value)| value.to_str().unwrap()), id, "{path}");
        assert_eq!(exchange.reply_id(), None, "{path}");
    }
}
