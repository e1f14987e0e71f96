//! Named tokens and their roles.

use std::process::Command;

use crate::common::{Reply, TestService, channel, receive};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn send(
    service: &TestService,
    token: &str,
    (method, path): (Method, &str),
    body: &Value,
) -> Reply {
    let request = reqwest::Client::new().request(method, service.url(path));
    receive(request.bearer_auth(token).body(body.to_string())).await
}

async fn new_token(service: &TestService, name: &str, role: &str) -> String {
    let body = json!({"name": name, "role": role}).to_string();
    let reply = service.send(Method::POST, "/api/tokens", body).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    reply.json()["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_role_allows_what_it_should_and_nothing_else() {
    let service = TestService::start().await;
    let viewer = new_token(&service, "dashboard", "viewer").await;
    let editor = new_token(&service, "ci", "editor").await;
    let admin = new_token(&service, "boss", "admin").await;
    let one = channel("one");
    let create = (Method::POST, "/api/channels");
    let refused = send(&service, &viewer, create.clone(), &one).await;
    refused.problem(403);
    assert!(refused.text.contains("needs editor"), "{refused:?}");
    let created = send(&service, &editor, create, &one).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let path = format!("/api/channels/{}", created.json()["id"].as_str().unwrap());
    for (method, path) in [
        (Method::PUT, path.clone()),
        (Method::PATCH, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::POST, format!("{path}/rollback")),
        (Method::PUT, "/api/channels/by-name/one".to_owned()),
    ] {
        let body = json!({"revision": 1});
        send(&service, &viewer, (method, &path), &body)
            .await
            .problem(403);
    }
    for token in [&viewer, &editor, &admin] {
        let list = send(
            &service,
            token,
            (Method::GET, "/api/channels"),
            &json!(null),
        )
        .await;
        assert_eq!(list.status, StatusCode::OK);
    }
    for token in [&viewer, &editor] {
        for (method, path) in [
            (Method::GET, "/api/tokens"),
            (Method::POST, "/api/tokens"),
            (Method::DELETE, "/api/tokens/ci"),
        ] {
            send(&service, token, (method, path), &json!({}))
                .await
                .problem(403);
        }
    }
    // The history has the name of the token.
    let history = service.get("/api/history").await.json();
    assert_eq!(history["entries"][0]["actor"], "ci");
    let revoked = send(
        &service,
        &admin,
        (Method::DELETE, "/api/tokens/ci"),
        &json!(null),
    )
    .await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    send(
        &service,
        &editor,
        (Method::GET, "/api/channels"),
        &json!(null),
    )
    .await
    .problem(401);
}

#[tokio::test]
async fn tokens_are_listed_without_their_values_and_stored_as_hashes() {
    let service = TestService::start().await;
    let token = new_token(&service, "ci", "editor").await;
    let list = service.get("/api/tokens").await;
    assert!(!list.text.contains(&token));
    let entry = &list.json()["tokens"][0];
    assert_eq!(
        (&entry["name"], &entry["role"], &entry["created_by"]),
        (&json!("ci"), &json!("editor"), &json!("admin"))
    );
    for name in ["ci", "admin", "a b", ""] {
        let body = json!({"name": name, "role": "viewer"}).to_string();
        let reply = service.send(Method::POST, "/api/tokens", body).await;
        reply.problem(if name == "ci" { 409 } else { 422 });
    }
    let body = json!({"name": "x", "role": "root"}).to_string();
    service
        .send(Method::POST, "/api/tokens", body)
        .await
        .problem(400);
    service
        .send(Method::DELETE, "/api/tokens/none", "")
        .await
        .problem(404);
    let dir = std::sync::Arc::clone(&service.dir);
    service.shutdown().await;
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(&token));
    }
}

#[tokio::test]
async fn tokens_can_be_created_listed_and_revoked_in_a_terminal() {
    let service = TestService::start().await;
    let database = service.dir.path().join("test.db");
    let run = |words: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_config-service"))
            .args(["token"].iter().chain(words))
            .arg("--database")
            .arg(&database)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim().to_owned();
        (
            output.status.success(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let (done, token, _) = run(&["create", "--name", "ci", "--role", "editor"]);
    assert!(done);
    let list = (Method::GET, "/api/channels");
    let seen = send(&service, &token, list.clone(), &json!(null)).await;
    assert_eq!(seen.status, StatusCode::OK);
    let (_, listed, _) = run(&["list"]);
    assert!(
        listed.contains("ci") && !listed.contains(&token),
        "{listed}"
    );
    let (done, _, error) = run(&["create", "--name", "ci", "--role", "viewer"]);
    assert!(
        !done && error.contains("another token has the name"),
        "{error}"
    );
    assert!(run(&["revoke", "ci"]).0);
    assert!(!run(&["revoke", "ci"]).0);
    send(&service, &token, list, &json!(null))
        .await
        .problem(401);
}
