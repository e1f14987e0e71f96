//! What a read returns can be sent back as a body, which is how administrators and scripts
//! edit.

use crate::common::{ARN, SECRET, SESSION_TOKEN, TestService, channel, channel_with};
use config_service::seal::Sealer;
use config_service::store::Store;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// A service with one channel that has a value in every field, and that channel as read.
async fn one_channel() -> (TestService, String, Value) {
    let service = TestService::start().await;
    let fields = json!({
        "endpoint": "https://bedrock.corp.internal",
        "models": ["claude-3-haiku"],
        "models_mode": "allowlist",
        "discovery_hours": 1,
        "model_mapping": {"gpt-4o": "claude-3-haiku"},
        "inference_profile_arn_map": {"claude-3-haiku": ARN},
        "model_families": {"claude-3-haiku": "anthropic"},
        "api": "invoke",
        "model_apis": {"claude-3-haiku": "converse"},
        "guardrail": {"identifier": "gr1abc", "version": "1"},
        "cross_region": "off",
        "allow_model_ids": "any",
        "match": "exact",
        "unknown_parameters": "refuse",
        "first_byte_timeout_seconds": 5,
    });
    let id = service.create(&channel_with("one", &fields)).await;
    let read = service.get(&format!("/api/channels/{id}")).await.json();
    assert!(!read["warnings"].as_array().unwrap().is_empty(), "{read}");
    (service, id, read)
}

#[tokio::test]
async fn a_read_put_or_patched_unchanged_changes_nothing() {
    let (service, id, read) = one_channel().await;
    for method in [Method::PUT, Method::PATCH] {
        let path = format!("/api/channels/{id}");
        let reply = service.send(method, &path, read.to_string()).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        assert_eq!(reply.json(), read);
    }
    assert_eq!(service.status().await["revision"], 1);
}

#[tokio::test]
async fn an_edited_read_keeps_the_secrets() {
    let (service, id, mut read) = one_channel().await;
    read["region"] = json!("eu-west-1");
    // However old it is, only the content counts.
    read["revision"] = json!(99);
    let reply = service.put(&id, &read).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let after = reply.json();
    assert_eq!(
        (&after["region"], &after["revision"]),
        (&json!("eu-west-1"), &json!(2))
    );
    assert_eq!(after["credentials"], read["credentials"]);
    let store = Store::open(&service.dir.path().join("test.db"), Sealer::default()).await;
    let stored = store.unwrap().contents().await.unwrap();
    let document = serde_json::to_value(&stored.channels[0].channel).unwrap();
    assert_eq!(document["credentials"]["secret_access_key"], SECRET);
    assert_eq!(document["credentials"]["session_token"], SESSION_TOKEN);
}

#[tokio::test]
async fn an_outdated_fingerprint_requires_the_secret() {
    let (service, id, read) = one_channel().await;
    let rotated = json!({"credentials": {
        "type": "static", "access_key_id": "AKIDEXAMPLE", "secret_access_key": "rotated",
    }});
    assert_eq!(service.patch(&id, &rotated).await.status, StatusCode::OK);
    let fault = "/credentials/secret_access_key secret_required";
    let reply = service.put(&id, &read).await;
    assert_eq!(reply.problem(422), [fault]);
    assert!(reply.text.contains("must be given again"), "{reply:?}");
    let mut other_key = read.clone();
    other_key["credentials"]["access_key_id"] = json!("AKIDOTHER");
    assert_eq!(service.put(&id, &other_key).await.problem(422), [fault]);
    // With the secret added, the credentials from a read count as new ones.
    other_key["credentials"]["secret_access_key"] = json!("other");
    let reply = service.put(&id, &other_key).await;
    assert_eq!(reply.json()["credentials"]["access_key_id"], "AKIDOTHER");
}

#[tokio::test]
async fn a_read_of_another_channel_is_refused() {
    let (service, _, read) = one_channel().await;
    let other = service.create(&channel("two")).await;
    let faults = service.put(&other, &read).await.problem(422);
    assert!(faults.contains(&"/id id_mismatch".to_owned()), "{faults:?}");
    let reply = service.patch(&other, &json!({"id": read["id"]})).await;
    assert_eq!(reply.problem(422), ["/id id_mismatch"]);
    let mut copy = read;
    copy["name"] = json!("copy");
    assert_eq!(
        service.post(&copy).await.problem(422),
        [
            "/id id_mismatch",
            "/credentials/secret_access_key secret_required"
        ]
    );
}
