//! Callers, their keys, and what applies to all of them.

mod identities;
mod rules;

use crate::common::envoy::{CDS, ECDS, Envoy, Service as At, plugin_json};
use crate::common::{Reply, TestService, channel};
use bedrock_filter::config::KeyDigest;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// `printf key | sha256sum`
const HASH: &str = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";

async fn post(service: &TestService, path: &str, body: &Value) -> Reply {
    service.send(Method::POST, path, body.to_string()).await
}

/// Creates a caller and returns the path of its resource.
pub async fn create(service: &TestService, body: &Value) -> String {
    let reply = post(service, "/api/callers", body).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    let path = reply.header("location").to_owned();
    assert_eq!(
        path,
        format!("/api/callers/{}", reply.json()["id"].as_str().unwrap())
    );
    path
}

/// Makes a key; returns it and the path of its resource.
pub async fn new_key(service: &TestService, caller: &str, body: &Value) -> (String, String) {
    let reply = post(service, &format!("{caller}/keys"), body).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    let created = reply.json();
    let key = created["key"].as_str().unwrap().to_owned();
    let id = created["id"].as_str().unwrap();
    (key, format!("{caller}/keys/{id}"))
}

pub async fn set_mode(service: &TestService, mode: &str) -> Reply {
    let body = json!({"mode": mode}).to_string();
    service
        .send(Method::PATCH, "/api/caller-settings", body)
        .await
}

/// The plugin configuration that an Envoy gets once everything that is stored is published.
pub async fn pushed(service: &TestService) -> Value {
    let stored = service.get("/api/callers").await.json()["revision"].clone();
    service
        .wait_for("published", |status| status["revision"] == stored)
        .await;
    let mut envoy = Envoy::connect(service, "reader", At::Aggregated).await;
    envoy.subscribe(CDS, "").await;
    let clusters = envoy.receive(CDS).await;
    envoy.subscribe(ECDS, "").await;
    envoy.ack(&clusters).await;
    plugin_json(&envoy.receive(ECDS).await)
}

#[tokio::test]
async fn a_caller_is_created_read_edited_and_removed() {
    let service = TestService::start().await;
    service.create(&channel("us")).await;
    let body = json!({
        "name": "team-a", "expires_at": "2030-01-31", "models": ["claude-*"], "channels": ["us"],
        "rpm": 600, "tpm": 50_000, "concurrent_requests": 8, "monthly_tokens": 5_000_000_000u64,
        "monthly_usd": 99.5, "labels": {"cost-center": "42"}, "notes": "ask Ann",
    });
    let path = create(&service, &body).await;
    let reply = service.get(&path).await;
    let mut expected = body.clone();
    expected["enabled"] = json!(true);
    expected["expires_at"] = json!("2030-01-31T00:00:00Z");
    expected["keys"] = json!([]);
    let view = reply.json();
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(view[field], *value, "{field}");
    }
    assert_eq!(reply.header("etag"), "\"2\"");
    // What a read returned can be sent back, and changes nothing.
    let same = service.send(Method::PUT, &path, view.to_string()).await;
    assert_eq!(
        (same.status, same.header("etag")),
        (StatusCode::OK, "\"2\"")
    );
    let patch = json!({"enabled": false, "rpm": null}).to_string();
    let patched = service.send(Method::PATCH, &path, patch).await.json();
    assert_eq!(
        (&patched["enabled"], &patched["rpm"], &patched["tpm"]),
        (&json!(false), &json!(null), &json!(50_000))
    );
    let removed = service.send(Method::DELETE, &path, "").await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    service.get(&path).await.problem(404);
}

