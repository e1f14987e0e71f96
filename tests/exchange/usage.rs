//! The record of what a request used.

use std::time::Duration;

use bedrock_filter::config::KeyDigest;
use bedrock_filter::exchange::{Arrival, Exchange, Step};
use bedrock_filter::telemetry::Ending;
use bedrock_filter::usage::{Budget, Exhausted, Record, RecordId, Tokens};
use golden_cases::{PLUGIN_CONFIG, frames};
use harness::{answer, headers, now, routes, send_as};
use serde_json::{Value, json};

use super::{CHAT, CHAT_STREAM};

const ID: RecordId = RecordId([7; 16]);

/// An exchange whose usage is recorded.
fn recorded() -> Exchange {
    let mut config: Value = serde_json::from_str(PLUGIN_CONFIG).unwrap();
    config["usage"] = json!({"cluster": "config-service-xds"});
    Exchange::new(routes(&config.to_string()))
}

/// The same where one key exists.
fn recorded_with_a_key(mode: &str) -> Exchange {
    let mut config: Value = serde_json::from_str(PLUGIN_CONFIG).unwrap();
    config["usage"] = json!({"cluster": "config-service-xds"});
    let keys = json!([{"sha256": KeyDigest::of(b"sk-a").to_string()}]);
    config["callers"] = json!({"mode": mode, "entries": [{"name": "team-a", "keys": keys}]});
    Exchange::new(routes(&config.to_string()))
}

/// The record of a request that got this answer two seconds after it was sent.
fn record(
    mut exchange: Exchange,
    request: &[u8],
    upstream: Option<(&str, Value)>,
) -> Option<Record> {
    let path = ("/v1/chat/completions", &[("x-request-id", "r-1")][..]);
    let sent = send_as(&mut exchange, path, request);
    if let Some((status, body)) = upstream {
        sent.unwrap();
        let head = headers(&[
            (":status", status),
            ("content-type", "application/json"),
            ("x-amzn-bedrock-service-tier", "flex"),
        ]);
        answer(&mut exchange, head, body.to_string().as_bytes(), &[]);
    }
    let end = now() + Duration::from_secs(2);
    let report = exchange.take_report(|| end);
    let report = report.or_else(|| exchange.take_last_report(end, Ending::Cancelled));
    exchange.record(&report.unwrap(), || ID)
}

#[test]
fn an_answer_is_recorded_with_its_tokens_and_where_it_came_from() {
    let body = json!({
        "content": [{"type": "text", "text": "Hello!"}],
        "stop_reason": "end_turn",
        "usage": {
            "input_tokens": 3, "output_tokens": 5, "cache_read_input_tokens": 7, "cache_creation_input_tokens": 20,
            "cache_creation": {"ephemeral_5m_input_tokens": 9, "ephemeral_1h_input_tokens": 11},
        },
    });
    let record = record(recorded(), CHAT, Some(("200", body))).unwrap();
    assert_eq!(record.id, ID);
    assert_eq!(record.request_id, "r-1");
    assert_eq!(record.at_ms, 1_768_480_496_000);
    assert_eq!((&*record.channel, &*record.region), ("golden", "us-east-1"));
    assert_eq!(record.model, "claude-sonnet-4-5");
    assert!(
        record.base_model.starts_with("anthropic.claude-sonnet-4-5"),
        "{record:?}"
    );
    assert_eq!(
        (record.endpoint, record.outcome),
        ("openai_chat", "answered")
    );
    let tokens = Tokens {
        input: 3,
        output: 5,
        cache_read: 7,
        cache_write: 20,
        cache_write_1h: 11,
        ..Tokens::default()
    };
    assert_eq!(record.tokens, tokens);
    assert_eq!(
        (&*record.tier, record.attempts, record.duration_ms),
        ("flex", 1, 2_000)
    );
    assert_eq!(
        (record.status, record.code, record.first_token_ms),
        (0, "", None)
    );
}

