//! Bodies that are refused, or stored with a warning.

use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{ARN, SECRET, TOKEN, TestService, channel, channel_with, receive};

#[tokio::test]
async fn every_fault_of_a_body_is_in_one_answer_and_nothing_changes() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let path = format!("/api/channels/{id}");
    let before = service.get(&path).await.json();
    let body = r#"{
        "name": "two words",
        "region": "moon",
        "endpoint": "ftp://x",
        "regoin": 1,
        "enabled": null,
        "models": ["a", 5],
        "cross_region": "mars",
        "credentials": {"type": "static", "access_key_id": ""},
        "model_mapping": {"a": "b", "a": "c"},
        "model_families": {"x": "claude"},
        "api": "grpc",
        "model_apis": {"x": "rest"},
        "guardrail": {"identifier": "gr1", "version": "latest"},
        "inference_profile_arn_map": "{\"\": \"a\", \"m/n\": \"\", \"k\": 1, \" w\": \"v\"}"
    }"#;
    for method in [Method::PATCH, Method::PUT] {
        let mut faults = service.send(method, &path, body).await.problem(422);
        faults.sort();
        assert_eq!(
            faults,
            [
                "/api unknown_value",
                "/credentials/access_key_id not_clearable",
                "/credentials/secret_access_key required",
                "/cross_region unknown_value",
                "/enabled not_clearable",
                "/endpoint invalid_endpoint",
                "/guardrail/version invalid_guardrail",
                "/inference_profile_arn_map/ empty_key",
                "/inference_profile_arn_map/ w surrounding_whitespace",
                "/inference_profile_arn_map/k not_a_string",
                "/inference_profile_arn_map/m~1n empty_value",
                "/model_apis/x unknown_api",
                "/model_families/x unknown_family",
                "/model_mapping/a duplicate_key",
                "/models/1 not_a_string",
                "/name invalid_name",
                "/region invalid_region",
                "/regoin unknown_field",
            ]
        );
    }
    assert_eq!(service.get(&path).await.json(), before);
    assert_eq!(service.status().await["revision"], 1);
}

#[tokio::test]
async fn values_are_checked_by_the_filters_own_rules() {
    let service = TestService::start().await;
    for (fields, fault) in [
        (json!({"endpoint": "ftp://x"}), "/endpoint invalid_endpoint"),
        (
            json!({"endpoint": "https://user:pass@host"}),
            "/endpoint invalid_endpoint",
        ),
        (
            json!({"endpoint": "https://bedrock-runtime.eu-west-1.amazonaws.com"}),
            "/endpoint region_mismatch",
        ),
        (
            json!({"models": ["x".repeat(2049)]}),
            "/models/0 invalid_model_name",
        ),
        (
            json!({"inference_profile_arn_map": {"m": "x".repeat(2049)}}),
            "/inference_profile_arn_map/m invalid_value",
        ),
        (
            json!({"model_mapping": {"x".repeat(2049): "m"}}),
            &format!("/model_mapping/{} invalid_key", "x".repeat(2049)),
        ),
        (
            json!({"guardrail": {"identifier": "Not An Id", "version": "1"}}),
            "/guardrail/identifier invalid_guardrail",
        ),
        (
            json!({"model_apis": {"x".repeat(3000): "invoke"}}),
            &format!("/model_apis/{} invalid_model_name", "x".repeat(3000)),
        ),
    ] {
        let reply = service.post(&channel_with("one", &fields)).await;
        assert_eq!(reply.problem(422), [fault], "{fields}");
    }
    let longest = "x".repeat(2048);
    let fields = json!({
        "models": [longest],
        "model_mapping": {&longest: "m"},
        "inference_profile_arn_map": {"m": longest},
    });
    service.create(&channel_with("longest", &fields)).await;
    let two = json!({"name": "two words", "endpoint": "ftp://x"});
    let faults = service.post(&channel_with("one", &two)).await.problem(422);
    assert_eq!(faults, ["/name invalid_name", "/endpoint invalid_endpoint"]);
}

#[tokio::test]
async fn a_new_channel_needs_name_region_and_credentials() {
    let service = TestService::start().await;
    let faults = service.post(&json!({})).await.problem(422);
    assert_eq!(
        faults,
        [
            "/name required",
            "/region required",
            "/credentials required"
        ]
    );
    let body = json!({"endpoint": "https://bedrock-runtime.eu-west-1.amazonaws.com"});
    let faults = service.post(&body).await.problem(422);
    assert_eq!(
        faults,
        [
            "/name required",
            "/region required",
            "/credentials required"
        ]
    );
    let faults = service.post(&json!(["x"])).await.problem(422);
    assert_eq!(faults, [" not_an_object"]);
}

