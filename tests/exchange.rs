//! How an exchange handles everything that is not a well-behaved chat.

mod callers;
mod choice;
mod choice_callers;
mod credentials;
mod errors;
mod figures;
mod limits;
mod outcome;
mod paths;
mod requests;
mod rules;
mod streams;
mod usage;

use bedrock_filter::call::Headers;
use bedrock_filter::exchange::{Arrival, Exchange, Step};
use golden_cases::{PLUGIN_CONFIG, frames};
use harness::{answer, headers, now, routes, send};
use proptest::prelude::*;
use serde_json::Value;

const CHAT: &[u8] = br#"{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"Hi"}]}"#;

const CHAT_STREAM: &str =
    r#"{"model":"claude-sonnet-4-5","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;

fn exchange() -> Exchange {
    Exchange::new(routes(PLUGIN_CONFIG))
}

fn request(method: &str, path: &str) -> Headers {
    headers(&[
        (":method", method),
        (":path", path),
        (":authority", "gateway.example"),
        (":scheme", "http"),
        ("x-forwarded-proto", "http"),
    ])
}

/// Status and error code of a reply.
#[track_caller]
fn replied(step: Step) -> (u16, String) {
    let Step::Reply(reply) = step else {
        panic!("no reply: {step:?}");
    };
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    let code = body["error"]["code"].as_str().unwrap_or_default();
    (reply.status.as_u16(), code.to_owned())
}

#[test]
fn none_of_the_clients_headers_go_upstream() {
    let mut exchange = exchange();
    let mut head = request("POST", "/v1/chat/completions");
    for name in [
        "authorization",
        "x-api-key",
        "cookie",
        "x-amz-date",
        "x-amz-security-token",
        "x-amzn-bedrock-trace",
        "x-bedrock-cluster",
        "user-agent",
        "x-forwarded-for",
        "openai-organization",
        "transfer-encoding",
        "expect",
    ] {
        head.add(name, "secret-of-the-client");
    }
    head.add("x-request-id", "r-1");
    assert_eq!(exchange.request_headers(head, Arrival::Partial), Step::Wait);
    let step = exchange.request_body(CHAT.len(), Arrival::Complete, now(), &mut || CHAT.to_vec());
    let Step::Edit(edit) = step else {
        panic!("no call: {step:?}");
    };
    let sent = edit.headers.unwrap();
    let leaked = sent
        .0
        .iter()
        .filter(|(_, value)| value == b"secret-of-the-client");
    assert_eq!(leaked.count(), 0);
    let mut names: Vec<_> = sent.0.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            ":authority",
            ":method",
            ":path",
            ":scheme",
            "authorization",
            "content-length",
            "content-type",
            "x-amz-date",
            "x-bedrock-cluster",
            // For Envoy, which removes it.
            "x-envoy-upstream-rq-per-try-timeout-ms",
            "x-envoy-upstream-rq-timeout-ms",
            "x-forwarded-proto",
            "x-request-id",
        ]
    );
    assert_eq!(
        sent.get_str("x-bedrock-cluster"),
        Some("bedrock|https|bedrock-runtime.us-east-1.amazonaws.com|443")
    );
}

/// Headers that the upstream, or a proxy in front of it, may put on its answers.
#[test]
fn what_an_upstream_says_about_itself_does_not_reach_clients() {
    let said = [
        "access-control-allow-origin",
        "alt-svc",
        "clear-site-data",
        "location",
        "refresh",
        "server",
        "set-cookie",
        "strict-transport-security",
        "via",
        "x-amzn-requestid",
        "x-backend-host",
        "x-bedrock-attempts",
        "x-bedrock-channel",
    ];
    let stream = CHAT_STREAM.as_bytes();
    for (status, kind, chat) in [
        ("200", "application/json", CHAT),
        ("200", "application/vnd.amazon.eventstream", stream),
        ("429", "application/json", CHAT),
    ] {
        let mut exchange = exchange();
        send(&mut exchange, chat).unwrap();
        let mut head = headers(&[(":status", status), ("content-type", kind)]);
        for name in said {
            head.add(name, "of-the-upstream");
        }
        head.add("date", "today");
        head.add("retry-after", "3");
        let body = if chat == stream {
            frames("{\"type\":\"message_start\",\"message\":{}}")
        } else {
            b"{}".to_vec()
        };
        let seen = answer(&mut exchange, head, &body, &[]);
        let known = [
            ":status",
            "cache-control",
            "content-length",
            "content-type",
            "date",
            "retry-after",
            // AWS's id for the request.
            "x-request-id",
        ];
        let names = seen.headers.0.iter().map(|(name, _)| &**name);
        let others: Vec<_> = names.filter(|name| !known.contains(name)).collect();
        assert!(others.is_empty(), "{status} {kind}: {others:?}");
        assert_eq!(seen.headers.get_str("retry-after"), Some("3"));
        assert_eq!(
            seen.headers.get_str("x-request-id"),
            Some("of-the-upstream")
        );
    }
}

