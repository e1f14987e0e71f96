//! Streams of what the model does not stream.

use std::rc::Rc;

use bedrock_filter::exchange::{Arrival, Exchange, Step};
use harness::{answer, headers, now, routes};
use serde_json::json;

use super::credentials::{failing_over, with_credentials};
use super::request;

/// Llama 4 does not stream with tools, so its answer arrives as a whole: it takes a whole answer's time, and becomes a
/// stream on the way to the client, whichever stage reads it.
#[test]
fn what_the_model_does_not_stream_becomes_a_stream_in_both_deployments() {
    let tool = json!({"type": "function", "function": {"name": "f"}});
    let asked = json!({
        "model": "llama4-maverick-17b-instruct", "stream": true, "max_tokens": 1000, "tools": [tool],
        "messages": [{"role": "user", "content": "Hi"}]
    });
    let asked = asked.to_string();
    let said = json!({
        "output": {"message": {"role": "assistant", "content": [
            {"toolUse": {"toolUseId": "t", "name": "f", "input": {}}}
        ]}},
        "stopReason": "tool_use", "usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}
    });
    let said = said.to_string();
    let key = json!({"type": "bedrock_api_key", "api_key": "k"});
    for failover in [false, true] {
        let mut listener = if failover {
            Exchange::on_listener(failing_over(&key), &Rc::default())
        } else {
            Exchange::new(routes(&with_credentials(&key)))
        };
        listener.request_headers(request("POST", "/v1/chat/completions"), Arrival::Partial);
        let mut read = || asked.clone().into_bytes();
        let Step::Edit(edit) =
            listener.request_body(asked.len(), Arrival::Complete, now(), &mut read)
        else {
            panic!("the call must be sent");
        };
        let mut sent = edit.headers.unwrap();
        let timeout = sent.get_str("x-envoy-upstream-rq-per-try-timeout-ms");
        assert_eq!(timeout, Some("80000"), "failover: {failover}");
        let head = headers(&[(":status", "200"), ("content-type", "application/json")]);
        let seen = if let Some(request) = listener.retryable().cloned() {
            let (mut attempt, step) = Exchange::attempt(request, "a", now());
            let Step::Edit(edit) = step else {
                panic!("the attempt must be made");
            };
            sent = edit.headers.unwrap();
            answer(&mut attempt, head, said.as_bytes(), &[])
        } else {
            answer(&mut listener, head, said.as_bytes(), &[])
        };
        assert!(sent.get_str(":path").unwrap().ends_with("/converse"));
        let kind = seen.headers.get_str("content-type");
        assert_eq!(kind, Some("text/event-stream; charset=utf-8"));
        let body = String::from_utf8(seen.body).unwrap();
        assert!(body.contains(r#""finish_reason":"tool_calls""#), "{body}");
        assert!(body.ends_with("data: [DONE]\n\n"), "{body}");
    }
}
