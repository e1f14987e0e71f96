//! The admin API over real HTTP: every route, every fault.

use std::sync::Arc;

use crate::common::{ARN, SECRET, TOKEN, TestService, channel, channel_with, receive};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn a_channel_is_created_read_listed_and_deleted() {
    let service = TestService::start().await;
    let created = service.post(&channel("one")).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let view = created.json();
    let id = view["id"].as_str().unwrap();
    assert_eq!(created.header("location"), format!("/api/channels/{id}"));
    let fingerprint = view["credentials"]["fingerprint"].as_str().unwrap();
    assert_eq!(fingerprint.len(), 16);
    let expected = json!({
        "id": id,
        "name": "one",
        "enabled": true,
        "region": "us-east-1",
        "fips": false,
        "endpoint": null,
        "signer": "filter",
        "priority": 0,
        "weight": 1,
        "credentials": {
            "type": "static",
            "access_key_id": "AKIDEXAMPLE",
            "fingerprint": fingerprint,
            "has_session_token": true,
        },
        "models": [],
        "allow_model_ids": "catalogue",
        "model_mapping": {},
        "inference_profile_arn_map": {},
        "model_families": {},
        "api": "auto",
        "model_apis": {},
        "guardrail": null,
        "cross_region": "geo",
        "retry_with_inference_profile": false,
        "unknown_parameters": null,
        "first_byte_timeout_seconds": 30,
        "request_timeout_seconds": 300,
        "revision": 1,
        "created_at": view["created_at"],
        "updated_at": view["created_at"],
        "warnings": [],
    });
    assert_eq!(view, expected);
    let created_at = view["created_at"].as_str().unwrap();
    assert!(is_rfc3339(created_at), "{created_at}");

    let path = format!("/api/channels/{id}");
    assert_eq!(service.get(&path).await.json(), expected);
    let list = service.get("/api/channels").await.json();
    assert_eq!(list, json!({"revision": 1, "channels": [expected]}));

    let deleted = service.send(Method::DELETE, &path, "").await;
    assert_eq!(
        (deleted.status, deleted.text.as_str()),
        (StatusCode::NO_CONTENT, "")
    );
    service.get(&path).await.problem(404);
    let list = service.get("/api/channels").await.json();
    assert_eq!(list, json!({"revision": 2, "channels": []}));
}

#[tokio::test]
async fn all_fields_are_stored_and_shown() {
    let service = TestService::start().await;
    let fields = json!({
        "enabled": false,
        "region": "eu-west-1",
        "fips": true,
        "endpoint": "https://bedrock.corp.internal:8443",
        "priority": 2,
        "weight": 30,
        "models": ["claude-sonnet-4-5", "gpt-4o"],
        "allow_model_ids": "none",
        "model_mapping": {"gpt-4o": "claude-sonnet-4-5"},
        "inference_profile_arn_map": {"claude-sonnet-4-5": ARN.replace("us-east-1", "eu-west-1")},
        "model_families": {"claude-sonnet-4-5": "anthropic", "house-model": "openai_chat"},
        "api": "invoke",
        "model_apis": {"gpt-4o": "converse", "house-model": "auto"},
        "guardrail": {"identifier": "gr1abc", "version": "3", "trace": "enabled"},
        "cross_region": "global",
        "retry_with_inference_profile": true,
        "unknown_parameters": "refuse",
        "first_byte_timeout_seconds": 5,
        "request_timeout_seconds": 60,
    });
    let id = service.create(&channel_with("full", &fields)).await;
    let view = service.get(&format!("/api/channels/{id}")).await.json();
    for (field, value) in fields.as_object().unwrap() {
        assert_eq!(view[field], *value, "{field}");
    }
}

#[tokio::test]
async fn put_replaces_everything_but_the_credentials_and_what_clients_may_ask_for() {
    let service = TestService::start().await;
    let fields = json!({
        "models": ["claude-3-haiku"],
        "enabled": false,
        "cross_region": "off",
        "allow_model_ids": "any",
    });
    let id = service.create(&channel_with("one", &fields)).await;
    let before = service.get(&format!("/api/channels/{id}")).await.json();
    let reply = service
        .put(&id, &json!({"name": "uno", "region": "us-west-2"}))
        .await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let after = reply.json();
    assert_eq!(after["name"], "uno");
    assert_eq!(after["models"], json!([]));
    assert_eq!(after["enabled"], true);
    assert_eq!(after["cross_region"], "geo");
    assert_eq!(after["allow_model_ids"], "any");
    assert_eq!(after["credentials"], before["credentials"]);
    assert_eq!(after["created_at"], before["created_at"]);
    assert_eq!(after["revision"], 2);
    let faults = service
        .put(&id, &json!({"enabled": true}))
        .await
        .problem(422);
    assert_eq!(faults, ["/name required", "/region required"]);
}

