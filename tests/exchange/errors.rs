//! Errors in place of an answer: Bedrock's, Envoy's, and the gateway's own.

use bedrock_filter::exchange::{Arrival, Exchange, Step};
use golden_cases::{PLUGIN_CONFIG, frames};
use harness::{answer, headers, routes, send};
use serde_json::{Value, json};

use super::{CHAT, exchange, replied, request};

#[test]
fn envoys_own_answers_become_our_errors() {
    for (status, body, expected, code) in [
        (
            "503",
            "upstream connect error, reset reason: 10.1.2.3",
            "503",
            "service_unavailable",
        ),
        ("504", "upstream request timeout", "504", "timeout"),
        ("404", "", "503", "no_route"),
    ] {
        let mut exchange = exchange();
        send(&mut exchange, CHAT).unwrap();
        let head = headers(&[(":status", status), ("content-type", "text/plain")]);
        let seen = answer(&mut exchange, head, body.as_bytes(), &[]);
        assert_eq!(seen.headers.get_str(":status"), Some(expected));
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(body["error"]["code"], code);
        assert!(!body.to_string().contains("10.1.2.3"));
    }
}

#[test]
fn an_answer_before_the_body_is_complete_is_also_an_error() {
    let mut exchange = exchange();
    let head = request("POST", "/v1/chat/completions");
    assert_eq!(exchange.request_headers(head, Arrival::Partial), Step::Wait);
    let head = headers(&[(":status", "413"), ("content-type", "text/plain")]);
    let seen = answer(&mut exchange, head, b"Payload Too Large", &[]);
    assert_eq!(seen.headers.get_str(":status"), Some("413"));
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(body["error"]["code"], "request_too_large");
}

/// Envoy's own answers to a request that breaks off do not come from Bedrock.
#[test]
fn a_request_that_cannot_be_read_is_not_blamed_on_bedrock() {
    for (status, expected, code) in [
        ("400", "400", "invalid_request"),
        ("408", "408", "request_timeout"),
        ("413", "413", "request_too_large"),
        ("503", "503", "overloaded"),
    ] {
        let mut exchange = exchange();
        let head = request("POST", "/v1/chat/completions");
        assert_eq!(exchange.request_headers(head, Arrival::Partial), Step::Wait);
        let head = headers(&[(":status", status), ("content-type", "text/plain")]);
        let seen = answer(&mut exchange, head, b"codec error", &[]);
        assert_eq!(seen.headers.get_str(":status"), Some(expected));
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(body["error"]["code"], code, "{body}");
        let message = body["error"]["message"].as_str().unwrap();
        assert!(!message.contains("Bedrock refused"), "{message}");
    }
}

#[test]
fn an_error_without_a_body_also_says_when_to_retry() {
    let mut exchange = exchange();
    send(&mut exchange, CHAT).unwrap();
    let head = headers(&[
        (":status", "429"),
        ("x-amzn-requestid", "of-aws"),
        ("retry-after", "3"),
    ]);
    let Step::Reply(reply) = exchange.response_headers(head, Arrival::Complete) else {
        panic!("no reply");
    };
    for (name, value) in [("retry-after", "3"), ("x-request-id", "of-aws")] {
        let mut own = reply.headers.iter().filter(|(own, _)| own == name);
        assert_eq!(own.next().unwrap().1, value);
        assert_eq!(own.next(), None);
    }
}

#[test]
fn a_request_for_which_envoy_lacks_memory_can_be_retried() {
    for status in ["500", "503"] {
        let mut exchange = exchange();
        let head = request("POST", "/v1/chat/completions");
        assert_eq!(exchange.request_headers(head, Arrival::Partial), Step::Wait);
        let head = headers(&[(":status", status), ("content-type", "text/plain")]);
        let seen = answer(&mut exchange, head, b"Internal Server Error", &[]);
        assert_eq!(seen.headers.get_str(":status"), Some("503"));
        assert_eq!(seen.headers.get_str("retry-after"), Some("2"));
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(body["error"]["code"], "overloaded");
    }
}