#[tokio::test]
async fn every_fault_is_reported_at_once() {
    let service = TestService::start().await;
    let body = json!({
        "name": "two words", "expires_at": "soon", "models": ["", 5], "channels": ["none"],
        "rpm": 0, "tpm": -1, "monthly_usd": 0.001, "colour": "red", "labels": {"": "x"},
    });
    let reply = post(&service, "/api/callers", &body).await;
    let mut faults = reply.problem(422);
    faults.sort();
    assert_eq!(
        faults,
        [
            "/channels/0 unknown_channel",
            "/colour unknown_field",
            "/expires_at invalid_time",
            "/labels/ empty_key",
            "/models/0 empty_value",
            "/models/1 not_a_string",
            "/monthly_usd out_of_range",
            "/name invalid_name",
            "/rpm out_of_range",
            "/tpm out_of_range",
        ]
    );
    assert_eq!(
        post(&service, "/api/callers", &json!({}))
            .await
            .problem(422),
        ["/name required"]
    );
    create(&service, &json!({"name": "a"})).await;
    let taken = post(&service, "/api/callers", &json!({"name": "a"})).await;
    assert_eq!(taken.problem(409), ["/name name_taken"]);
    let master = post(&service, "/api/callers", &json!({"name": "master"})).await;
    assert_eq!(master.problem(422), ["/name reserved_name"]);
}

