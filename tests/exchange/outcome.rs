//! What an exchange reports at its end.

use std::time::Duration;

use bedrock_filter::chat::{FinishReason, Usage};
use bedrock_filter::exchange::{Arrival, End};
use bedrock_filter::telemetry::Ending;
use golden_cases::frames;
use harness::{answer, headers, now, send};
use serde_json::{Value, json};

use super::{CHAT, exchange};

/// The outcome of a call that got this answer.
fn end(status: &str, content_type: &str, body: &[u8]) -> Option<End> {
    let mut exchange = exchange();
    assert_eq!(exchange.outcome(), None);
    send(&mut exchange, CHAT).unwrap();
    let sent = exchange.outcome().unwrap();
    assert_eq!(
        (&*sent.channel, &*sent.model),
        ("golden", "claude-sonnet-4-5")
    );
    assert_eq!((sent.attempt, sent.started, &sent.end), (1, now(), &None));
    let head = headers(&[(":status", status), ("content-type", content_type)]);
    answer(&mut exchange, head, body, &[]);
    exchange.outcome().unwrap().end.clone()
}

#[test]
fn an_exchange_reports_the_outcome_of_its_call() {
    let whole = json!({
        "content": [{"type": "text", "text": "Hello!"}],
        "stop_reason": "max_tokens",
        "usage": {"input_tokens": 3, "output_tokens": 5, "cache_read_input_tokens": 7},
    });
    let usage = Usage {
        input: 3,
        output: 5,
        cache_read: 7,
        ..Usage::default()
    };
    let reason = FinishReason::Length;
    assert_eq!(
        end("200", "application/json", whole.to_string().as_bytes()),
        Some(End::Answered {
            reason,
            usage,
            unknown_reason: None
        })
    );
    let code = |end: Option<End>| match end {
        Some(End::Failed(error)) => error.code,
        other => panic!("{other:?}"),
    };
    let refused = end("429", "application/json", b"{}");
    assert_eq!(code(refused), Some("rate_limit_exceeded"));
    let broken = end("200", "application/json", b"{}");
    assert_eq!(code(broken), Some("invalid_upstream_response"));
}

#[test]
fn an_exchange_reports_how_its_stream_ended() {
    const EVENTS: [&str; 3] = [
        r#"{"type":"message_start","message":{"usage":{"input_tokens":12,"output_tokens":1}}}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}"#,
        r#"{"type":"message_stop"}"#,
    ];
    let run = |events: &[&str]| {
        let mut exchange = exchange();
        let mut chat: Value = serde_json::from_slice(CHAT).unwrap();
        chat["stream"] = json!(true);
        send(&mut exchange, chat.to_string().as_bytes()).unwrap();
        let head = headers(&[
            (":status", "200"),
            ("content-type", "application/vnd.amazon.eventstream"),
        ]);
        answer(&mut exchange, head, &frames(&events.join("\n")), &[]);
        exchange.outcome().unwrap().end.clone().unwrap()
    };
    let usage = Usage {
        input: 12,
        output: 5,
        ..Usage::default()
    };
    let reason = FinishReason::Stop;
    let unknown_reason = None;
    assert_eq!(
        run(&EVENTS),
        End::Answered {
            reason,
            usage,
            unknown_reason
        }
    );
    assert!(matches!(run(&EVENTS[..2]), End::Failed(_)));
}

