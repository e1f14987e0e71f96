//! Routes, limits, and what is recorded.

use bedrock_simulator::{Recorded, Verdict};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{Call, HAIKU, body, builder, http, start};

#[tokio::test]
async fn other_paths_are_unknown_operations_in_a_200() {
    let simulator = start().await;
    let arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456";
    for path in [
        format!("/model/{arn}/invoke"),
        format!("/bedrock/model/{HAIKU}/invoke"),
        format!("/model/{HAIKU}/invoke/"),
        format!("/model/{HAIKU}"),
        format!("/model/{HAIKU}/complete"),
        "/".to_owned(),
    ] {
        let mut call = Call::invoke(HAIKU, &body("Hi"));
        call.path = path;
        let (status, answer) = call.json(&simulator).await;
        assert_eq!(status, 200, "{}", call.path);
        let expected = json!({
            "Output": {"__type": "com.amazon.coral.service#UnknownOperationException"},
            "Version": "1.0",
        });
        assert_eq!(answer, expected, "{}", call.path);
    }
    let got = http().build().unwrap();
    let got = got.get(format!("{}/model/{HAIKU}/invoke", simulator.url()));
    assert!(
        got.send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains("UnknownOperation")
    );
    assert!(
        simulator
            .requests()
            .iter()
            .all(|r| r.verdict == Verdict::UnknownOperation)
    );
}

#[tokio::test]
async fn model_ids_that_aws_would_not_serve_are_refused() {
    let simulator = start().await;
    for (model, text) in [
        (
            "anthropic.claude-9",
            "The provided model identifier is invalid.",
        ),
        (
            "anthropic.claude-3-haiku-20240307-v1%253A0",
            "The provided model identifier is invalid.",
        ),
        (
            "eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0",
            "The provided model identifier is invalid.",
        ),
        ("%ff", "The provided model identifier is invalid."),
        ("", "The provided model identifier is invalid."),
        (
            "anthropic.claude-sonnet-4-5-20250929-v1%3A0",
            "Invocation of model ID anthropic.claude-sonnet-4-5-20250929-v1:0 with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model.",
        ),
    ] {
        let (status, answer) = Call::invoke(model, &body("Hi")).json(&simulator).await;
        assert_eq!((status, answer), (400, json!({"message": text})), "{model}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_a_413_and_one_at_the_limit_is_not() {
    let base = body("").to_string().len();
    let simulator = builder().max_body_bytes(base + 1000).start().await.unwrap();
    let at_limit = Call::invoke(HAIKU, &body(&"x".repeat(1000)));
    assert_eq!(at_limit.send(&simulator).await.status(), 200);
    let over = Call::invoke(HAIKU, &body(&"x".repeat(1001)));
    let (status, answer) = over.json(&simulator).await;
    assert_eq!(status, 413, "{answer}");
    let default = start().await;
    let mut call = Call::invoke(HAIKU, &json!({}));
    call.body = vec![b' '; 25_000_001];
    assert_eq!(call.send(&default).await.status(), 413);
    call.body.pop();
    assert_eq!(call.send(&default).await.status(), 400);
}

#[tokio::test]
async fn what_is_not_a_json_object_is_malformed() {
    let simulator = start().await;
    for bytes in ["", "{", "[]", "\"text\"", "{} x"] {
        let mut call = Call::invoke(HAIKU, &json!({}));
        call.body = bytes.as_bytes().to_vec();
        let (status, answer) = call.json(&simulator).await;
        let text = "Malformed input request, please reformat your input and try again.";
        assert_eq!((status, &answer["message"]), (400, &json!(text)), "{bytes}");
    }
}

#[tokio::test]
async fn requests_are_recorded_with_raw_path_headers_body_and_verdict() {
    let simulator = start().await;
    let call = Call::invoke(HAIKU, &body("Hi"));
    let request = call.request(&simulator);
    let dirty = [
        ("cookie", "a=b"),
        ("x-api-key", "k"),
        ("openai-organization", "o"),
        ("x-forwarded-for", "1.2.3.4"),
        ("x-envoy-attempt-count", "1"),
        ("x-request-id", "r"),
        ("x-bedrock-cluster", "c"),
    ];
    let request = dirty.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    assert_eq!(request.send().await.unwrap().status(), 200);
    call.send(&simulator).await;
    let recorded = simulator.requests();
    assert_eq!(recorded.len(), 2);
    assert_eq!(recorded[0].method, "POST");
    assert_eq!(recorded[0].path, format!("/model/{HAIKU}/invoke"));
    assert_eq!(recorded[0].body, Some(body("Hi")));
    assert_eq!(recorded[0].body_bytes, call.body.len());
    assert_eq!(recorded[0].verdict, Verdict::Accepted);
    assert_eq!(recorded[0].header("Content-Type"), Some("application/json"));
    let mut leftovers = recorded[0].leftovers();
    leftovers.sort_unstable();
    let mut expected: Vec<&str> = dirty.iter().map(|(name, _)| *name).collect();
    expected.sort_unstable();
    assert_eq!(leftovers, expected);
    assert!(recorded[1].leftovers().is_empty());
}

#[tokio::test]
async fn the_list_of_requests_is_served_over_http_too() {
    let simulator = start().await;
    Call::invoke(HAIKU, &body("Hi")).send(&simulator).await;
    let url = format!("{}/_simulator/requests", simulator.url());
    let client = http().build().unwrap();
    let list = || async {
        client
            .get(&url)
            .send()
            .await
            .unwrap()
            .json::<Vec<Recorded>>()
            .await
            .unwrap()
    };
    assert_eq!(list().await, simulator.requests());
    assert_eq!(list().await.len(), 1, "control requests are not recorded");
    assert_eq!(client.delete(&url).send().await.unwrap().status(), 204);
    assert!(list().await.is_empty());
}

#[tokio::test]
async fn a_body_shorter_than_announced_is_not_served() {
    let simulator = start().await;
    let call = Call::invoke(HAIKU, &body("Hi"));
    let mut stream = tokio::net::TcpStream::connect(simulator.addr())
        .await
        .unwrap();
    let mut head = format!("POST {} HTTP/1.1\r\n", call.path);
    for (name, value) in call.signed_headers(&simulator.addr().to_string()) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", call.body.len() + 5));
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&call.body).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    // A reset is as acceptable as a refusal.
    let _ = stream.read_to_end(&mut answer).await;
    assert!(
        !answer.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}

#[tokio::test]
async fn guardrail_headers_come_together() {
    let simulator = start().await;
    let mut call = Call::invoke(HAIKU, &body("Hi"));
    call.headers
        .push(("x-amzn-bedrock-guardrailidentifier", "gr1abc".into()));
    assert_eq!(call.json(&simulator).await.0, 400);
    call.headers
        .push(("x-amzn-bedrock-guardrailversion", "DRAFT".into()));
    let answer: (u16, Value) = call.json(&simulator).await;
    assert_eq!(answer.0, 200);
}
