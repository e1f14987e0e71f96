//! When callers and keys were last used, and what would become of requests if every client needed a key.

use std::sync::Arc;

use crate::apply::run;
use crate::callers::{create, new_key, pushed, set_mode};
use crate::common::{TestService, channel};
use crate::usage::{chat, recording, report};
use crate::web;
use bedrock_filter::config::KeyDigest;
use bedrock_filter::usage::Record;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

async fn service() -> TestService {
    recording(&Arc::new(TempDir::new().unwrap()), &[]).await
}

/// A request of nobody in particular, of which this is foreseen.
fn foreseen(number: u8, foreseen: &'static str) -> Record {
    Record {
        foreseen,
        ..chat(number, "")
    }
}

async fn forecast(service: &TestService) -> Value {
    let reply = service.get("/api/caller-settings/forecast").await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    reply.json()
}

#[tokio::test]
async fn what_a_need_for_keys_would_refuse_is_said_before_there_is_one() {
    let service = service().await;
    assert_eq!(forecast(&service).await["requests"], 0);
    let before = [foreseen(1, ""), foreseen(2, "")];
    report(&service, &before, 0).await.unwrap();
    let none = forecast(&service).await;
    assert_eq!(none["mode"], "off");
    assert_eq!(
        (&none["requests"], &none["refused"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(none["reasons"], json!({"no_keys": 2}));
    let caller = create(&service, &json!({"name": "a"})).await;
    new_key(&service, &caller, &json!({})).await;
    let long_ago = Record {
        at_ms: foreseen(9, "").at_ms - 2 * 3_600_000,
        ..foreseen(9, "missing_api_key")
    };
    let batch = [
        foreseen(3, "served"),
        foreseen(4, "missing_api_key"),
        foreseen(5, "missing_api_key"),
        foreseen(6, "invalid_api_key"),
        long_ago,
    ];
    report(&service, &batch, 0).await.unwrap();
    // The first answer was lost.
    report(&service, &batch, 0).await.unwrap();
    let told = forecast(&service).await;
    assert_eq!(
        told,
        json!({"mode": "off", "requests": 6, "refused": 3, "unknown": 2,
            "reasons": {"missing_api_key": 2, "invalid_api_key": 1}})
    );
    let (cookie, _) = web::log_in(&service, crate::common::TOKEN).await;
    let page = web::get(&service, "/callers", &cookie).await.text;
    assert!(page.contains("3 (50 %)"), "{page}");
    assert!(page.contains("2 without a key"), "{page}");
    let (done, said, error) = run(&service, &["caller", "forecast"]).await;
    assert!(done && said.contains("missing_api_key: 2"), "{said}{error}");
    // Nothing but an edit changes the mode.
    assert_eq!(forecast(&service).await["mode"], "off");
    set_mode(&service, "required").await;
    let page = web::get(&service, "/callers", &cookie).await.text;
    assert!(!page.contains("id=\"forecast\""), "{page}");
}

#[tokio::test]
async fn who_is_known_without_a_key_is_foreseen_too() {
    let service = service().await;
    report(&service, &[foreseen(1, "")], 0).await.unwrap();
    let known = json!({"name": "a", "identities": ["certificate:spiffe://x/a"]});
    let settings = "/api/caller-settings";
    let body = json!({"client_certificate": "uri_san"}).to_string();
    let reply = service.send(Method::PATCH, settings, body).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    assert_eq!(forecast(&service).await["reasons"], json!({"no_keys": 1}));
    create(&service, &known).await;
    // Nobody has a key, and filters are told by what else to tell clients apart.
    let callers = &pushed(&service).await["callers"];
    assert_eq!(callers["mode"], "off");
    assert_eq!(callers["identities"], json!({"certificate": "uri_san"}));
    assert_eq!(callers["entries"][0]["identities"], known["identities"]);
    let batch = [foreseen(2, "served"), foreseen(3, "unknown_identity")];
    report(&service, &batch, 0).await.unwrap();
    assert_eq!(
        forecast(&service).await,
        json!({"mode": "off", "requests": 3, "refused": 1, "unknown": 1, "reasons": {"unknown_identity": 1}})
    );
    let (cookie, _) = web::log_in(&service, crate::common::TOKEN).await;
    let page = web::get(&service, "/callers", &cookie).await.text;
    assert!(
        page.contains("1 of clients that Envoy knows, but not as a caller"),
        "{page}"
    );
}

#[tokio::test]
async fn without_a_record_of_usage_nothing_is_foreseen() {
    let service = TestService::start().await;
    service
        .get("/api/caller-settings/forecast")
        .await
        .problem(404);
    let (cookie, _) = web::log_in(&service, crate::common::TOKEN).await;
    let page = web::get(&service, "/callers", &cookie).await.text;
    assert!(page.contains("where usage is recorded"), "{page}");
}

#[tokio::test]
async fn the_last_use_of_a_caller_and_of_each_key_is_shown() {
    let service = service().await;
    let caller = create(&service, &json!({"name": "a"})).await;
    let (key, _) = new_key(&service, &caller, &json!({"name": "used"})).await;
    new_key(&service, &caller, &json!({"name": "idle"})).await;
    let view = service.get(&caller).await.json();
    assert!(view.get("last_used_at").is_none(), "{view}");
    let mark = KeyDigest::of(key.as_bytes()).mark().to_string();
    assert_eq!(view["keys"][0]["fingerprint"], mark);
    let used = Record {
        key: mark.clone(),
        ..chat(1, "a")
    };
    let earlier = Record {
        at_ms: used.at_ms - 60_000,
        ..chat(2, "a")
    };
    report(&service, &[used.clone(), earlier], 0).await.unwrap();
    let view = service.get(&caller).await.json();
    let at = view["keys"][0]["last_used_at"].as_str().unwrap();
    assert_eq!(view["last_used_at"], at);
    assert!(view["keys"][1].get("last_used_at").is_none(), "{view}");
    let list = service.get("/api/callers").await.json();
    assert_eq!(list["callers"][0]["last_used_at"], at);
    let lines = service.get("/api/usage?by=key").await.json();
    assert_eq!(lines["lines"][1]["key"], mark);
    // A read can be sent back, and a new name changes nothing about the key.
    let mut body = view.clone();
    body["name"] = json!("b");
    let renamed = service.send(Method::PUT, &caller, body.to_string()).await;
    assert_eq!(renamed.status, StatusCode::OK, "{renamed:?}");
    assert_eq!(renamed.json()["last_used_at"], at);
    let history = service.get(&format!("{caller}/history")).await.text;
    assert!(!history.contains("last_used_at"), "{history}");
    for words in [&["caller", "list"][..], &["key", "list", "b"]] {
        let (_, said, error) = run(&service, words).await;
        assert!(said.contains(&format!("last used {at}")), "{said}{error}");
    }
    let (cookie, _) = web::log_in(&service, crate::common::TOKEN).await;
    for path in ["/callers", &caller["/api".len()..]] {
        let page = web::get(&service, path, &cookie).await.text;
        assert!(page.contains("Last used") && page.contains(at), "{page}");
    }
    // An export does not have what nobody can write.
    let (_, exported, _) = run(&service, &["export"]).await;
    assert!(!exported.contains("last_used_at"), "{exported}");
}

#[tokio::test]
async fn filters_get_keys_to_foresee_with_and_nothing_to_hold_anybody_to() {
    let service = service().await;
    service.create(&channel("us")).await;
    let body = json!({"name": "a", "models": ["nova-*"], "channels": ["us"], "rpm": 5});
    let caller = create(&service, &body).await;
    create(&service, &json!({"name": "without-keys"})).await;
    assert!(pushed(&service).await.get("callers").is_none());
    new_key(&service, &caller, &json!({})).await;
    let callers = pushed(&service).await["callers"].clone();
    assert_eq!(callers["mode"], "off");
    let entries = callers["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1);
    let fields: Vec<_> = entries[0].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["id", "keys", "models", "name"]);
    set_mode(&service, "optional").await;
    let callers = pushed(&service).await["callers"].clone();
    assert_eq!(callers["entries"][0]["limits"]["rpm"], 5);
}
