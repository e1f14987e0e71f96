//! Clients of silent streams: what a tick makes Envoy send them, and that it changes nothing else.

mod envoy;

use std::rc::Rc;
use std::sync::Arc;

use bedrock_filter::call::Headers;
use bedrock_filter::exchange::{Arrival, Body, Edit, Exchange, LetGo, Step};
use bedrock_filter::routes::Routes;
use golden_cases::{CHAT, MESSAGES, RESPONSES, frames};
use harness::{headers, now, routes, send_as, send_to};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use envoy::Envoy;

const COMMENT: &str = ": keep-alive\n\n";
const PING: &str = "event: ping\ndata: {\"type\":\"ping\"}\n\n";

/// The setting in these tests.
const SECONDS: usize = 3;

const START: &str = r#"{"type":"message_start","message":{"id":"m","role":"assistant","content":[],"usage":{"input_tokens":3,"output_tokens":1}}}"#;
const THINKING: &str =
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}"#;
const THOUGHT: &str = r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}"#;
const STOP_0: &str = r#"{"type":"content_block_stop","index":0}"#;
const TEXT: &str =
    r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#;
const HEL: &str =
    r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Hel"}}"#;
const LO: &str =
    r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"lo"}}"#;
const STOP_1: &str = r#"{"type":"content_block_stop","index":1}"#;
const TOOL: &str = r#"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#;
const ARGUMENTS: &str = r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"x\":"}}"#;
const MORE: &str = r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"1}"}}"#;
const STOP_2: &str = r#"{"type":"content_block_stop","index":2}"#;
const DELTA: &str =
    r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":9}}"#;
const STOP: &str = r#"{"type":"message_stop"}"#;

const ALL: [&str; 14] = [
    START, THINKING, THOUGHT, STOP_0, TEXT, HEL, LO, STOP_1, TOOL, ARGUMENTS, MORE, STOP_2, DELTA,
    STOP,
];

fn config(more: &Value) -> Arc<Routes> {
    let mut config = json!({
        "stream_keep_alive_seconds": SECONDS,
        "channels": [{
            "name": "a",
            "region": "us-east-1",
            "credentials": {"type": "bedrock_api_key", "api_key": "k"},
        }],
    });
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    routes(&config.to_string())
}

fn body(path: &str, thinks: bool) -> Vec<u8> {
    let mut body = json!({"model": "claude-sonnet-4-5", "stream": true, "max_tokens": 4096});
    let asked = json!([{"role": "user", "content": "Hi"}]);
    match path {
        RESPONSES => body = json!({"model": "claude-sonnet-4-5", "stream": true, "input": asked}),
        _ => body["messages"] = asked,
    }
    let parameters = json!({"type": "object", "properties": {}});
    let tool = match path {
        CHAT => json!({"type": "function", "function": {"name": "f", "parameters": parameters}}),
        RESPONSES => json!({"type": "function", "name": "f", "parameters": parameters}),
        _ => json!({"name": "f", "input_schema": parameters}),
    };
    body["tools"] = json!([tool]);
    if thinks {
        body["thinking"] = json!({"type": "enabled", "budget_tokens": 1024});
    }
    body.to_string().into_bytes()
}

fn on(path: &str, more: &Value) -> Envoy {
    let mut exchange = Exchange::new(config(more));
    send_to(&mut exchange, path, &body(path, false)).unwrap();
    Envoy::new(exchange)
}

fn stream(path: &str) -> Envoy {
    on(path, &json!({}))
}

/// An attempt that another may follow.
fn attempt(thinks: bool) -> Envoy {
    let mut listener = Exchange::on_listener(config(&json!({"failover": {}})), &Rc::default());
    send_to(&mut listener, CHAT, &body(CHAT, thinks)).unwrap();
    let request = Rc::clone(listener.retryable().unwrap());
    let (attempt, step) = Exchange::attempt(request, "a", now());
    assert!(matches!(step, Step::Edit(_)), "{step:?}");
    Envoy::new(attempt)
}

