//! Names that choose a model.

use std::rc::Rc;
use std::sync::Arc;

use bedrock_filter::exchange::{Arrival, Exchange, Step};
use bedrock_filter::failover::ChannelPicker;
use bedrock_filter::routes::Routes;
use golden_cases::frames;
use harness::{answer, headers, now, routes};
use serde_json::{Value, json};

use super::{replied, request};

/// Two accounts, of which one has Nova alone, and names that choose.
fn config() -> Value {
    let channel = |name: &str, models: &[&str]| {
        json!({
            "name": name,
            "region": "us-east-1",
            "credentials": {"type": "bedrock_api_key", "api_key": "k"},
            "models": models,
        })
    };
    json!({
        "channels": [
            channel("amazon", &["nova-lite", "nova-pro", "titan-text-express"]),
            channel("anthropic", &["claude-haiku-4-5"]),
        ],
        "model_choices": {
            "fast": ["titan-text-express", "nova-lite", "claude-haiku-4-5"],
            "auto": {
                "rules": [
                    {"when": {"tag": "high"}, "use": "claude-haiku-4-5"},
                    {"when": {"images": true}, "use": "nova-pro"},
                    {"when": {"tools": true}, "use": "fast"},
                ],
                "else": "nova-lite",
            },
            "mixed": ["titan-text-express", "claude-haiku-4-5"],
            "gone": ["unheard-of"],
        },
    })
}

fn compiled() -> Arc<Routes> {
    routes(&config().to_string())
}

fn send(exchange: &mut Exchange, path: &str, tier: Option<&str>, body: &Value) -> Step {
    let mut head = request("POST", path);
    if let Some(tier) = tier {
        head.add("x-bedrock-tier", tier);
    }
    let step = exchange.request_headers(head, Arrival::Partial);
    assert_eq!(step, Step::Wait);
    let body = body.to_string().into_bytes();
    exchange.request_body(body.len(), Arrival::Complete, now(), &mut || body.clone())
}

/// Path and body of the call.
#[track_caller]
fn call(step: Step) -> (String, String) {
    let Step::Edit(edit) = step else {
        panic!("no call: {step:?}");
    };
    let head = edit.headers.unwrap();
    let path = head.get_str(":path").unwrap().to_owned();
    let body = String::from_utf8(edit.body.unwrap().into_vec()).unwrap();
    (path, body)
}

fn chat(text: &str) -> Value {
    json!({"model": "auto", "messages": [{"role": "user", "content": text}]})
}

#[test]
fn rules_choose_by_what_is_in_a_request() {
    let image =
        json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}});
    let mut seeing = chat("");
    seeing["messages"][0]["content"] = json!([{"type": "text", "text": "What is this?"}, image]);
    let mut able = chat("Hi");
    able["tools"] = json!([{"type": "function", "function": {"name": "f"}}]);
    for (body, tier, model) in [
        (chat("Hi"), None, "nova-lite"),
        (chat("[high] Hi"), None, "claude-haiku-4-5"),
        (chat("Hi"), Some("high"), "claude-haiku-4-5"),
        (chat("[low] Hi"), None, "nova-lite"),
        (seeing, None, "nova-pro"),
        // Titan takes no tools.
        (able, None, "nova-lite"),
    ] {
        let mut exchange = Exchange::new(compiled());
        let (path, sent) = call(send(&mut exchange, "/v1/chat/completions", tier, &body));
        assert!(path.contains(model), "{path} for {body}");
        assert!(!sent.contains("[high]"), "{sent}");
        let outcome = exchange.outcome().unwrap();
        assert_eq!(
            (&*outcome.model, outcome.chosen.as_deref()),
            ("auto", Some(model))
        );
    }
}

#[test]
fn rules_choose_for_every_protocol() {
    let messages = json!({"model": "auto", "max_tokens": 9, "messages": [{"role": "user", "content": "[high] Hi"}]});
    let responses = json!({"model": "auto", "input": "[high] Hi"});
    for (path, body) in [("/v1/messages", messages), ("/v1/responses", responses)] {
        let mut exchange = Exchange::new(compiled());
        let (path, sent) = call(send(&mut exchange, path, None, &body));
        assert!(path.contains("claude-haiku-4-5"), "{path}");
        assert!(sent.contains("Hi") && !sent.contains("[high]"), "{sent}");
    }
}

