//! Every path besides those of a channel: who may use it, and what it answers.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::common::{TOKEN, TestService, receive};

#[tokio::test]
async fn everything_under_api_needs_the_admin_token() {
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
async fn the_module_is_served_under_its_hash_and_cacheable_for_ever() {
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