#[test]
fn an_error_is_recorded_with_its_code() {
    let refused = record(recorded(), CHAT, Some(("429", json!({})))).unwrap();
    assert_eq!((refused.outcome, refused.status), ("throttled", 429));
    assert_eq!(refused.code, "rate_limit_exceeded");
    assert_eq!(
        (&*refused.channel, refused.tokens),
        ("golden", Tokens::default())
    );
}

#[test]
fn a_name_that_nothing_serves_is_recorded() {
    let chat = br#"{"model":"gpt-99","messages":[{"role":"user","content":"Hi"}]}"#;
    let record = record(recorded(), chat, None).unwrap();
    assert_eq!(
        (record.outcome, record.code),
        ("refused", "model_not_found")
    );
    assert_eq!(
        (&*record.model, &*record.channel, record.attempts),
        ("gpt-99", "", 0)
    );
}

#[test]
fn a_request_that_is_given_up_is_recorded() {
    let mut exchange = recorded();
    send_as(&mut exchange, ("/v1/chat/completions", &[]), CHAT).unwrap();
    let report = exchange.take_last_report(now(), Ending::Cancelled).unwrap();
    let record = exchange.record(&report, || ID).unwrap();
    assert_eq!((record.outcome, record.attempts), ("cancelled", 1));
    assert_eq!(record.channel, "golden");
}

/// What a client that leaves in the middle of a stream is recorded with.
fn given_up(request: &str, body: &[u8]) -> Record {
    let mut exchange = recorded();
    send_as(
        &mut exchange,
        ("/v1/chat/completions", &[]),
        request.as_bytes(),
    )
    .unwrap();
    let head = headers(&[
        (":status", "200"),
        ("content-type", "application/vnd.amazon.eventstream"),
    ]);
    exchange.response_headers(head, Arrival::Partial);
    exchange.response_body(body.len(), Arrival::Partial, &mut || body.to_vec());
    assert!(exchange.has_just_spoken());
    exchange.spoke_at(now());
    let report = exchange.take_last_report(now(), Ending::Cancelled).unwrap();
    exchange.record(&report, || ID).unwrap()
}

#[test]
fn a_stream_that_is_given_up_is_recorded_with_what_is_known_of_it() {
    let start = json!({
        "type": "message_start",
        "message": {"role": "assistant", "content": [], "usage": {
            "input_tokens": 40, "output_tokens": 1, "cache_read_input_tokens": 7,
        }},
    });
    let block = json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}});
    let piece = json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}});
    let events = [&start, &block, &piece, &piece, &piece].map(ToString::to_string);
    let record = given_up(CHAT_STREAM, &frames(&events.join("\n")));
    assert_eq!((record.outcome, record.attempts), ("cancelled", 1));
    // The prompt is the model's own count; of the answer it is known that at least so many events came.
    let expected = Tokens {
        input: 40,
        cache_read: 7,
        output: 5,
        ..Tokens::default()
    };
    assert_eq!(record.tokens, expected);
}

#[test]
fn the_prompt_of_a_stream_that_is_given_up_is_estimated_where_the_model_has_not_counted_it() {
    let events = [
        r#"{"messageStart":{"role":"assistant"}}"#,
        r#"{"contentBlockDelta":{"delta":{"text":"Hi"},"contentBlockIndex":0}}"#,
        r#"{"contentBlockDelta":{"delta":{"text":"!"},"contentBlockIndex":0}}"#,
    ];
    let frames = frames(&events.join("\n"));
    // A quarter of 400 bytes, and one token at least.
    for (text, input) in [("word".repeat(100), 100), ("Hi".to_owned(), 1)] {
        let chat = json!({"model": "nova-pro", "stream": true, "messages": [{"role": "user", "content": text}]});
        let record = given_up(&chat.to_string(), &frames);
        assert_eq!(record.outcome, "cancelled");
        let expected = Tokens {
            input,
            output: 3,
            ..Tokens::default()
        };
        assert_eq!(record.tokens, expected);
    }
}

#[test]
fn nothing_is_recorded_unless_it_is_configured() {
    let exchange = Exchange::new(routes(PLUGIN_CONFIG));
    assert_eq!(record(exchange, CHAT, Some(("429", json!({})))), None);
}