#[test]
fn an_answer_has_the_requests_own_id_and_that_of_aws_beside_it() {
    for (id, expected, beside) in [
        ("r-1", "r-1", Some("of-aws")),
        // Not fit for a log: it is made so.
        ("r \u{1}", "r__", Some("of-aws")),
        (&"r".repeat(129), &"r".repeat(128), Some("of-aws")),
        ("", "of-aws", None),
    ] {
        let mut exchange = exchange();
        let mut head = request("POST", "/v1/chat/completions");
        head.add("x-request-id", id);
        assert_eq!(exchange.request_headers(head, Arrival::Partial), Step::Wait);
        let step =
            exchange.request_body(CHAT.len(), Arrival::Complete, now(), &mut || CHAT.to_vec());
        let Step::Edit(edit) = step else {
            panic!("no call: {step:?}");
        };
        let kept = edit.headers.unwrap();
        let kept = kept.get_str("x-request-id");
        assert_eq!(kept, Some(if id.is_empty() { id } else { expected }));
        let head = headers(&[
            (":status", "429"),
            ("content-type", "application/json"),
            ("x-amzn-requestid", "of-aws"),
        ]);
        let seen = answer(&mut exchange, head, b"{}", &[]);
        assert_eq!(seen.headers.get_str("x-request-id"), Some(expected));
        assert_eq!(seen.headers.get_str("x-amzn-requestid"), beside);
    }
}

#[test]
fn a_stream_has_no_limit() {
    let config = PLUGIN_CONFIG.replacen(
        "\"schema\"",
        "\"limits\":{\"max_response_bytes\":64},\"schema\"",
        1,
    );
    let mut exchange = Exchange::new(routes(&config));
    send(&mut exchange, CHAT_STREAM.as_bytes()).unwrap();
    let head = headers(&[
        (":status", "200"),
        ("content-type", "application/vnd.amazon.eventstream"),
    ]);
    let word =
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"word "}}"#;
    let start =
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
    let end = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#;
    let words = format!("{word}\n").repeat(100);
    let events = format!(
        "{{\"type\":\"message_start\",\"message\":{{}}}}\n{start}\n{words}{end}\n{{\"type\":\"message_stop\"}}\n"
    );
    let seen = answer(&mut exchange, head, &frames(&events), &[10, 1000]);
    let text = String::from_utf8(seen.body).unwrap();
    assert_eq!(text.matches("word ").count(), 100, "{text}");
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
}

proptest! {
    #[test]
    fn arbitrary_request_heads_never_panic(
        pairs in prop::collection::vec((":?[a-z-]{0,12}", prop::collection::vec(any::<u8>(), 0..20)), 0..12),
        end in any::<bool>(),
    ) {
        let mut exchange = exchange();
        let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value));
        exchange.request_headers(Headers(pairs.collect()), Arrival::of(end));
    }

    #[test]
    fn arbitrary_bodies_and_answers_never_panic(
        body in prop::collection::vec(any::<u8>(), 0..200),
        answer_body in prop::collection::vec(any::<u8>(), 1..200),
        status in "[0-9]{0,4}",
        stream in any::<bool>(),
    ) {
        let mut exchange_ = exchange();
        let _ = send(&mut exchange_, &body);
        let mut exchange_ = exchange();
        send(&mut exchange_, CHAT).unwrap();
        let kind = if stream { "application/vnd.amazon.eventstream" } else { "application/json" };
        let head = headers(&[(":status", &status), ("content-type", kind)]);
        answer(&mut exchange_, head, &answer_body, &[]);
    }
}
