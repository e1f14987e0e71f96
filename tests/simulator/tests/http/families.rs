//! `InvokeModel` of every family but Claude: what is refused, what is
//! answered, and that the stream adds up to the plain answer.

mod chat;
pub(crate) mod nova;
mod openai;
mod prompts;

use serde_json::{Value, json};

use crate::client::{Call, events, start};

/// A PNG file's first bytes, which are enough to pass for an image.
pub(crate) const PNG: &str = "iVBORw0KGgo=";

/// Model, change of a good body, part of the refusal (`""`: accepted).
pub(crate) type Row = (&'static str, Value, &'static str);

/// Sends a good body with these top-level fields set (`null` removes one).
pub(crate) async fn check(operation: &str, good: &Value, rows: Vec<Row>) {
    let simulator = start().await;
    for (model, fields, expected) in rows {
        let request = with(good, &fields);
        let call = Call::new(&model.replace(':', "%3A"), operation, &request);
        let response = call.send(&simulator).await;
        let status = response.status();
        // An accepted stream is not JSON.
        let answer: Value = response.json().await.unwrap_or_default();
        let wanted = if expected.is_empty() { 200 } else { 400 };
        assert_eq!(status, wanted, "{model} {fields} {answer}");
        let message = answer["message"].as_str().unwrap_or_default();
        assert!(
            message.contains(expected),
            "{model} {fields}\n got: {message}\nwant: {expected}"
        );
    }
}

/// A body with some fields set, or removed where they are null.
pub(crate) fn with(good: &Value, fields: &Value) -> Value {
    let mut request = good.clone();
    for (name, value) in fields.as_object().unwrap() {
        match value {
            Value::Null => drop(request.as_object_mut().unwrap().remove(name)),
            value => request[name] = value.clone(),
        }
    }
    request
}

/// An answer both ways.
pub(crate) struct Both {
    pub(crate) plain: Value,
    pub(crate) events: Vec<Value>,
    pub(crate) tokens: [u64; 2],
}

/// Sends a body to both operations. The counts of the headers must be those of
/// the stream's metrics.
pub(crate) async fn both(model: &str, body: &Value) -> Both {
    let simulator = start().await;
    let model = model.replace(':', "%3A");
    let response = Call::invoke(&model, body).send(&simulator).await;
    assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
    let tokens = ["input", "output"].map(|way| {
        let name = format!("x-amzn-bedrock-{way}-token-count");
        let count = response.headers()[&name].to_str().unwrap();
        count.parse().unwrap()
    });
    let plain = response.json().await.unwrap();
    let streamed = Call::stream(&model, body).send(&simulator).await;
    let mut events = events(&streamed.bytes().await.unwrap());
    let end = events.iter_mut().rev().find(|e| e.is_object()).unwrap();
    let end = end.as_object_mut().unwrap();
    let metrics = end.remove("amazon-bedrock-invocationMetrics").unwrap();
    assert_eq!(
        [&metrics["inputTokenCount"], &metrics["outputTokenCount"]],
        [&json!(tokens[0]), &json!(tokens[1])]
    );
    Both {
        plain,
        events,
        tokens,
    }
}

/// The text at a pointer of every event.
pub(crate) fn texts(events: &[Value], pointer: &str) -> String {
    let texts = events
        .iter()
        .filter_map(|event| event.pointer(pointer)?.as_str());
    texts.collect()
}
