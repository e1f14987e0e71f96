//! Limits of the caller.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bedrock_filter::config::KeyDigest;
use bedrock_filter::exchange::{Arrival, Exchange, Step};
use bedrock_filter::failover::ChannelPicker;
use bedrock_filter::limits::Counters;
use golden_cases::PLUGIN_CONFIG;
use harness::{headers, now, routes};
use serde_json::{Value, json};

use super::{CHAT, replied, request};

/// Counters of one worker.
#[derive(Default)]
struct Memory(RefCell<BTreeMap<String, Vec<u8>>>);

impl Counters for Memory {
    fn update(&self, key: &str, change: &mut dyn FnMut(&mut Vec<u8>)) {
        change(self.0.borrow_mut().entry(key.to_owned()).or_default());
    }
}

/// The usual configuration with a caller that has these limits.
fn config(mode: &str, limits: &Value) -> Value {
    let mut config: Value = serde_json::from_str(PLUGIN_CONFIG).unwrap();
    let digest = KeyDigest::of(b"sk-a").to_string();
    config["callers"] = json!({
        "mode": "required",
        "limit_mode": mode,
        "entries": [{"id": "id-a", "name": "team-a", "keys": [{"sha256": digest}], "limits": limits}],
    });
    config
}

fn exchange(mode: &str, limits: &Value) -> Exchange {
    Exchange::new(routes(&config(mode, limits).to_string()))
}

/// Sends a chat as the host does; the step for its body.
fn send(exchange: &mut Exchange, path: &str, body: &[u8], counters: &Memory) -> Step {
    let mut head = request("POST", path);
    head.add("x-api-key", "sk-a");
    exchange.set_now(now());
    assert_eq!(exchange.request_headers(head, Arrival::Partial), Step::Wait);
    let step = exchange.request_body(body.len(), Arrival::Complete, now(), &mut || body.to_vec());
    exchange.admit(step, counters, now())
}

fn chat(exchange: &mut Exchange) -> Step {
    send(exchange, "/v1/chat/completions", CHAT, &Memory::default())
}

/// The limiter's own reply, as Envoy shows it.
fn over_limit() -> bedrock_filter::call::Headers {
    headers(&[
        (":status", "429"),
        ("x-envoy-ratelimited", "true"),
        ("x-ratelimit-limit", "600, 600;w=60;name=\"rpm\""),
        ("x-ratelimit-limit-requests", "600"),
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-requests", "17s"),
        ("retry-after", "17"),
    ])
}

#[test]
fn the_limiter_learns_what_the_caller_may_use() {
    let mut exchange = exchange("shared", &json!({"rpm": 600, "tpm": 5}));
    assert!(matches!(chat(&mut exchange), Step::Edit(_)));
    let claims = exchange.claims();
    let claims: Vec<_> = claims
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let expected = [
        ("rl.rpm", "600"),
        ("rl.tpm", "5"),
        ("rl.reserve", "0"),
        ("rl.caller", "id-a"),
    ];
    assert_eq!(claims, expected);
}

#[test]
fn nothing_is_counted_without_limits() {
    for (mode, limits) in [("off", json!({"rpm": 1})), ("shared", json!({}))] {
        let mut exchange = exchange(mode, &limits);
        assert!(matches!(chat(&mut exchange), Step::Edit(_)));
        assert!(!exchange.is_limited());
        assert_eq!(exchange.claims(), []);
        assert_eq!(exchange.settle(&Memory::default(), now()), None);
    }
}

#[test]
fn counting_tokens_counts_against_no_limit() {
    let counters = Memory::default();
    for _ in 0..2 {
        let mut exchange = exchange("local", &json!({"rpm": 1, "concurrent_requests": 1}));
        let step = send(&mut exchange, "/v1/messages/count_tokens", CHAT, &counters);
        assert!(matches!(step, Step::Edit(_)), "{step:?}");
    }
}

/// Takes the limiter's reply; the client's status and code, and its headers.
fn refused(exchange: &mut Exchange) -> (u16, String, Vec<(String, String)>) {
    let head = over_limit();
    assert!(exchange.may_be_limiters(&head));
    let step = exchange.limiters_reply(&head, b"request_rate_limited", now());
    let step = step.unwrap();
    let Step::Reply(reply) = &step else {
        panic!("{step:?}");
    };
    let headers = reply.headers.iter();
    let headers = headers
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let (status, code) = replied(step);
    (status, code, headers)
}

#[test]
fn the_limiters_reply_becomes_the_clients_and_blames_no_channel() {
    let mut config = config("shared", &json!({"rpm": 600}));
    for failover in [Value::Null, json!({})] {
        config["failover"] = failover;
        let picker = Rc::<ChannelPicker>::default();
        let mut exchange = Exchange::on_listener(routes(&config.to_string()), &picker);
        chat(&mut exchange);
        let (status, code, headers) = refused(&mut exchange);
        assert_eq!((status, code.as_str()), (429, "rate_limit_exceeded"));
        let has = |name: &str, value: &str| {
            headers
                .iter()
                .any(|(own, said)| own == name && said == value)
        };
        assert!(has("retry-after", "17"), "{headers:?}");
        assert!(has("x-ratelimit-limit-requests", "600"));
        assert!(has("x-ratelimit-reset-requests", "17s"));
        assert!(!headers.iter().any(|(name, _)| name == "x-ratelimit-limit"));
        assert_eq!(exchange.take_denial(), Some("shared"));
        assert_eq!(exchange.take_denial(), None);
        assert!(exchange.is_done());
        assert_eq!(exchange.outcome(), None);
        assert!(picker.take_events().is_empty());
        assert_eq!(exchange.settle(&Memory::default(), now()), None);
    }
}

#[test]
fn bedrocks_own_throttling_is_not_the_limiters() {
    let mut exchange = exchange("shared", &json!({"rpm": 600}));
    chat(&mut exchange);
    let head = over_limit();
    assert!(exchange.may_be_limiters(&head));
    assert_eq!(exchange.limiters_reply(&head, b"via_upstream", now()), None);
    assert!(!exchange.is_done());
}

#[test]
fn an_answer_says_how_the_caller_stands() {
    let mut exchange = exchange("shared", &json!({"rpm": 600}));
    chat(&mut exchange);
    let mut head = over_limit();
    head.0[0].1 = b"200".to_vec();
    head.add("content-type", "application/json");
    assert_eq!(
        exchange.response_headers(head, Arrival::Partial),
        Step::Wait
    );
    let body = br#"{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Hi"}],
        "stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":10,"output_tokens":5}}"#;
    let step = exchange.response_body(body.len(), Arrival::Complete, &mut || body.to_vec());
    let Step::Edit(edit) = step else {
        panic!("{step:?}");
    };
    let headers = edit.headers.unwrap();
    assert_eq!(headers.get_str("x-ratelimit-remaining-requests"), Some("0"));
    assert_eq!(headers.get_str("x-ratelimit-limit"), None);
}

#[test]
fn an_envoy_that_counts_by_itself_denies_before_anything_leaves() {
    let counters = Memory::default();
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let mut exchange = exchange("local", &json!({"rpm": 2}));
        let step = send(&mut exchange, "/v1/chat/completions", CHAT, &counters);
        statuses.push(match step {
            Step::Edit(_) => (200, String::new()),
            step => replied(step),
        });
        assert_eq!(exchange.claims(), []);
    }
    let expected = [(200, ""), (200, ""), (429, "rate_limit_exceeded")];
    assert_eq!(
        statuses,
        expected.map(|(status, code)| (status, code.to_owned()))
    );
}
