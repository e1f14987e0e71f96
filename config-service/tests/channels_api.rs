//! The admin API over real HTTP: every route, every fault.

mod faults;
mod paths;

use crate::common::{ARN, TestService, channel, channel_with};
use reqwest::{Method, StatusCode};
use serde_json::json;

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
        "models_mode": null,
        "discovery_hours": 0,
        "allow_model_ids": "catalogue",
        "match": "model",
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
        "models_mode": "fallback",
        "discovery_hours": 24,
        "allow_model_ids": "none",
        "match": "exact",
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
async fn put_keeps_the_credentials_what_clients_may_ask_for_and_how_names_match_alone() {
    let service = TestService::start().await;
    let fields = json!({
        "models": ["claude-3-haiku"],
        "enabled": false,
        "cross_region": "off",
        "allow_model_ids": "any",
        "match": "exact",
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
    assert_eq!(after["match"], "exact");
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
async fn patch_keeps_what_it_leaves_out_and_clears_what_it_empties() {
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

/// `YYYY-MM-DDTHH:MM:SS.mmmZ`.
fn is_rfc3339(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    shape == "0000-00-00T00:00:00.000Z"
}