#[tokio::test]
async fn patch_keeps_what_it_does_not_name_and_clears_what_it_empties() {
    let service = TestService::start().await;
    let fields = json!({
        "endpoint": "https://bedrock-runtime.us-east-1.amazonaws.com",
        "models": ["claude-3-haiku"],
        "inference_profile_arn_map": {"claude-3-haiku": ARN},
        "api": "converse",
        "model_apis": {"claude-3-haiku": "invoke"},
        "guardrail": {"identifier": "gr1abc", "version": "DRAFT"},
    });
    let id = service.create(&channel_with("one", &fields)).await;
    let before = service.get(&format!("/api/channels/{id}")).await.json();
    let mut expected = before.clone();
    for (revision, (patch, field, value)) in [
        (json!({"enabled": false}), "enabled", json!(false)),
        (json!({"endpoint": null}), "endpoint", json!(null)),
        (json!({"models": ""}), "models", json!([])),
        (json!({"api": null}), "api", json!("auto")),
        (json!({"model_apis": ""}), "model_apis", json!({})),
        (json!({"guardrail": null}), "guardrail", json!(null)),
        (
            json!({"inference_profile_arn_map": ""}),
            "inference_profile_arn_map",
            json!({}),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let reply = service.patch(&id, &patch).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        let after = reply.json();
        expected[field] = value;
        expected["revision"] = json!(revision + 2);
        expected["updated_at"] = after["updated_at"].clone();
        expected["warnings"] = after["warnings"].clone();
        assert_eq!(after, expected);
    }
}

#[tokio::test]
async fn patched_credentials_get_a_new_fingerprint() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let before = service.get(&format!("/api/channels/{id}")).await.json();
    let credentials = json!({
        "type": "static", "access_key_id": "AKIDOTHER", "secret_access_key": "other-secret",
    });
    let after = service
        .patch(&id, &json!({"credentials": credentials}))
        .await
        .json();
    assert_eq!(after["credentials"]["access_key_id"], "AKIDOTHER");
    assert_eq!(after["credentials"]["has_session_token"], false);
    assert_ne!(
        after["credentials"]["fingerprint"],
        before["credentials"]["fingerprint"]
    );
}