#[test]
fn an_unknown_reason_is_reported_once() {
    let told = |stop_reason: &str, stream: bool| {
        let mut exchange = exchange();
        let mut chat: Value = serde_json::from_slice(CHAT).unwrap();
        chat["stream"] = json!(stream);
        send(&mut exchange, chat.to_string().as_bytes()).unwrap();
        let (content_type, body) = if stream {
            let delta = json!({"type": "message_delta", "delta": {"stop_reason": stop_reason}});
            let events = format!("{delta}\n{}", json!({"type": "message_stop"}));
            ("application/vnd.amazon.eventstream", frames(&events))
        } else {
            let body = json!({"content": [], "stop_reason": stop_reason});
            ("application/json", body.to_string().into_bytes())
        };
        let head = headers(&[(":status", "200"), ("content-type", content_type)]);
        answer(&mut exchange, head, &body, &[]);
        let told = exchange.take_report(now).unwrap();
        assert_eq!(exchange.take_report(now), None);
        told.unknown_reason
    };
    for stream in [false, true] {
        assert_eq!(told("Bored", stream).as_deref(), Some("Bored"));
        assert_eq!(told("end_turn", stream), None);
    }
}

#[test]
fn a_request_is_reported_once_with_everything_that_is_known() {
    let mut exchange = exchange();
    send(&mut exchange, CHAT).unwrap();
    assert_eq!(exchange.take_report(now), None, "it has no end yet");
    let body = json!({
        "content": [{"type": "text", "text": "Hello!"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 5},
    });
    let head = headers(&[(":status", "200"), ("content-type", "application/json")]);
    answer(&mut exchange, head, body.to_string().as_bytes(), &[]);
    let later = || now() + Duration::from_millis(1500);
    let report = exchange.take_report(later).unwrap();
    assert_eq!(report.protocol, "openai_chat");
    assert_eq!(report.ending, Ending::Answered);
    assert_eq!(report.duration, Some(Duration::from_millis(1500)));
    assert_eq!(report.first_token, None, "it is no stream");
    assert_eq!(report.usage.map(|own| own.output), Some(5));
    assert_eq!(report.attempt, Some("answered"));
    let called = report.called.unwrap();
    assert_eq!(
        (&*called.channel, &*called.model),
        ("golden", "claude-sonnet-4-5")
    );
    assert!(!called.profile.contains('/'), "{}", called.profile);
    assert!(!exchange.is_unreported());
}

#[test]
fn a_stream_reports_the_time_of_its_first_content() {
    let mut exchange = exchange();
    let mut chat: Value = serde_json::from_slice(CHAT).unwrap();
    chat["stream"] = json!(true);
    send(&mut exchange, chat.to_string().as_bytes()).unwrap();
    let head = headers(&[
        (":status", "200"),
        ("content-type", "application/vnd.amazon.eventstream"),
    ]);
    exchange.response_headers(head, Arrival::Partial);
    let start = frames(r#"{"type":"message_start","message":{"usage":{"input_tokens":12}}}"#);
    exchange.response_body(start.len(), Arrival::Partial, &mut || start.clone());
    assert!(!exchange.has_just_spoken());
    let word = frames(
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#,
    );
    let all = [start, word].concat();
    exchange.response_body(all.len(), Arrival::Partial, &mut || all.clone());
    assert!(exchange.has_just_spoken());
    exchange.spoke_at(now() + Duration::from_millis(300));
    assert!(!exchange.has_just_spoken());
    let report = exchange.take_last_report(now() + Duration::from_secs(1), Ending::Cancelled);
    let report = report.unwrap();
    assert_eq!(report.first_token, Some(Duration::from_millis(300)));
    assert_eq!((report.ending, report.attempt), (Ending::Cancelled, None));
}

#[test]
fn a_request_without_a_call_is_reported_too() {
    for (body, ending) in [
        (&b"{}"[..], Ending::Refused),
        (
            br#"{"model":"unheard-of","messages":[{"role":"user","content":"Hi"}]}"#,
            Ending::Refused,
        ),
    ] {
        let mut exchange = exchange();
        send(&mut exchange, body).unwrap_err();
        let report = exchange.take_report(now).unwrap();
        assert_eq!((report.ending, report.called), (ending, None));
    }
}

#[test]
fn only_requests_to_models_are_reported() {
    let mut exchange = exchange();
    exchange.request_headers(super::request("GET", "/v1/models"), Arrival::Complete);
    assert_eq!(exchange.take_report(now), None);
    assert!(!exchange.is_unreported());
}