#[test]
fn a_budget_that_is_used_up_refuses_the_request_before_its_body() {
    let own = Exhausted {
        caller: String::new(),
        resets_at: 1_769_904_000,
        budget: Budget::Money,
    };
    let mut exchange = recorded();
    let head = super::request("POST", "/v1/chat/completions");
    assert!(matches!(
        exchange.request_headers(head.clone(), Arrival::Partial),
        Step::Wait
    ));
    let step = exchange.meet_budget(|caller| {
        assert_eq!(caller, "");
        Some(own.error(now()))
    });
    let Some(Step::Reply(reply)) = step else {
        panic!("{step:?}");
    };
    assert_eq!(reply.status.as_u16(), 429);
    let has = |name: &str, value: &str| {
        let mut all = reply.headers.iter();
        all.any(|(own, own_value)| own == name && own_value == value)
    };
    assert!(
        has("retry-after", "1423504") && has("x-should-retry", "false"),
        "{reply:?}"
    );
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(body["error"]["type"], "insufficient_quota");
    assert_eq!(body["error"]["code"], "insufficient_quota");
    let message = body["error"]["message"].as_str().unwrap();
    assert!(message.contains("2026-02-01 00:00 UTC"), "{message}");
    // It is recorded, and costs nothing.
    let report = exchange.take_report(now).unwrap();
    let record = exchange.record(&report, || ID).unwrap();
    assert_eq!((record.code, record.attempts), ("insufficient_quota", 0));
    assert_eq!(record.outcome, "limited");
    // What uses no model is not refused.
    for (method, path, arrival) in [
        ("GET", "/v1/models", Arrival::Complete),
        ("POST", "/v1/messages/count_tokens", Arrival::Partial),
        ("POST", "/v1/responses/input_tokens", Arrival::Partial),
    ] {
        let mut exchange = recorded();
        exchange.request_headers(super::request(method, path), arrival);
        assert!(exchange.meet_budget(|_| Some(own.error(now()))).is_none());
    }
    let mut exchange = Exchange::new(routes(PLUGIN_CONFIG));
    exchange.request_headers(head, Arrival::Partial);
    assert!(
        exchange
            .meet_budget(|_| panic!("nobody is asked"))
            .is_none()
    );
}

/// The caller, the key and what is foreseen, of a request with this header.
fn who(mut exchange: Exchange, header: (&str, &str)) -> (String, String, &'static str) {
    send_as(&mut exchange, ("/v1/chat/completions", &[header]), CHAT).unwrap();
    let report = exchange.take_last_report(now(), Ending::Cancelled).unwrap();
    let record = exchange.record(&report, || ID).unwrap();
    (record.caller, record.key, record.foreseen)
}

#[test]
fn a_record_knows_the_key_by_the_start_of_its_hash() {
    let mark = KeyDigest::of(b"sk-a").to_string()[..12].to_owned();
    for mode in ["optional", "required"] {
        let seen = who(recorded_with_a_key(mode), ("api-key", "sk-a"));
        assert_eq!(seen, ("team-a".to_owned(), mark.clone(), "served"));
    }
}

#[test]
fn what_a_need_for_keys_would_change_is_recorded_before_there_is_one() {
    for mode in ["off", "optional"] {
        let (caller, key, seen) = who(recorded_with_a_key(mode), ("api-key", "dummy"));
        let expected = ("", "", "invalid_api_key");
        assert_eq!((&*caller, &*key, seen), expected, "{mode}");
    }
    let (caller, key, seen) = who(recorded_with_a_key("off"), ("api-key", "sk-a"));
    assert_eq!((&*caller, &*key, seen), ("", "", "served"));
    let (_, _, unknown) = who(recorded(), ("api-key", "sk-a"));
    assert_eq!(unknown, "", "without a key nobody looks");
}