#[test]
fn the_answer_has_the_clients_name_and_a_header_names_the_model() {
    let whole = json!({
        "output": {"message": {"role": "assistant", "content": [{"text": "Hello!"}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 5, "outputTokens": 3, "totalTokens": 8},
    });
    let stream = frames(
        "{\"messageStart\":{\"role\":\"assistant\"}}\n{\"contentBlockDelta\":{\"delta\":{\"text\":\"Hi\"},\"contentBlockIndex\":0}}\n{\"messageStop\":{\"stopReason\":\"end_turn\"}}",
    );
    for (is_stream, kind, body) in [
        (false, "application/json", whole.to_string().into_bytes()),
        (true, "application/vnd.amazon.eventstream", stream),
    ] {
        let mut exchange = Exchange::new(compiled());
        let mut ask = chat("Hi");
        ask["stream"] = json!(is_stream);
        call(send(&mut exchange, "/v1/chat/completions", None, &ask));
        let head = headers(&[(":status", "200"), ("content-type", kind)]);
        let seen = answer(&mut exchange, head, &body, &[]);
        assert_eq!(seen.headers.get_str("x-bedrock-model"), Some("nova-lite"));
        let text = String::from_utf8(seen.body).unwrap();
        assert!(text.contains("\"model\":\"auto\""), "{text}");
    }
}

#[test]
fn a_name_whose_models_nobody_serves_is_refused() {
    let body = json!({"model": "gone", "messages": [{"role": "user", "content": "Hi"}]});
    let mut config = config();
    config["failover"] = json!({});
    let picker = Rc::new(ChannelPicker::default());
    let failing_over = routes(&config.to_string());
    for mut exchange in [
        Exchange::new(compiled()),
        Exchange::on_listener(failing_over, &picker),
    ] {
        let step = send(&mut exchange, "/v1/chat/completions", None, &body);
        let Step::Reply(reply) = step else {
            panic!("{step:?}");
        };
        assert_eq!(reply.status.as_u16(), 404);
        let text = String::from_utf8(reply.body).unwrap();
        assert!(text.contains("model_not_found"), "{text}");
        // It is the name that the client knows, not that of a model.
        assert!(text.contains("`gone` chooses"), "{text}");
        assert!(text.contains("GET /v1/models lists"), "{text}");
        assert!(!text.contains("unheard-of"), "{text}");
    }
}

#[test]
fn a_name_whose_models_have_no_credentials_can_be_asked_for_again() {
    let mut config = config();
    for channel in config["channels"].as_array_mut().unwrap() {
        channel["credentials"] = json!({"type": "unavailable"});
    }
    let mut exchange = Exchange::new(routes(&config.to_string()));
    let body = json!({"model": "fast", "messages": [{"role": "user", "content": "Hi"}]});
    let step = send(&mut exchange, "/v1/chat/completions", None, &body);
    let Step::Reply(reply) = step else {
        panic!("{step:?}");
    };
    assert_eq!(reply.status.as_u16(), 503);
    let text = String::from_utf8(reply.body).unwrap();
    assert!(text.contains("credentials_unavailable"), "{text}");
    assert!(text.contains("serves `fast`"), "{text}");
}

/// A model that nobody serves does not hide why the others refuse a request.
#[test]
fn a_refusal_counts_more_than_a_model_that_is_not_served() {
    let mut config = config();
    config["model_choices"]["half"] = json!(["unheard-of", "titan-text-express"]);
    let mut exchange = Exchange::new(routes(&config.to_string()));
    let tools = json!([{"type": "function", "function": {"name": "f"}}]);
    let body =
        json!({"model": "half", "messages": [{"role": "user", "content": "Hi"}], "tools": tools});
    let step = send(&mut exchange, "/v1/chat/completions", None, &body);
    assert_eq!(replied(step).0, 400);
}

#[test]
fn names_that_choose_are_listed_if_they_lead_anywhere() {
    let mut exchange = Exchange::new(compiled());
    let Step::Reply(reply) =
        exchange.request_headers(request("GET", "/v1/models"), Arrival::Complete)
    else {
        panic!("no reply");
    };
    let list: Value = serde_json::from_slice(&reply.body).unwrap();
    let ids: Vec<_> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| own["id"].as_str().unwrap())
        .collect();
    assert!(ids.contains(&"auto") && ids.contains(&"fast"), "{ids:?}");
    assert!(!ids.contains(&"gone"), "{ids:?}");
    let mut exchange = Exchange::new(compiled());
    let Step::Reply(reply) =
        exchange.request_headers(request("GET", "/v1/models/auto"), Arrival::Complete)
    else {
        panic!("no reply");
    };
    let one: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(one["id"], "auto");
}

/// Sends a request to a pool, and has one channel after the other answer that it is throttled. Checks which model each
/// was asked for, and which pool it was.
#[track_caller]
fn throttled(body: &Value, pool: &str, expected: &[(&str, &str)]) {
    let mut config = config();
    config["failover"] = json!({});
    let routes = routes(&config.to_string());
    let picker = Rc::new(ChannelPicker::default());
    let mut exchange = Exchange::on_listener(Arc::clone(&routes), &picker);
    let Step::Edit(edit) = send(&mut exchange, "/v1/chat/completions", None, body) else {
        panic!("no placeholder");
    };
    let head = edit.headers.unwrap();
    let cluster = head.get_str("x-bedrock-cluster").unwrap();
    assert_eq!(cluster, format!("bedrock|pool|{pool}"));
    assert!(routes.pools().contains_key(cluster));
    let retries = head.get_str("x-envoy-max-retries").unwrap();
    // Envoy has one to spare.
    assert_eq!(retries, expected.len().to_string());
    let request = Rc::clone(exchange.retryable().unwrap());
    for (channel, model) in expected {
        let (mut attempt, step) = Exchange::attempt(Rc::clone(&request), channel, now());
        let path = call(step).0;
        assert!(path.contains(model), "{path} instead of {model}");
        let head = headers(&[(":status", "429"), ("content-type", "application/json")]);
        attempt.response_headers(head, Arrival::Partial);
    }
}

/// With failover, the next model takes over, on another channel or on the same.
#[test]
fn a_throttled_model_is_followed_by_the_next() {
    let body = json!({"model": "fast", "messages": [{"role": "user", "content": "Hi"}]});
    throttled(
        &body,
        "amazon|anthropic",
        &[
            ("amazon", "titan-text-express"),
            ("amazon", "nova-lite"),
            ("anthropic", "claude-haiku-4-5"),
        ],
    );
}

#[test]
fn a_model_that_refuses_the_request_is_left_out_and_the_others_back_each_other_up() {
    let mut body = json!({"model": "fast", "messages": [{"role": "user", "content": "Hi"}]});
    body["tools"] = json!([{"type": "function", "function": {"name": "f"}}]);
    throttled(
        &body,
        "amazon|anthropic",
        &[("amazon", "nova-lite"), ("anthropic", "claude-haiku-4-5")],
    );
    // Where a channel would be left without a model, the picked one stays alone.
    body["model"] = json!("mixed");
    throttled(&body, "anthropic", &[("anthropic", "claude-haiku-4-5")]);
}