#[tokio::test]
async fn the_arn_map_is_an_object_a_string_with_one_or_nothing() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let entry = json!({"claude-3-haiku": ARN});
    for (sent, stored) in [
        (entry.clone(), entry.clone()),
        (json!({}), json!({})),
        (json!(entry.to_string()), entry.clone()),
        (json!(""), json!({})),
        (entry.clone(), entry),
        (json!(null), json!({})),
    ] {
        let reply = service
            .patch(&id, &json!({"inference_profile_arn_map": sent}))
            .await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        assert_eq!(reply.json()["inference_profile_arn_map"], stored);
    }
}

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
async fn the_filters_own_rules_judge_the_values() {
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
async fn everything_below_api_needs_the_admin_token() {
    let service = TestService::start().await;
    let http = reqwest::Client::new();
    for path in [
        "/api/channels",
        "/api/channels/x",
        "/api/status",
        "/api/nothing",
    ] {
        let url = service.url(path);
        let attempts = [
            http.get(&url),
            http.get(&url).bearer_auth("wrong"),
            http.get(&url).bearer_auth(format!("{TOKEN}x")),
            http.get(&url).bearer_auth(""),
            http.get(&url).basic_auth("admin", Some(TOKEN)),
            http.get(&url).header("authorization", TOKEN),
        ];
        for attempt in attempts {
            let reply = receive(attempt).await;
            reply.problem(401);
            assert!(
                reply.header("www-authenticate").starts_with("Bearer"),
                "{reply:?}"
            );
        }
    }
    let lower_case = http
        .get(service.url("/api/status"))
        .header("authorization", format!("bearer {TOKEN}"));
    assert_eq!(receive(lower_case).await.status, StatusCode::OK);
}

#[tokio::test]
async fn unknown_things_and_wrong_methods_are_problems() {
    let service = TestService::start().await;
    for method in [Method::GET, Method::DELETE] {
        service
            .send(method, "/api/channels/nope", "")
            .await
            .problem(404);
    }
    for method in [Method::PUT, Method::PATCH] {
        service
            .send(method, "/api/channels/nope", "{}")
            .await
            .problem(404);
    }
    for path in ["/api", "/api/nothing", "/nothing", "/filter/x.wasm"] {
        service.get(path).await.problem(404);
    }
    let reply = service.get("/api/nothing").await;
    assert_eq!(reply.json()["detail"], "there is nothing at /api/nothing");
    for (method, path, allow) in [
        (Method::DELETE, "/api/channels", "GET,HEAD,POST"),
        (Method::POST, "/api/channels/x", "GET,HEAD,PUT,PATCH,DELETE"),
        (Method::POST, "/api/status", "GET,HEAD"),
        (Method::POST, "/healthz", "GET,HEAD"),
    ] {
        let reply = service.send(method, path, "").await;
        reply.problem(405);
        let mut allowed: Vec<_> = reply.header("allow").split(',').collect();
        let mut expected: Vec<_> = allow.split(',').collect();
        allowed.sort_unstable();
        expected.sort_unstable();
        assert_eq!(allowed, expected, "{path}");
    }
}

#[tokio::test]
async fn bodies_over_a_mebibyte_are_refused() {
    let service = TestService::start().await;
    let long = " ".repeat(1024 * 1024 + 1);
    service
        .send(Method::POST, "/api/channels", long.clone())
        .await
        .problem(413);
    // Without a content-length the limit is found while reading.
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
async fn an_edit_that_changes_nothing_makes_no_revision() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let path = format!("/api/channels/{id}");
    let before = service.get(&path).await.json();
    assert_eq!(service.put(&id, &channel("one")).await.json(), before);
    assert_eq!(
        service.patch(&id, &json!({"enabled": true})).await.json(),
        before
    );
    assert_eq!(service.status().await["revision"], 1);
}

#[tokio::test]
async fn concurrent_edits_each_get_a_revision() {
    let service = TestService::start().await;
    let names: Vec<_> = (0..20).map(|n| channel(&format!("channel-{n}"))).collect();
    let replies = futures::future::join_all(names.iter().map(|body| service.post(body))).await;
    let mut revisions: Vec<_> = replies
        .iter()
        .map(|reply| reply.json()["revision"].as_u64().unwrap())
        .collect();
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=20).collect::<Vec<_>>());
    let clashes = futures::future::join_all((0..10).map(|_| service.post(&names[0]))).await;
    assert!(
        clashes
            .iter()
            .all(|reply| reply.status == StatusCode::CONFLICT)
    );
}

#[tokio::test]
async fn health_and_readiness_need_no_token() {
    let service = TestService::start().await;
    for path in ["/healthz", "/readyz"] {
        let reply = receive(reqwest::Client::new().get(service.url(path))).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    }
}

#[tokio::test]
async fn status_without_envoys_says_so() {
    let service = TestService::start().await;
    assert_eq!(
        service.status().await,
        json!({
            "revision": 0,
            "channels": 0,
            "filter": {"path": "/etc/envoy/bedrock_filter.wasm"},
            "envoys": [],
            "summary": "revision 0 is active on 0 of 0 Envoys",
        })
    );
}

#[tokio::test]
async fn the_module_is_served_under_its_hash_for_ever() {
    let dir = std::sync::Arc::new(tempfile::TempDir::new().unwrap());
    let file = dir.path().join("filter.wasm");
    std::fs::write(&file, b"\0asm\x01\0\0\0").unwrap();
    let service = TestService::start_in(dir, &["--wasm", file.to_str().unwrap()]).await;
    let sha256 = "93a44bbb96c751218e4c00d479e4c14358122a389acca16205b1e4d0dc5f9476";
    assert_eq!(service.status().await["filter"], json!({"sha256": sha256}));
    let reply =
        receive(reqwest::Client::new().get(service.url(&format!("/filter/{sha256}.wasm")))).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.text.as_bytes(), b"\0asm\x01\0\0\0");
    assert_eq!(reply.header("content-type"), "application/wasm");
    assert!(
        reply.header("cache-control").contains("immutable"),
        "{reply:?}"
    );
    for path in [format!("/filter/{sha256}"), "/filter/0.wasm".to_owned()] {
        service.get(&path).await.problem(404);
    }
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

/// `YYYY-MM-DDTHH:MM:SS.mmmZ`.
fn is_rfc3339(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    shape == "0000-00-00T00:00:00.000Z"
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

/// What PowerShell and some editors make of a file.
#[tokio::test]
async fn bodies_may_begin_with_a_mark_and_other_encodings_are_named() {
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