/// There is another attempt only with failover.
#[test]
fn a_profile_is_tried_only_with_failover() {
    let config = json!({"channels": [{"name": "a", "region": "us-east-1", "cross_region": "off",
        "retry_with_inference_profile": true,
        "credentials": {"type": "bedrock_api_key", "api_key": "k"}}]});
    let mut exchange = Exchange::new(routes(&config.to_string()));
    let sent = send(&mut exchange, CHAT).unwrap();
    let path = sent.headers.get_str(":path").unwrap();
    assert!(path.starts_with("/model/anthropic."), "{path}");
    let head = headers(&[
        (":status", "400"),
        ("x-amzn-errortype", "ValidationException"),
    ]);
    let refusal = br#"{"message":"Invocation of model ID anthropic.claude-sonnet-4-5 with on-demand throughput isn't supported."}"#;
    let seen = answer(&mut exchange, head, refusal, &[]);
    assert_eq!(seen.headers.get_str(":status"), Some("502"));
    let text = String::from_utf8(seen.body).unwrap();
    assert!(text.contains("inference_profile_arn_map"), "{text}");
}

#[test]
fn an_answer_over_the_limit_becomes_an_error_at_once() {
    let config = PLUGIN_CONFIG.replacen(
        "\"schema\"",
        "\"limits\":{\"max_response_bytes\":64},\"schema\"",
        1,
    );
    let mut exchange = Exchange::new(routes(&config));
    send(&mut exchange, CHAT).unwrap();
    let head = headers(&[(":status", "200"), ("content-type", "application/json")]);
    assert_eq!(
        exchange.response_headers(head, Arrival::Partial),
        Step::Wait
    );
    let mut unread = || panic!("must not be read");
    assert_eq!(
        exchange.response_body(64, Arrival::Partial, &mut unread),
        Step::Wait
    );
    let step = exchange.response_body(65, Arrival::Partial, &mut unread);
    assert_eq!(replied(step), (502, "response_too_large".to_owned()));
    assert!(exchange.is_done());
}

#[test]
fn an_error_before_the_upstream_ends_keeps_what_clients_need() {
    let mut exchange = exchange();
    let body = br#"{"model":"claude-sonnet-4-5","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;
    send(&mut exchange, body).unwrap();
    let head = headers(&[
        (":status", "200"),
        ("content-type", "application/vnd.amazon.eventstream"),
        ("x-amzn-requestid", "r-1"),
        ("retry-after", "3"),
    ]);
    assert_eq!(
        exchange.response_headers(head, Arrival::Partial),
        Step::Wait
    );
    let frame = frames("!throttlingException {\"message\":\"slow down\"}");
    let step = exchange.response_body(frame.len(), Arrival::Partial, &mut || frame.clone());
    let Step::Reply(reply) = &step else {
        panic!("no reply: {step:?}");
    };
    let header = |name: &str| reply.headers.iter().find(|(own, _)| own == name);
    assert_eq!(header("retry-after").unwrap().1, "3");
    assert_eq!(header("x-request-id").unwrap().1, "r-1");
    assert_eq!(replied(step), (429, "rate_limit_exceeded".to_owned()));
}

#[test]
fn trailers_end_a_held_answer() {
    let mut exchange = exchange();
    send(&mut exchange, CHAT).unwrap();
    let head = headers(&[(":status", "200"), ("content-type", "application/json")]);
    assert_eq!(
        exchange.response_headers(head, Arrival::Partial),
        Step::Wait
    );
    let body = br#"{"content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn"}"#;
    let step = exchange.response_trailers(body.len(), &mut || body.to_vec());
    assert!(matches!(step, Step::Edit(_)), "{step:?}");
}

#[test]
fn trailers_without_a_body_get_an_answer() {
    for kind in ["application/json", "application/vnd.amazon.eventstream"] {
        let mut exchange = exchange();
        let body = br#"{"model":"claude-sonnet-4-5","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;
        send(&mut exchange, body).unwrap();
        let head = headers(&[(":status", "200"), ("content-type", kind)]);
        assert_eq!(
            exchange.response_headers(head, Arrival::Partial),
            Step::Wait
        );
        let step = exchange.response_trailers(0, &mut Vec::new);
        assert_eq!(replied(step), (502, "bad_gateway".to_owned()));
    }
}

#[test]
fn a_damaged_stream_ends_with_an_error_and_no_done() {
    let body = br#"{"model":"claude-sonnet-4-5","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;
    let events = "{\"type\":\"message_start\",\"message\":{}}\n{\"type\":\"message_stop\"}\n";
    let mut bytes = frames(events);
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let mut exchange = exchange();
    send(&mut exchange, body).unwrap();
    let head = headers(&[
        (":status", "200"),
        ("content-type", "application/vnd.amazon.eventstream"),
    ]);
    let seen = answer(&mut exchange, head, &bytes, &[]);
    let text = String::from_utf8(seen.body).unwrap();
    assert!(text.contains("\"code\":\"stream_error\""), "{text}");
    assert!(!text.contains("[DONE]"), "{text}");
}
