//! Test vectors for the list of models: what the official packages of both vendors read.

use bedrock_filter::exchange::{Arrival, Exchange, Step};
use harness::{headers, routes};
use serde_json::{Value, json};

const VECTORS: &str = include_str!("vectors/models.json");

/// The answer to a request, with more headers.
fn answer(request: &Value, more: &[(&str, &str)]) -> (u16, Value) {
    let config = json!({"channels": [{
        "name": "a",
        "region": "us-east-1",
        "models": ["claude-sonnet-4-5"],
        "credentials": {"type": "static", "access_key_id": "AKIDEXAMPLE", "secret_access_key": "s"},
    }]});
    let mut sent = headers(&[
        (":method", request["method"].as_str().unwrap()),
        (":path", request["path"].as_str().unwrap()),
        (":authority", "gateway.example"),
    ]);
    sent.0.extend(headers(more).0);
    let step = Exchange::new(routes(&config.to_string())).request_headers(sent, Arrival::Complete);
    let Step::Reply(reply) = step else {
        panic!("no reply: {step:?}");
    };
    (
        reply.status.as_u16(),
        serde_json::from_slice(&reply.body).unwrap(),
    )
}

/// Whether a value has everything that another has.
fn has(seen: &Value, wanted: &Value) -> bool {
    match (seen, wanted) {
        (Value::Object(seen), Value::Object(wanted)) => wanted
            .iter()
            .all(|(name, value)| seen.get(name).is_some_and(|own| has(own, value))),
        (Value::Array(seen), Value::Array(wanted)) => {
            seen.len() == wanted.len() && seen.iter().zip(wanted).all(|(seen, own)| has(seen, own))
        }
        (seen, wanted) => seen == wanted,
    }
}

#[test]
fn vectors_are_met() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    for vector in vectors["vectors"].as_array().unwrap() {
        for (shape, more) in [
            ("openai", &[][..]),
            ("anthropic", &[("anthropic-version", "2023-06-01")]),
        ] {
            let (status, body) = answer(&vector["request"], more);
            let wanted = &vector["answer"];
            assert_eq!(wanted["status"], status);
            assert!(has(&body, &wanted[shape]), "{}: {body:#}", vector["id"]);
        }
    }
}
