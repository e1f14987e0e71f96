//! `CountTokens`: which models it counts for, and what it refuses.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::client::{Call, body, start};

const COUNTED: &str = "anthropic.claude-sonnet-4-5-20250929-v1%3A0";

/// A request to count another, for `InvokeModel`.
fn request(inner: &Value) -> Value {
    json!({"input": {"invokeModel": {"body": STANDARD.encode(inner.to_string())}}})
}

#[track_caller]
fn refused((status, answer): (u16, Value), expected: &str) {
    assert_eq!(status, 400, "{answer}");
    let message = answer["message"].as_str().unwrap();
    assert!(message.starts_with(expected), "{message}");
}

#[tokio::test]
async fn tokens_are_counted_of_another_request() {
    let simulator = start().await;
    let count = async |text: &str| {
        let (status, answer) = Call::new(COUNTED, "count-tokens", &request(&body(text)))
            .json(&simulator)
            .await;
        assert_eq!(status, 200, "{answer}");
        let members: Vec<_> = answer.as_object().unwrap().keys().collect();
        assert_eq!(members, ["inputTokens"]);
        answer["inputTokens"].as_u64().unwrap()
    };
    let (short, long) = (count("Hi").await, count(&"word ".repeat(100)).await);
    assert!(short > 0 && long > short + 50, "{short} {long}");
}

#[tokio::test]
async fn only_base_models_of_some_generations_are_counted() {
    let simulator = start().await;
    for model in [
        "us.anthropic.claude-sonnet-4-5-20250929-v1%3A0",
        "anthropic.claude-3-haiku-20240307-v1%3A0",
        "anthropic.claude-opus-4-8",
        "amazon.nova-pro-v1%3A0",
    ] {
        let call = Call::new(model, "count-tokens", &request(&body("Hi")));
        let answer = call.json(&simulator).await;
        refused(answer, "The provided model doesn't support counting tokens");
    }
}

#[tokio::test]
async fn what_is_inside_is_judged_like_a_request_of_its_own() {
    let simulator = start().await;
    let count = async |request: &Value| {
        let call = Call::new(COUNTED, "count-tokens", request);
        call.json(&simulator).await
    };
    let missing = "Malformed input request: #: required key [input] not found";
    for outer in [
        json!({}),
        body("Hi"),
        json!({"input": {}, "model": "m"}),
        json!([]),
    ] {
        refused(count(&outer).await, missing);
    }
    for inner in [
        json!({"input": {}}),
        json!({"input": {"invokeModel": {}}}),
        json!({"input": {"invokeModel": {"body": "not base64!"}}}),
        json!({"input": {"invokeModel": {"body": STANDARD.encode("not JSON")}}}),
    ] {
        refused(
            count(&inner).await,
            "Malformed input request, please reformat",
        );
    }
    let mut wrong = body("Hi");
    wrong["stream"] = json!(true);
    refused(
        count(&request(&wrong)).await,
        "stream: Extra inputs are not permitted",
    );
    wrong = body("Hi");
    wrong.as_object_mut().unwrap().remove("max_tokens");
    refused(count(&request(&wrong)).await, "max_tokens: Field required");
}
