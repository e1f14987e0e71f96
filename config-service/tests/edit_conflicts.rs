//! Entity tags, channels by name, and paging of the list.

use crate::common::{Reply, TOKEN, TestService, channel, channel_with, receive};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Sends a request with `If-Match`.
async fn send_if(
    service: &TestService,
    (method, path): (Method, &str),
    tag: &str,
    body: &Value,
) -> Reply {
    let request = reqwest::Client::new()
        .request(method, service.url(path))
        .bearer_auth(TOKEN)
        .header("if-match", tag)
        .body(body.to_string());
    receive(request).await
}

#[tokio::test]
async fn an_edit_is_refused_if_somebody_else_edited_meanwhile() {
    let service = TestService::start().await;
    let created = service.post(&channel("one")).await;
    assert_eq!(created.header("etag"), "\"1\"");
    let id = created.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/channels/{id}");
    let edit = json!({"region": "eu-west-1"});
    let edited = send_if(&service, (Method::PATCH, &path), "\"1\"", &edit).await;
    assert_eq!(
        (edited.status, edited.header("etag")),
        (StatusCode::OK, "\"2\"")
    );
    for (method, body) in [
        (Method::PATCH, json!({"region": "us-west-2"})),
        (Method::PUT, channel("other")),
        (Method::DELETE, json!(null)),
    ] {
        for tag in ["\"1\"", "W/\"2\"", "\"x\", \"7\""] {
            let reply = send_if(&service, (method.clone(), &path), tag, &body).await;
            reply.problem(412);
            assert_eq!(reply.header("etag"), "\"2\"");
            assert_eq!(reply.json()["revision"], 2);
            let kind = "urn:bedrock-filter:problem:edit-conflict";
            assert_eq!(reply.json()["type"], kind);
        }
        let reply = send_if(&service, (method, &path), "2", &body).await;
        reply.problem(400);
    }
    let now = service.get(&path).await;
    assert_eq!(now.header("etag"), "\"2\"");
    assert_eq!(now.json()["region"], "eu-west-1");
    let gone = send_if(&service, (Method::DELETE, &path), "*", &json!(null)).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_channel_can_be_put_by_its_name_repeatedly() {
    let service = TestService::start().await;
    let path = "/api/channels/by-name/one";
    let put = |body: Value| service.send(Method::PUT, path, body.to_string());
    let mut body = channel("one");
    body.as_object_mut().unwrap().remove("name");
    let created = put(body.clone()).await;
    assert_eq!(created.status, StatusCode::CREATED);
    assert_eq!(created.json()["name"], "one");
    assert!(created.header("location").starts_with("/api/channels/"));
    let again = put(body.clone()).await;
    assert_eq!(
        (again.status, again.header("etag")),
        (StatusCode::OK, "\"1\"")
    );
    // Without credentials in the body it keeps its own.
    let changed = put(json!({"region": "eu-west-1"})).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert_eq!(changed.json()["id"], created.json()["id"]);
    assert_eq!(changed.json()["credentials"], created.json()["credentials"]);
    let other = put(channel("two")).await;
    assert_eq!(other.problem(422), ["/name name_mismatch"]);
    let known = send_if(
        &service,
        (Method::PUT, "/api/channels/by-name/new"),
        "\"1\"",
        &body,
    )
    .await;
    known.problem(412);
}

#[tokio::test]
async fn a_list_can_be_paged_and_filtered() {
    let service = TestService::start().await;
    for (name, fields) in [
        ("a1", json!({"models": ["m"]})),
        ("a2", json!({"enabled": false})),
        ("b1", json!({"region": "eu-west-1"})),
        (
            "b2",
            json!({"credentials": {"type": "bedrock_api_key", "api_key": "k"}}),
        ),
    ] {
        service.create(&channel_with(name, &fields)).await;
    }
    let names = |list: &Value| -> Vec<String> {
        let channels = list["channels"].as_array().unwrap().iter();
        channels
            .map(|own| own["name"].as_str().unwrap().to_owned())
            .collect()
    };
    for (query, expected) in [
        ("name=a", vec!["a1", "a2"]),
        ("enabled=false", vec!["a2"]),
        ("region=eu-west-1", vec!["b1"]),
        ("model=m", vec!["a1"]),
        ("credential_type=bedrock_api_key", vec!["b2"]),
        ("name=a&enabled=true", vec!["a1"]),
        ("name=c", vec![]),
    ] {
        let list = service.get(&format!("/api/channels?{query}")).await.json();
        assert_eq!(names(&list), expected, "{query}");
        assert!(list.get("next_page_token").is_none());
    }
    let mut seen = Vec::new();
    let mut address = "/api/channels?limit=3".to_owned();
    loop {
        let list = service.get(&address).await.json();
        seen.extend(names(&list));
        let Some(token) = list["next_page_token"].as_str() else {
            break;
        };
        address = format!("/api/channels?limit=3&page_token={token}");
    }
    assert_eq!(seen, ["a1", "a2", "b1", "b2"]);
    for query in [
        "limit=0",
        "limit=x",
        "nmae=a",
        "page_token=gone",
        "enabled=yes",
    ] {
        let refused = service.get(&format!("/api/channels?{query}")).await;
        refused.problem(400);
    }
}