#[test]
fn an_answer_that_does_not_begin_gets_its_head_after_the_set_time() {
    for mut envoy in [stream(CHAT), stream(MESSAGES), attempt(true)] {
        envoy.ticks(SECONDS - 1);
        assert!(envoy.head.is_none());
        envoy.tick();
        let head = envoy.head.clone().unwrap();
        let kind = head.get_str("content-type").unwrap();
        assert!(kind.starts_with("text/event-stream"), "{kind}");
        // Envoy has no buffer for more.
        envoy.ticks(2 * SECONDS);
        assert_eq!(envoy.got(), "");
        // Now it has.
        envoy.events(&[START]);
        envoy.ticks(1 + SECONDS);
        let got = envoy.got();
        assert!(got.len() > COMMENT.len(), "{got}");
        assert!(got.ends_with(COMMENT) || got.ends_with(PING), "{got}");
    }
}

#[test]
fn a_page_may_read_what_begins_at_a_tick() {
    let page = "https://page.example";
    let mut exchange = Exchange::new(config(&json!({"cors_origins": [page]})));
    let origin = [("origin", page)];
    send_as(&mut exchange, (CHAT, &origin), &body(CHAT, false)).unwrap();
    let mut envoy = Envoy::new(exchange);
    envoy.ticks(SECONDS);
    let head = envoy.head.unwrap();
    assert_eq!(head.get_str("access-control-allow-origin"), Some(page));
}

#[test]
fn half_a_first_frame_is_kept_and_a_comment_goes_out() {
    for path in [CHAT, MESSAGES, RESPONSES] {
        let mut envoy = stream(path);
        let first = frames(START);
        let (one, two) = first.split_at(20);
        envoy.piece(one, false);
        envoy.ticks(SECONDS);
        assert_eq!(envoy.got(), COMMENT, "no client knows an event yet");
        envoy.piece(two, false);
        envoy.events(&ALL[1..]);
        envoy.piece(b"", true);
        let mut undisturbed = stream(path);
        undisturbed.events(&ALL);
        undisturbed.piece(b"", true);
        assert_eq!(envoy.got(), undisturbed.got());
    }
}

#[test]
fn a_model_that_thinks_unseen_gives_a_sign_every_few_seconds() {
    for (path, sign) in [(CHAT, COMMENT), (RESPONSES, COMMENT), (MESSAGES, PING)] {
        let mut envoy = stream(path);
        envoy.events(&[START]);
        assert!(envoy.head.is_none(), "there may be more in a moment");
        envoy.tick();
        assert!(envoy.head.is_some());
        assert!(envoy.got().contains("data: "));
        for _ in 0..3 {
            envoy.ticks(SECONDS - 1);
            assert_eq!(envoy.got(), "");
            envoy.tick();
            assert_eq!(envoy.got(), sign);
        }
        envoy.events(&[THINKING, THOUGHT, STOP_0]);
        envoy.got();
        envoy.ticks(SECONDS + 1);
        assert!(envoy.got().ends_with(sign));
        envoy.events(&[TEXT, HEL]);
        assert!(envoy.got().contains("Hel"));
    }
}

#[test]
fn the_arguments_of_a_tool_may_take_long() {
    for (path, sign) in [(CHAT, COMMENT), (RESPONSES, COMMENT), (MESSAGES, PING)] {
        let mut envoy = stream(path);
        envoy.events(&ALL[..10]);
        envoy.tick();
        assert!(envoy.got().contains("x"), "{path}");
        envoy.ticks(SECONDS);
        assert_eq!(envoy.got(), sign, "{path}");
        envoy.events(&ALL[10..]);
        envoy.piece(b"", true);
        let got = envoy.got();
        let end = match path {
            CHAT => "[DONE]",
            RESPONSES => "response.completed",
            _ => "message_stop",
        };
        assert!(got.contains(end), "{got}");
    }
}

#[test]
fn text_is_never_held_and_costs_nothing() {
    for path in [CHAT, MESSAGES, RESPONSES] {
        let mut envoy = stream(path);
        envoy.events(&[START, TEXT]);
        for _ in 0..5 {
            envoy.got();
            envoy.events(&[HEL]);
            assert!(envoy.got().contains("Hel"), "{path}");
        }
        assert_eq!(envoy.dear, 0, "{path}");
    }
}

#[test]
fn an_exception_after_the_head_is_an_error_event() {
    let exception = "!throttlingException {\"message\":\"Slow down.\"}";
    for mut envoy in [stream(CHAT), attempt(true)] {
        envoy.ticks(SECONDS);
        envoy.events(&[exception]);
        envoy.piece(b"", true);
        let got = envoy.got();
        assert!(got.contains("rate_limit_exceeded"), "{got}");
        assert!(!got.contains("[DONE]"), "{got}");
        assert_eq!(envoy.head.unwrap().get_str(":status"), Some("200"));
    }
}