#[tokio::test]
async fn names_are_unique() {
    let service = TestService::start().await;
    service.create(&channel("one")).await;
    let id = service.create(&channel("two")).await;
    assert_eq!(
        service.post(&channel("one")).await.problem(409),
        ["/name name_taken"]
    );
    let reply = service.patch(&id, &json!({"name": "one"})).await;
    assert_eq!(reply.problem(409), ["/name name_taken"]);
    let reply = service
        .patch(&id, &json!({"name": "one", "region": "moon"}))
        .await;
    assert_eq!(
        reply.problem(422),
        ["/name name_taken", "/region invalid_region"]
    );
    let first = service.get("/api/channels").await.json()["channels"][0]["id"].clone();
    let reply = service
        .patch(first.as_str().unwrap(), &json!({"name": "two"}))
        .await;
    assert_eq!(reply.problem(409), ["/name name_taken"]);
    assert_eq!(
        service.patch(&id, &json!({"name": "two"})).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn suspicious_content_is_stored_with_warnings() {
    let service = TestService::start().await;
    let fields = json!({"inference_profile_arn_map": {
        "claude-3-haiku": "not-an-arn",
        "claude-sonnet-4-5": ARN.replace("us-east-1", "eu-west-1"),
    }});
    let id = service.create(&channel_with("one", &fields)).await;
    let view = service.get(&format!("/api/channels/{id}")).await.json();
    let mut pointers: Vec<_> = view["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| {
            assert!(
                warning["code"].is_string() && warning["message"].is_string(),
                "{warning}"
            );
            warning["pointer"].as_str().unwrap()
        })
        .collect();
    pointers.dedup();
    assert_eq!(
        pointers,
        [
            "/inference_profile_arn_map/claude-3-haiku",
            "/inference_profile_arn_map/claude-sonnet-4-5"
        ]
    );
}

#[tokio::test]
async fn malformed_json_is_a_400_with_line_and_column() {
    let service = TestService::start().await;
    for body in ["", "{", "{\"name\": \"a\",\n}", "{} {}"] {
        let reply = service.send(Method::POST, "/api/channels", body).await;
        assert_eq!(reply.problem(400), [" invalid_json"]);
        let detail = reply.json()["detail"].to_string();
        assert!(
            detail.contains("line") && detail.contains("column"),
            "{detail}"
        );
    }
    let reply = service
        .send(Method::POST, "/api/channels", "{\"name\": \"a\",\n}")
        .await;
    assert!(reply.text.contains("at line 2 column 1"), "{reply:?}");
}

#[tokio::test]
async fn bodies_over_a_mebibyte_are_refused() {
    let service = TestService::start().await;
    let long = " ".repeat(1024 * 1024 + 1);
    service
        .send(Method::POST, "/api/channels", long.clone())
        .await
        .problem(413);
    // Without a content-length the limit is noticed while reading.
    let chunks = [Ok::<_, std::io::Error>(long)];
    let request = reqwest::Client::new()
        .post(service.url("/api/channels"))
        .bearer_auth(TOKEN)
        .body(reqwest::Body::wrap_stream(tokio_stream::iter(chunks)));
    receive(request).await.problem(413);
    let fitting = " ".repeat(1024 * 1024);
    service
        .send(Method::POST, "/api/channels", fitting)
        .await
        .problem(400);
}

#[tokio::test]
async fn faults_in_credentials_never_repeat_them() {
    let service = TestService::start().await;
    let bad: [Value; 5] = [
        json!({"type": "static", "access_key_id": "AKID", "secret_access_key": [SECRET]}),
        json!({"type": "static", "access_key_id": "AKID", "secret_access_key": format!("{SECRET} x")}),
        json!({"type": SECRET, "access_key_id": "AKID", "secret_access_key": SECRET}),
        json!(SECRET),
        json!({"type": "static", "access_key_id": "AKID", "secret_access_key": SECRET, "session_token": {"x": SECRET}}),
    ];
    for credentials in bad {
        let body = channel_with("one", &json!({"credentials": credentials}));
        let reply = service.post(&body).await;
        assert!(!reply.problem(422).is_empty());
        assert!(!reply.text.contains(SECRET), "{reply:?}");
    }
}

#[tokio::test]
async fn endpoints_that_lead_to_metadata_need_a_flag() {
    let metadata = json!({"endpoint": "http://169.254.169.254"});
    let service = TestService::start().await;
    let reply = service.post(&channel_with("one", &metadata)).await;
    assert_eq!(reply.problem(422), ["/endpoint forbidden_endpoint"]);
    let id = service.create(&channel("one")).await;
    let reply = service.put(&id, &channel_with("one", &metadata)).await;
    assert_eq!(reply.problem(422), ["/endpoint forbidden_endpoint"]);
    let dir = Arc::clone(&service.dir);
    service.shutdown().await;
    let service = TestService::start_in(dir, &["--allow-link-local-endpoints"]).await;
    let reply = service.put(&id, &channel_with("one", &metadata)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

/// How PowerShell and some editors encode a file.
#[tokio::test]
async fn bodies_may_begin_with_a_byte_order_mark_and_other_encodings_are_named() {
    let service = TestService::start().await;
    let marked = |body: &Value| format!("\u{feff}{body}");
    let created = service
        .send(Method::POST, "/api/channels", marked(&channel("one")))
        .await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    let question = marked(&json!({"model": "nova-pro"}));
    let explained = service.send(Method::POST, "/api/explain", question).await;
    assert_eq!(explained.status, StatusCode::OK, "{explained:?}");
    let text = channel("two").to_string();
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for path in ["/api/channels", "/api/explain"] {
        let request = reqwest::Client::new()
            .post(service.url(path))
            .bearer_auth(TOKEN)
            .body(wide.clone());
        let refused = receive(request).await;
        refused.problem(400);
        let detail = refused.json()["detail"].to_string();
        assert!(detail.contains("expected UTF-8, found UTF-16"), "{detail}");
    }
}
