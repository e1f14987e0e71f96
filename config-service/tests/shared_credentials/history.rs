//! What changed in shared credentials, and going back.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{OTHER_SECRET, key, using};
use crate::common::{Reply, SECRET, TOKEN, TestService};
use crate::web::{get, log_in, post};

fn role(name: &str) -> Value {
    let role_arn = format!("arn:aws:iam::123456789012:role/{name}");
    json!({"type": "assume_role", "role_arn": role_arn, "source": {"type": "default_chain"}})
}

async fn roll_back(service: &TestService, name: &str, revision: u64) -> Reply {
    let path = format!("/api/credentials/{name}/rollback");
    let body = json!({"revision": revision}).to_string();
    service.send(Method::POST, &path, body).await
}

#[tokio::test]
async fn a_credential_goes_back_to_what_it_was() {
    let service = TestService::start().await;
    service.put_credential("prod", &role("one")).await;
    service.create(&using("a", "prod")).await;
    service.put_credential("prod", &role("two")).await;
    let reply = roll_back(&service, "prod", 1).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    assert_eq!(reply.header("etag"), "\"4\"");
    let role_arn = reply.json()["credentials"]["role_arn"].clone();
    assert_eq!(role_arn, "arn:aws:iam::123456789012:role/one");
    let own = service.get("/api/credentials/prod/history").await.json();
    assert_eq!(own["entries"][0]["restored"], 1);
    // All history has it beside the channels.
    let all = service.get("/api/history").await.json();
    let seen = all["entries"].as_array().unwrap().iter();
    let seen: Vec<_> = seen
        .map(|own| {
            format!(
                "{} {} {}",
                own["revision"], own["channel_name"], own["credential"]
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            "4 \"\" \"prod\"",
            "3 \"\" \"prod\"",
            "2 \"a\" null",
            "1 \"\" \"prod\""
        ]
    );
    let page = service.get("/api/history?limit=2").await.json();
    assert_eq!(page["next_before"], 3);
    let rest = service.get("/api/history?before=3").await.json();
    assert_eq!(rest["entries"].as_array().unwrap().len(), 2);
    let id = &all["entries"][2]["channel_id"].as_str().unwrap();
    let own = service
        .get(&format!("/api/channels/{id}/history"))
        .await
        .json();
    assert_eq!(own["entries"].as_array().unwrap().len(), 1);
    let own = service.get("/api/credentials/prod/history?limit=2").await;
    let own = own.json();
    assert_eq!(own["entries"].as_array().unwrap().len(), 2);
    assert_eq!(own["next_before"], 3);
    let rest = service
        .get("/api/credentials/prod/history?before=3")
        .await
        .json();
    assert_eq!(rest["entries"][0]["revision"], 1);
    assert_eq!(rest["next_before"], serde_json::Value::Null);
    for (name, revision) in [("prod", 9), ("prod", 0), ("other", 1)] {
        roll_back(&service, name, revision).await.problem(404);
    }
}

#[tokio::test]
async fn a_secret_that_was_replaced_has_to_be_entered_again() {
    let service = TestService::start().await;
    service.put_credential("prod", &key(SECRET)).await;
    service.put_credential("prod", &key(OTHER_SECRET)).await;
    let refused = roll_back(&service, "prod", 1).await;
    let codes = refused.problem(422);
    assert!(
        codes.iter().all(|own| own.ends_with("secret_required")),
        "{codes:?}"
    );
    assert!(!refused.text.contains(SECRET) && !refused.text.contains(OTHER_SECRET));
    let history = service.get("/api/history").await.text;
    assert!(!history.contains(SECRET) && !history.contains(OTHER_SECRET));
    assert_eq!(service.get("/api/credentials").await.json()["revision"], 2);
}

#[tokio::test]
async fn the_page_shows_what_changed_and_rolls_back() {
    let service = TestService::start().await;
    service.put_credential("prod", &role("one")).await;
    service.put_credential("prod", &role("two")).await;
    let (cookie, csrf) = log_in(&service, TOKEN).await;
    for path in ["/history", "/credentials/prod/history"] {
        let page = get(&service, path, &cookie).await.text;
        assert!(
            page.contains("credential prod") && page.contains("role/two"),
            "{page}"
        );
        assert!(
            page.contains("action=\"/credentials/prod/rollback\""),
            "{page}"
        );
    }
    let fields = [("csrf", csrf.as_str()), ("revision", "1")];
    let reply = post(&service, "/credentials/prod/rollback", &cookie, &fields).await;
    assert_eq!(
        reply.header("location"),
        "/credentials/prod/history",
        "{reply:?}"
    );
    let view = service.get("/api/credentials/prod").await.json();
    assert!(
        view["credentials"]["role_arn"]
            .as_str()
            .unwrap()
            .ends_with("/one")
    );
}