#[tokio::test]
async fn an_edit_of_what_somebody_else_edited_is_refused() {
    let service = TestService::start().await;
    let path = create(&service, &json!({"name": "a"})).await;
    let edit = |tag: &str| {
        let request = reqwest::Client::new()
            .patch(service.url(&path))
            .bearer_auth(crate::common::TOKEN)
            .header("if-match", tag)
            .body(json!({"notes": tag}).to_string());
        crate::common::receive(request)
    };
    assert_eq!(edit("\"1\"").await.status, StatusCode::OK);
    edit("\"1\"").await.problem(412);
    assert_eq!(edit("\"2\"").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_caller_is_applied_by_name() {
    let service = TestService::start().await;
    let apply =
        |body: Value| service.send(Method::PUT, "/api/callers/by-name/ci", body.to_string());
    assert_eq!(apply(json!({"rpm": 5})).await.status, StatusCode::CREATED);
    assert_eq!(apply(json!({"rpm": 6})).await.status, StatusCode::OK);
    let list = service.get("/api/callers").await.json();
    assert_eq!(list["callers"].as_array().unwrap().len(), 1);
    assert_eq!(list["callers"][0]["rpm"], 6);
    let other = apply(json!({"name": "other"})).await;
    assert_eq!(other.problem(422), ["/name name_mismatch"]);
}

#[tokio::test]
async fn the_list_has_pages_and_filters() {
    let service = TestService::start().await;
    for name in ["b", "a2", "a1"] {
        create(&service, &json!({"name": name, "enabled": name != "b"})).await;
    }
    let names = |query: &str| {
        let path = format!("/api/callers{query}");
        let service = &service;
        async move {
            let list = service.get(&path).await.json();
            let names = list["callers"].as_array().unwrap().iter();
            let names: Vec<_> = names.map(|own| own["name"].as_str().unwrap()).collect();
            (names.join(" "), list["next_page_token"].clone())
        }
    };
    assert_eq!(names("").await.0, "a1 a2 b");
    assert_eq!(names("?name=a").await.0, "a1 a2");
    assert_eq!(names("?enabled=false").await.0, "b");
    let (first, next) = names("?limit=2").await;
    assert_eq!((first.as_str(), &next), ("a1 a2", &json!("a2")));
    assert_eq!(
        names("?limit=2&page_token=a2").await,
        ("b".to_owned(), json!(null))
    );
    service.get("/api/callers?limit=0").await.problem(400);
}

#[tokio::test]
async fn a_key_is_shown_once_and_stored_as_its_hash() {
    let service = TestService::start().await;
    let caller = create(&service, &json!({"name": "a"})).await;
    let (key, path) = new_key(&service, &caller, &json!({"name": "laptop"})).await;
    assert!(key.starts_with("sk-bf-") && key.len() == 49, "{key}");
    let (second, _) = new_key(&service, &caller, &json!({})).await;
    assert_ne!(key, second);
    let shown = service.get(&caller).await;
    assert!(!shown.text.contains(&key), "{shown:?}");
    let hint = shown.json()["keys"][0]["hint"].as_str().unwrap().to_owned();
    assert!(key.ends_with(hint.trim_start_matches("sk-bf-…")), "{hint}");
    let history = service.get(&format!("{caller}/history")).await;
    assert!(!history.text.contains(&key) && history.text.contains("laptop"));
    set_mode(&service, "required").await;
    let config = pushed(&service).await;
    let hash = KeyDigest::of(key.as_bytes()).to_string();
    assert!(config.to_string().contains(&hash));
    assert!(!config.to_string().contains(&key));
    let files = std::fs::read_dir(service.dir.path()).unwrap();
    for file in files.map(|own| own.unwrap().path()) {
        let bytes = std::fs::read(&file).unwrap();
        let found = bytes.windows(key.len()).any(|own| own == key.as_bytes());
        assert!(!found, "{}", file.display());
    }
    let revoked = service.send(Method::DELETE, &path, "").await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    service.send(Method::DELETE, &path, "").await.problem(404);
    assert!(!pushed(&service).await.to_string().contains(&hash));
}

#[tokio::test]
async fn a_hash_may_be_brought_once() {
    let service = TestService::start().await;
    let caller = create(&service, &json!({"name": "a"})).await;
    let keys = format!("{caller}/keys");
    let brought = post(&service, &keys, &json!({"key_hash": HASH})).await;
    assert_eq!(brought.status, StatusCode::CREATED, "{brought:?}");
    assert!(brought.json().get("key").is_none());
    assert_eq!(brought.json()["hint"], "sha256:2c70e12b…");
    let upper = HASH.to_uppercase();
    for (hash, code) in [
        (HASH, "duplicate_key"),
        (upper.as_str(), "duplicate_key"),
        ("sk-hush", "invalid_key_hash"),
        (&HASH[1..], "invalid_key_hash"),
    ] {
        let reply = post(&service, &keys, &json!({"key_hash": hash})).await;
        assert_eq!(reply.problem(422), [format!("/key_hash {code}")]);
        assert!(!reply.text.contains("sk-hush"), "{reply:?}");
    }
}

#[tokio::test]
async fn a_rotated_key_stays_valid_for_the_overlap() {
    let service = TestService::start().await;
    let caller = create(&service, &json!({"name": "a"})).await;
    let (_, first) = new_key(&service, &caller, &json!({"name": "ci"})).await;
    let rotate = |path: &str, body: Value| {
        let path = format!("{path}/rotate");
        let service = &service;
        async move { post(service, &path, &body).await }
    };
    let second = rotate(&first, json!({"overlap_seconds": 3600})).await;
    assert_eq!(second.status, StatusCode::CREATED, "{second:?}");
    assert_eq!(second.json()["name"], "ci");
    let keys = service.get(&caller).await.json()["keys"].clone();
    assert!(keys[0]["expires_at"].is_string(), "{keys}");
    assert!(keys[1]["expires_at"].is_null(), "{keys}");
    let id = second.json()["id"].as_str().unwrap().to_owned();
    let path = format!("{caller}/keys/{id}");
    assert_eq!(rotate(&path, json!({})).await.status, StatusCode::CREATED);
    let keys = service.get(&caller).await.json()["keys"].clone();
    let ids: Vec<_> = keys
        .as_array()
        .unwrap()
        .iter()
        .map(|own| own["id"].clone())
        .collect();
    assert!(ids.len() == 2 && !ids.contains(&json!(id)), "{keys}");
    rotate(&path, json!({})).await.problem(404);
    let wrong = rotate(&first, json!({"overlap_seconds": 10_000_000})).await;
    let faults = ["/overlap_seconds out_of_range", " already_rotated"];
    assert_eq!(wrong.problem(422), faults);
}

#[tokio::test]
async fn nothing_is_pushed_until_the_mode_is_changed() {
    let service = TestService::start().await;
    let caller = create(&service, &json!({"name": "a", "rpm": 7})).await;
    new_key(&service, &caller, &json!({})).await;
    assert!(pushed(&service).await.get("callers").is_none());
    let wrong = json!({"mode": "on", "headers": ["X-Key"], "default_rpm": 0}).to_string();
    let wrong = service
        .send(Method::PATCH, "/api/caller-settings", wrong)
        .await;
    let mut faults = wrong.problem(422);
    faults.sort();
    assert_eq!(
        faults,
        [
            "/default_rpm out_of_range",
            "/headers/0 invalid_header",
            "/mode unknown_value",
        ]
    );
    let edit = json!({"mode": "required", "default_tpm": 1000}).to_string();
    let edited = service
        .send(Method::PATCH, "/api/caller-settings", edit)
        .await;
    assert_eq!(edited.status, StatusCode::OK, "{edited:?}");
    assert_eq!(edited.json()["mode"], "required");
    let callers = pushed(&service).await["callers"].clone();
    assert_eq!(callers["mode"], "required");
    let entry = &callers["entries"][0];
    assert_eq!(entry["limits"], json!({"rpm": 7, "tpm": 1000}));
    assert_eq!(entry["keys"].as_array().unwrap().len(), 1);
    assert_eq!(set_mode(&service, "off").await.status, StatusCode::OK);
    assert!(pushed(&service).await.get("callers").is_none());
}

#[tokio::test]
async fn the_history_has_callers_keys_and_settings_and_a_caller_can_be_rolled_back() {
    let service = TestService::start().await;
    let caller = create(&service, &json!({"name": "a", "rpm": 1})).await;
    let (_, key) = new_key(&service, &caller, &json!({"name": "ci"})).await;
    let patch = json!({"rpm": 2}).to_string();
    service.send(Method::PATCH, &caller, patch).await;
    service.send(Method::DELETE, &key, "").await;
    set_mode(&service, "optional").await;
    let history = service.get("/api/callers/history").await.json();
    let entries = history["entries"].as_array().unwrap();
    let told: Vec<_> = entries
        .iter()
        .map(|own| {
            let pointer = own["changes"][0]["pointer"].as_str().unwrap();
            let key = key.rsplit('/').next().unwrap();
            format!(
                "{} {} {}",
                own["revision"],
                own["action"],
                pointer.replace(key, "KEY")
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            r#"5 "update" /mode"#,
            r#"4 "update" /keys/KEY"#,
            r#"3 "update" /rpm"#,
            r#"2 "update" /keys/KEY"#,
            r#"1 "create" /channels"#,
        ]
    );
    assert!(entries[0].get("caller_id").is_none());
    let back = post(
        &service,
        &format!("{caller}/rollback"),
        &json!({"revision": 2}),
    )
    .await;
    assert_eq!(back.status, StatusCode::OK, "{back:?}");
    assert_eq!(back.json()["rpm"], 1);
    assert_eq!(
        back.json()["keys"],
        json!([]),
        "what was revoked stays revoked"
    );
    let own = service
        .get(&format!("{caller}/history?limit=1"))
        .await
        .json();
    assert_eq!(own["entries"][0]["restored"], 2);
    post(
        &service,
        &format!("{caller}/rollback"),
        &json!({"revision": 0}),
    )
    .await
    .problem(404);
    service.get("/api/callers/none/history").await.problem(404);
}

#[tokio::test]
async fn callers_survive_a_restart() {
    let service = TestService::start().await;
    let caller = create(&service, &json!({"name": "a", "monthly_usd": 0.1})).await;
    new_key(&service, &caller, &json!({})).await;
    set_mode(&service, "required").await;
    let before = service.get(&caller).await.json();
    let service = service.restart().await;
    assert_eq!(service.get(&caller).await.json(), before);
    let entries = pushed(&service).await["callers"]["entries"].clone();
    assert_eq!(entries[0]["name"], "a");
}

#[tokio::test]
async fn the_master_key_reaches_envoys_as_a_hash() {
    let key = "a-master-key-of-some-length";
    let dir = std::sync::Arc::new(tempfile::TempDir::new().unwrap());
    let service = TestService::start_in(dir, &["--master-key", key]).await;
    let settings = service.get("/api/caller-settings").await.json();
    assert_eq!(settings["has_master_key"], true);
    assert!(pushed(&service).await.get("callers").is_none());
    set_mode(&service, "required").await;
    let config = pushed(&service).await;
    assert_eq!(config["callers"]["master_key"].as_str().unwrap().len(), 64);
    assert!(!config.to_string().contains(key));
}

#[tokio::test]
async fn a_viewer_may_look_and_nothing_else() {
    let service = TestService::start().await;
    let caller = create(&service, &json!({"name": "a"})).await;
    let body = json!({"name": "dashboard", "role": "viewer"});
    let token = post(&service, "/api/tokens", &body).await.json();
    let token = token["token"].as_str().unwrap();
    let send = |method: Method, path: &str| {
        let request = reqwest::Client::new().request(method, service.url(path));
        crate::common::receive(request.bearer_auth(token).body("{}"))
    };
    for path in [
        "/api/callers",
        &caller,
        "/api/caller-settings",
        "/api/callers/history",
    ] {
        assert_eq!(
            send(Method::GET, path).await.status,
            StatusCode::OK,
            "{path}"
        );
    }
    for (method, path) in [
        (Method::POST, "/api/callers".to_owned()),
        (Method::PUT, caller.clone()),
        (Method::PATCH, caller.clone()),
        (Method::DELETE, caller.clone()),
        (Method::PUT, "/api/callers/by-name/b".to_owned()),
        (Method::POST, format!("{caller}/keys")),
        (Method::POST, format!("{caller}/keys/x/rotate")),
        (Method::DELETE, format!("{caller}/keys/x")),
        (Method::POST, format!("{caller}/rollback")),
        (Method::PATCH, "/api/caller-settings".to_owned()),
    ] {
        send(method, &path).await.problem(403);
    }
}

#[tokio::test]
async fn a_rotated_key_is_no_longer_than_it_should_be_and_no_shorter() {
    let service = TestService::start().await;
    let caller = create(&service, &json!({"name": "a"})).await;
    let rotate =
        async |path: &str, body: Value| post(&service, &format!("{path}/rotate"), &body).await;
    let expiring = json!({"expires_at": "2040-01-31"});
    let (_, lasting) = new_key(&service, &caller, &expiring).await;
    let (_, expired) = new_key(&service, &caller, &json!({"expires_at": "2020-01-31"})).await;
    let next = rotate(&lasting, json!({"overlap_seconds": 60}))
        .await
        .json();
    assert_eq!(next["expires_at"], "2040-01-31T00:00:00Z");
    // The first one ends in a minute: another rotation of it would end then, too.
    let again = rotate(&lasting, json!({"overlap_seconds": 60})).await;
    assert_eq!(again.problem(422), [" already_rotated"]);
    let next = rotate(&expired, json!({})).await.json();
    assert_eq!(
        next["expires_at"],
        Value::Null,
        "it would be dead on arrival"
    );
    let id = next["id"].as_str().unwrap();
    let chosen = json!({"expires_at": "2041-01-31"});
    let next = rotate(&format!("{caller}/keys/{id}"), chosen).await.json();
    assert_eq!(next["expires_at"], "2041-01-31T00:00:00Z");
}

#[tokio::test]
async fn keys_are_looked_for_only_where_clients_can_send_them() {
    let service = TestService::start().await;
    let headers = json!([
        "cookie",
        "host",
        "x-bedrock-cluster",
        "authorization",
        "authorization"
    ]);
    let body = json!({ "headers": headers }).to_string();
    let refused = service
        .send(Method::PATCH, "/api/caller-settings", body)
        .await;
    assert_eq!(
        refused.problem(422),
        [
            "/headers/0 invalid_header",
            "/headers/1 invalid_header",
            "/headers/2 invalid_header",
            "/headers/4 duplicate_header",
        ]
    );
}

#[tokio::test]
async fn a_master_key_that_protects_nothing_is_pointed_out() {
    let dir = std::sync::Arc::new(tempfile::TempDir::new().unwrap());
    let key = ["--master-key", "a-master-key-of-some-length"];
    let service = TestService::start_in(dir, &key).await;
    let (cookie, _) = crate::web::log_in(&service, crate::common::TOKEN).await;
    let shows = async || {
        let page = crate::web::get(&service, "/callers", &cookie).await;
        page.text.contains("unasked-master-key")
    };
    assert!(shows().await);
    set_mode(&service, "required").await;
    assert!(!shows().await);
}
