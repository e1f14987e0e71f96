//! What all answers have in common.

use std::sync::Arc;

use crate::common::{Reply, TOKEN, TestService, channel, channel_with, receive};
use crate::web::{log_in, post};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

fn is_kept_to_the_client(reply: &Reply) -> bool {
    reply.header("cache-control") == "no-store"
        && reply.header("x-content-type-options") == "nosniff"
}

#[tokio::test]
async fn no_answer_may_be_cached_or_read_as_another_type() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let one = format!("/api/channels/{id}");
    for (method, path, body, status) in [
        (Method::GET, "/api/channels", "", 200),
        (Method::GET, &one, "", 200),
        (Method::PATCH, &one, r#"{"region": "eu-west-1"}"#, 200),
        (Method::PATCH, &one, r#"{"regoin": "eu-west-1"}"#, 422),
        (Method::PATCH, &one, "not json", 400),
        (Method::PATCH, &one, &"x".repeat(2_000_000), 413),
        (Method::GET, "/api/channels/none", "", 404),
        (Method::GET, "/api/elsewhere", "", 404),
        (Method::DELETE, "/api/status", "", 405),
        (Method::GET, "/api/export/istio", "", 409),
        (Method::GET, "/api/openapi.json", "", 200),
        (Method::GET, "/api/tokens", "", 200),
        (Method::GET, "/metrics", "", 200),
        (Method::GET, "/healthz", "", 200),
        (Method::GET, "/login", "", 200),
        (Method::GET, "/elsewhere", "", 404),
        (Method::DELETE, &one, "", 204),
    ] {
        let reply = service.send(method.clone(), path, body).await;
        assert_eq!(reply.status, status, "{method} {path}: {reply:?}");
        assert!(is_kept_to_the_client(&reply), "{method} {path}: {reply:?}");
    }
    let reply = receive(Client::new().get(service.url("/api/channels"))).await;
    reply.problem(401);
    assert!(is_kept_to_the_client(&reply), "{reply:?}");
}

#[tokio::test]
async fn what_has_its_content_hash_in_the_url_may_be_cached() {
    let dir = Arc::new(TempDir::new().unwrap());
    let module = dir.path().join("filter.wasm");
    std::fs::write(&module, b"\0asm\x01\0\0\0").unwrap();
    let service = TestService::start_in(dir, &["--wasm", module.to_str().unwrap()]).await;
    let sha256 = service.status().await["filter"]["sha256"].clone();
    let path = format!("/filter/{}.wasm", sha256.as_str().unwrap());
    let reply = service.get(&path).await;
    assert!(
        reply.header("cache-control").ends_with("immutable"),
        "{reply:?}"
    );
}

/// A thousand names that no model can have.
fn faulty_map() -> Map<String, Value> {
    let names = (0..1000).map(|number| (format!("m{number}"), json!("")));
    names.collect()
}

#[tokio::test]
async fn of_a_thousand_faults_a_hundred_are_listed_and_all_are_counted() {
    let service = TestService::start().await;
    let faulty = channel_with("one", &json!({"model_mapping": faulty_map()}));
    let reply = service.post(&faulty).await;
    assert_eq!(reply.problem(422).len(), 100);
    let problem = reply.json();
    assert_eq!(problem["error_count"], 1000);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("1000 faults"), "{detail}");
    // The first ones, in the order of the body.
    assert_eq!(problem["errors"][0]["pointer"], "/model_mapping/m0");

    let few = service
        .post(&channel_with("one", &json!({"region": "nowhere"})))
        .await;
    assert_eq!(few.json()["error_count"], few.problem(422).len());
    service.create(&channel("one")).await;
    let taken = service.post(&channel("one")).await;
    taken.problem(409);
    assert_eq!(taken.json()["error_count"], 1);
    // If there is no list, there is no count.
    let none = service.get("/api/channels/none").await.json();
    assert_eq!(none.get("error_count"), None);
}

#[tokio::test]
async fn the_report_of_an_import_lists_a_hundred_faults_of_a_channel() {
    let service = TestService::start().await;
    let entry = |number: usize| json!({"ak": "AKID", "region": "us-east-1", "model": format!("m{number}"), "arn": "x\n"});
    let list: Vec<_> = (0..300).map(entry).collect();
    let body = serde_json::to_string(&list).unwrap();
    let report = service.send(Method::POST, "/api/import", body).await.json();
    let channel = &report["channels"][0];
    assert_eq!(channel["outcome"], "refused", "{channel}");
    assert_eq!(channel["errors"].as_array().unwrap().len(), 100);
    assert!(channel["error_count"].as_u64().unwrap() >= 300, "{channel}");
}

#[tokio::test]
async fn the_page_shows_a_hundred_faults_and_says_how_many_more_there_are() {
    let service = TestService::start().await;
    let (cookie, csrf) = log_in(&service, TOKEN).await;
    let map = Value::Object(faulty_map()).to_string();
    let fields = [
        ("csrf", csrf.as_str()),
        ("name", "one"),
        ("region", "us-east-1"),
        ("model_mapping", map.as_str()),
    ];
    let page = post(&service, "/channels/new", &cookie, &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{page:?}");
    assert!(page.text.contains(" more</li>"), "{page:?}");
    let listed = page.text.matches("<li><a href=\"#").count();
    assert_eq!(listed, 100);
    let notes = post(&service, "/channels/validate", &cookie, &fields).await;
    assert_eq!(notes.json()["notes"].as_array().unwrap().len(), 100);
}
