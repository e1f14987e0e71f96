//! Test vectors for OpenAI's Responses API: requests and what Bedrock gets, answers and what clients get.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bedrock_filter::exchange::Exchange;
use golden_cases::{RESPONSES, frame};
use harness::{answer, headers, routes, send_to};
use serde_json::{Value, json};

const VECTORS: &str = include_str!("vectors/responses.json");

fn exchange() -> Exchange {
    let config = json!({"channels": [{
        "name": "a",
        "region": "us-east-1",
        "model_mapping": {"claude-sonnet-4-5-20250929": "claude-sonnet-4-5"},
        "credentials": {
            "type": "static",
            "access_key_id": "AKIDEXAMPLE",
            "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
        }
    }]});
    Exchange::new(routes(&config.to_string()))
}

/// Checks a value; `<abc...>` matches what begins with `abc`, and other words in angle brackets match any text.
/// With `open`, objects may have more members.
fn is(seen: &Value, expected: &Value, open: bool) -> bool {
    match (seen, expected) {
        (Value::String(seen), Value::String(expected)) => {
            let inside = expected
                .strip_prefix('<')
                .and_then(|own| own.strip_suffix('>'));
            match inside {
                None => seen == expected,
                Some(words) => match (words.strip_suffix("..."), words.split('\'').nth(1)) {
                    (Some(prefix), _) | (None, Some(prefix)) => seen.starts_with(prefix),
                    (None, None) => !seen.is_empty(),
                },
            }
        }
        (Value::Array(seen), Value::Array(expected)) => {
            seen.len() == expected.len()
                && seen
                    .iter()
                    .zip(expected)
                    .all(|(seen, own)| is(seen, own, open))
        }
        (Value::Object(seen), Value::Object(expected)) => {
            (open || seen.len() == expected.len())
                && expected
                    .iter()
                    .all(|(name, own)| seen.get(name).is_some_and(|seen| is(seen, own, open)))
        }
        (seen, expected) => seen == expected,
    }
}

#[track_caller]
fn check(id: &str, seen: &Value, expected: &Value, open: bool) {
    assert!(
        is(seen, expected, open),
        "{id}: {seen:#} is not {expected:#}"
    );
}

/// The bytes of an upstream answer, and its content type.
fn upstream_answer(vector: &Value) -> Option<(Vec<u8>, &'static str)> {
    let own = vector.get("upstream_answer")?;
    let Some(chunks) = own["chunks"].as_array() else {
        return Some((own["body"].to_string().into_bytes(), "application/json"));
    };
    let mut bytes = Vec::new();
    for chunk in chunks {
        let payload = json!({"bytes": STANDARD.encode(chunk.to_string())}).to_string();
        let kind = [(":event-type", "chunk"), (":message-type", "event")];
        bytes.extend(frame(&kind, payload.as_bytes()));
    }
    if let Some(exception) = own.get("exception") {
        let name = exception["type"].as_str().unwrap();
        let kind = [(":exception-type", name), (":message-type", "exception")];
        let payload = json!({"message": exception["message"]}).to_string();
        bytes.extend(frame(&kind, payload.as_bytes()));
    }
    Some((bytes, "application/vnd.amazon.eventstream"))
}

fn check_stream(id: &str, text: &str, expected: &Value) {
    let events = text.split_terminator("\n\n").map(|event| {
        let (_, data) = event.split_once("data: ").unwrap();
        serde_json::from_str::<Value>(data).unwrap()
    });
    let events: Vec<_> = events.collect();
    let all = |name: &str| Value::Array(events.iter().map(|own| own[name].clone()).collect());
    if let Some(types) = expected.get("sse_types") {
        assert_eq!(&all("type"), types, "{id}");
    }
    if let Some(numbers) = expected.get("sequence_numbers") {
        assert_eq!(&all("sequence_number"), numbers, "{id}");
    }
    if let Some(last) = expected.get("last_event") {
        check(id, events.last().unwrap(), last, true);
    }
    if let Some(kind) = expected.get("no_event") {
        assert!(events.iter().all(|event| event["type"] != *kind), "{id}");
    }
    if let Some(kind) = expected.get("no_item_of_type") {
        assert!(
            events.iter().all(|event| event["item"]["type"] != *kind),
            "{id}"
        );
    }
}

#[test]
fn the_vectors_hold() {
    let vectors: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    assert_eq!(vectors.len(), 14);
    for vector in &vectors {
        let id = vector["id"].as_str().unwrap();
        let streams = vector["upstream_answer"]["chunks"].is_array();
        let plain =
            json!({"model": "claude-sonnet-4-5-20250929", "input": "Hi", "stream": streams});
        let request = vector
            .pointer("/request/body")
            .unwrap_or(&plain)
            .to_string();
        let mut exchange = exchange();
        let expected = &vector["answer"];
        let call = match send_to(&mut exchange, RESPONSES, request.as_bytes()) {
            Ok(call) => call,
            Err((status, body)) => {
                assert_eq!(expected["status"], json!(status), "{id}");
                let body: Value = serde_json::from_slice(&body).unwrap();
                check(id, &body, &expected["body"], false);
                continue;
            }
        };
        if let Some(upstream) = vector.get("upstream") {
            assert_eq!(
                call.headers.get_str(":path"),
                upstream["path"].as_str(),
                "{id}"
            );
            let mut body: Value = serde_json::from_slice(&call.body).unwrap();
            if id == "empty-tools-with-history" {
                // It is not known whether Claude needs the tools that were called; they do no harm.
                let body = body.as_object_mut().unwrap();
                let added = [body.remove("tools"), body.remove("tool_choice")];
                let choice = json!({"type": "none"});
                assert!(added[0].is_some() && added[1] == Some(choice), "{added:?}");
            }
            check(id, &body, &upstream["body"], false);
        }
        let Some((bytes, kind)) = upstream_answer(vector) else {
            continue;
        };
        let head = headers(&[
            (":status", "200"),
            ("content-type", kind),
            ("x-amzn-requestid", "11111111-2222-3333-4444-555555555555"),
        ]);
        let seen = answer(&mut exchange, head, &bytes, &[]);
        let text = String::from_utf8(seen.body).unwrap();
        if streams {
            check_stream(id, &text, expected);
        } else {
            let body = serde_json::from_str(&text).unwrap();
            check(id, &body, &expected["body_contains"], true);
        }
    }
}