#[test]
fn an_answer_that_breaks_off_in_silence_ends_in_an_error_event() {
    let mut envoy = stream(CHAT);
    envoy.events(&[START]);
    envoy.ticks(1 + SECONDS);
    envoy.piece(b"", true);
    assert!(envoy.got().contains("stream_error"));
}

#[test]
fn as_long_as_another_channel_may_answer_only_thoughts_are_waited_for() {
    let mut silent = attempt(false);
    silent.events(&[START]);
    silent.ticks(10 * SECONDS);
    assert!(silent.head.is_none());
    silent.events(&[TEXT, HEL]);
    assert!(silent.got().contains("Hel"));
    let mut thinking = attempt(true);
    thinking.events(&[START]);
    thinking.tick();
    assert!(thinking.head.is_some());
}

#[test]
fn a_stream_that_is_over_or_dead_gives_no_sign() {
    let mut over = stream(CHAT);
    over.events(&ALL);
    over.got();
    over.ticks(5 * SECONDS);
    assert_eq!(over.got(), "");
    let mut dead = stream(CHAT);
    dead.events(&[START]);
    dead.ticks(600);
    dead.got();
    dead.ticks(600);
    assert_eq!(dead.got(), "");
}

#[test]
fn zero_switches_signs_off_and_holds_nothing() {
    let mut envoy = on(CHAT, &json!({"stream_keep_alive_seconds": 0}));
    assert!(!envoy.exchange.wants_ticks());
    envoy.ticks(100);
    envoy.events(&[START]);
    assert!(envoy.head.is_some());
    assert!(!envoy.holds);
}

#[test]
fn only_streams_want_ticks() {
    let mut exchange = Exchange::new(config(&json!({})));
    assert!(!exchange.wants_ticks());
    let asked = br#"{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"Hi"}]}"#;
    send_to(&mut exchange, CHAT, asked).unwrap();
    assert!(!exchange.wants_ticks());
    let head = headers(&[(":status", "200"), ("content-type", "application/json")]);
    assert_eq!(
        exchange.response_headers(head, Arrival::Partial),
        Step::Wait
    );
    assert!(!exchange.wants_ticks());
    assert_eq!(exchange.tick(&mut || panic!("must not be read")), None);
}

#[test]
fn the_setting_has_bounds() {
    let config = |seconds: i64| json!({"stream_keep_alive_seconds": seconds}).to_string();
    let compiled = |seconds| {
        let config = bedrock_filter::config::PluginConfig::from_json(config(seconds).as_bytes());
        Routes::compile(config.unwrap()).map_err(|faults| faults[0].pointer.clone())
    };
    assert!(compiled(0).is_ok());
    assert!(compiled(300).is_ok());
    assert_eq!(compiled(301).unwrap_err(), "/stream_keep_alive_seconds");
}

proptest! {
    /// However the bytes are cut, and whenever a second goes by, a client gets the same events.
    #[test]
    fn signs_of_life_change_nothing_else(
        path in proptest::sample::select(vec![CHAT, MESSAGES, RESPONSES]),
        cuts in proptest::collection::vec((any::<Index>(), 0_usize..6), 0..12),
        upto in 1..=ALL.len(),
        as_attempt in any::<bool>(),
    ) {
        // What breaks off before its first word is an HTTP error of an attempt, unless a sign of life came first.
        let upto = if as_attempt { ALL.len() } else { upto };
        let bytes = frames(&ALL[..upto].join("\n"));
        let play = |cuts: &[(usize, usize)]| {
            let mut envoy = if as_attempt { attempt(true) } else { stream(path) };
            let mut start = 0;
            for (cut, ticks) in cuts {
                envoy.piece(&bytes[start..*cut], false);
                envoy.ticks(*ticks);
                start = *cut;
            }
            envoy.piece(&bytes[start..], false);
            envoy.piece(b"", true);
            envoy.got()
        };
        let mut places: Vec<_> = cuts.iter().map(|(at, ticks)| (at.index(bytes.len()), *ticks)).collect();
        places.sort_unstable();
        let expected = play(&[]).replace(PING, "");
        let seen = play(&places).replace(COMMENT, "").replace(PING, "");
        prop_assert_eq!(seen, expected);
    }
}