/// Where a caller is known by a header that a filter in front sets, and another one by a certificate.
fn recorded_with_identities(mode: &str) -> Exchange {
    let mut config: Value = serde_json::from_str(PLUGIN_CONFIG).unwrap();
    config["usage"] = json!({"cluster": "config-service-xds"});
    config["callers"] = json!({
        "mode": mode,
        "identities": {"header": "x-bedrock-caller", "certificate": "uri_san"},
        "entries": [
            {"name": "team-a", "identities": ["header:a"]},
            {"name": "team-b", "identities": ["certificate:spiffe://x/b"], "enabled": false},
        ],
    });
    Exchange::new(routes(&config.to_string()))
}

#[test]
fn identities_are_foreseen_although_nobody_has_a_key() {
    for mode in ["off", "optional"] {
        let seen = |identity: Option<&str>, header| {
            let mut exchange = recorded_with_identities(mode);
            assert!(exchange.asks_who());
            exchange.know(identity.map(str::to_owned).into_iter().collect());
            who(exchange, header).2
        };
        assert_eq!(seen(None, ("x-bedrock-caller", "a")), "served", "{mode}");
        assert_eq!(seen(None, ("x-bedrock-caller", "c")), "unknown_identity");
        let other = Some("certificate:spiffe://x/c");
        assert_eq!(seen(other, ("api-key", "dummy")), "unknown_identity");
        assert_eq!(seen(None, ("api-key", "dummy")), "invalid_api_key");
    }
    let mut exchange = recorded_with_identities("off");
    exchange.know(vec!["certificate:spiffe://x/b".to_owned()]);
    let (caller, _, seen) = who(exchange, ("api-key", "dummy"));
    assert_eq!((caller.as_str(), seen), ("", "caller_disabled"));
}

#[test]
fn whoever_is_refused_is_recorded_as_nobody() {
    let refused = |mut exchange: Exchange, identity: Option<&str>| {
        exchange.know(identity.map(str::to_owned).into_iter().collect());
        let sent = send_as(&mut exchange, ("/v1/chat/completions", &[]), CHAT);
        assert!(sent.is_err());
        let report = exchange.take_report(now).unwrap();
        let record = exchange.record(&report, || ID).unwrap();
        let (caller, model) = (record.caller.as_str(), record.model.as_str());
        assert_eq!((caller, model, record.key.as_str()), ("", "", ""));
        assert_eq!(record.outcome, "refused");
        assert_eq!(record.foreseen, record.code);
        assert!(record.is_of_refused_client());
        (record.status, record.code)
    };
    let with_a_key = || recorded_with_a_key("required");
    assert_eq!(refused(with_a_key(), None), (401, "invalid_api_key"));
    let known = || recorded_with_identities("required");
    let stranger = Some("certificate:spiffe://x/c");
    assert_eq!(refused(known(), stranger), (403, "unknown_identity"));
    let disabled = Some("certificate:spiffe://x/b");
    assert_eq!(refused(known(), disabled), (403, "caller_disabled"));
    // A refused client's request is recorded only if it asked for a model.
    let mut exchange = with_a_key();
    exchange.request_headers(super::request("GET", "/v1/models"), Arrival::Complete);
    assert!(exchange.take_report(now).is_none());
}

#[test]
fn models_that_a_caller_may_not_use_are_foreseen() {
    let seen = |models: Value| {
        let mut config: Value = serde_json::from_str(PLUGIN_CONFIG).unwrap();
        let digest = KeyDigest::of(b"sk-a").to_string();
        config["usage"] = json!({"cluster": "config-service-xds"});
        config["callers"] = json!({
            "mode": "off",
            "entries": [{"name": "team-a", "keys": [{"sha256": digest}], "models": models}],
        });
        let exchange = Exchange::new(routes(&config.to_string()));
        who(exchange, ("api-key", "sk-a")).2
    };
    let model: Value = serde_json::from_slice(CHAT).unwrap();
    assert_eq!(seen(json!([])), "served");
    assert_eq!(seen(json!([model["model"]])), "served");
    assert_eq!(seen(json!(["no-such-*"])), "model_not_found");
}
