//! Channels without valid credentials.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bedrock_filter::exchange::{Arrival, Exchange, Step};
use bedrock_filter::routes::Routes;
use harness::{headers, now, routes};
use serde_json::{Value, json};

use super::{CHAT, replied, request};

/// A configuration whose only channel has these credentials.
pub(super) fn with_credentials(credentials: &Value) -> String {
    json!({"channels": [{"name": "a", "region": "us-east-1", "credentials": credentials}]})
        .to_string()
}

/// The filter's reply to a chat that it does not send.
fn chat(exchange: &mut Exchange) -> Step {
    exchange.request_headers(request("POST", "/v1/chat/completions"), Arrival::Partial);
    exchange.request_body(CHAT.len(), Arrival::Complete, now(), &mut || CHAT.to_vec())
}

#[test]
fn without_valid_credentials_a_client_is_told_to_retry_later() {
    let seconds = now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for credentials in [
        json!({"type": "unavailable"}),
        json!({"type": "bedrock_api_key", "api_key": "k", "expires_at": seconds}),
    ] {
        let routes = routes(&with_credentials(&credentials));
        for mut exchange in [
            Exchange::new(Arc::clone(&routes)),
            // A listener with clusters that also have the filter.
            Exchange::on_listener(failing_over(&credentials), &Rc::default()),
        ] {
            let step = chat(&mut exchange);
            let Step::Reply(reply) = &step else {
                panic!("no reply: {step:?}");
            };
            let (name, value) = &reply.headers[0];
            assert_eq!(
                (name.as_str(), value.as_bytes()),
                ("retry-after", &b"10"[..])
            );
            assert_eq!(replied(step), (503, "credentials_unavailable".to_owned()));
        }
        let mut exchange = Exchange::new(routes);
        let path = "/v1/models/claude-sonnet-4-5";
        let Step::Reply(model) = exchange.request_headers(request("GET", path), Arrival::Complete)
        else {
            panic!("no model");
        };
        assert_eq!(model.status, 200, "it exists nevertheless");
    }
    let valid = json!({"type": "bedrock_api_key", "api_key": "k", "expires_at": seconds + 1});
    let mut exchange = Exchange::new(routes(&with_credentials(&valid)));
    assert!(matches!(chat(&mut exchange), Step::Edit(_)));
}

#[test]
fn an_expired_channel_in_a_pool_is_also_a_503() {
    let seconds = now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let key = json!({"type": "bedrock_api_key", "api_key": "k", "expires_at": seconds + 1});
    let picker = Rc::default();
    let mut listener = Exchange::on_listener(failing_over(&key), &picker);
    assert!(matches!(chat(&mut listener), Step::Edit(_)));
    let request = Rc::clone(listener.retryable().unwrap());
    // It expired on the way.
    let later = now() + Duration::from_secs(2);
    let (mut attempt, step) = Exchange::attempt(request, "a", later);
    assert!(matches!(step, Step::Edit(_)), "{step:?}");
    let refusal = headers(&[
        (":status", "403"),
        ("x-amzn-errortype", "ExpiredTokenException"),
    ]);
    let Step::Edit(edit) = attempt.response_headers(refusal, Arrival::Complete) else {
        panic!("must not pass");
    };
    // There is no other channel, so Envoy must not try again.
    let told = edit.headers.unwrap();
    assert_eq!(told.get_str(":status"), Some("400"));
    let step = listener.response_headers(told, Arrival::Complete);
    let Step::Reply(reply) = &step else {
        panic!("no reply: {step:?}");
    };
    let names = reply.headers.iter().map(|(name, _)| name.as_str());
    assert_eq!(names.filter(|name| *name == "retry-after").count(), 1);
    assert_eq!(replied(step), (503, "credentials_unavailable".to_owned()));
}

/// The same, with clusters that also have the filter.
pub(super) fn failing_over(credentials: &Value) -> Arc<Routes> {
    let mut config: Value = serde_json::from_str(&with_credentials(credentials)).unwrap();
    config["failover"] = json!({});
    routes(&config.to_string())
}
