//! The web page without a browser: what protects it.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use common::{Reply, SECRET, TOKEN, TestService, channel, receive};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, StatusCode};
use serde_json::json;

fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

async fn get(service: &TestService, path: &str, cookie: &str) -> Reply {
    receive(client().get(service.url(path)).header("cookie", cookie)).await
}

async fn post(service: &TestService, path: &str, cookie: &str, form: &[(&str, &str)]) -> Reply {
    let body: Vec<_> = form
        .iter()
        .map(|(name, value)| format!("{name}={}", value.replace('{', "%7B").replace('}', "%7D")))
        .collect();
    let request = client()
        .post(service.url(path))
        .header("cookie", cookie)
        .header("content-type", "application/x-www-form-urlencoded");
    receive(request.body(body.join("&"))).await
}

/// Logs in; gives the cookie and the token of forms.
async fn log_in(service: &TestService, token: &str) -> (String, String) {
    let reply = post(service, "/login", "", &[("token", token)]).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{reply:?}");
    let cookie = reply.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Strict", "Max-Age=28800"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let page = get(service, "/channels", &cookie).await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    let (_, rest) = page.text.split_once("name=\"csrf\" value=\"").unwrap();
    let csrf = rest.split('"').next().unwrap().to_owned();
    (cookie, csrf)
}

#[tokio::test]
async fn pages_are_for_those_who_are_logged_in() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let pages = [
        "/channels".to_owned(),
        "/channels/new".to_owned(),
        format!("/channels/{id}"),
        format!("/channels/{id}/history"),
        format!("/channels/{id}/test"),
        "/explain".to_owned(),
        "/history".to_owned(),
        "/tokens".to_owned(),
    ];
    let (cookie, _) = log_in(&service, TOKEN).await;
    for page in &pages {
        for wrong in ["", "bedrock_session=guess"] {
            let reply = get(&service, page, wrong).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{page}");
            assert!(reply.header("location").starts_with("/login?next="));
        }
        let reply = get(&service, page, &cookie).await;
        assert_eq!(reply.status, StatusCode::OK, "{page}: {reply:?}");
        assert!(!reply.text.contains(SECRET) && !reply.text.contains(TOKEN));
        let policy = reply.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert_eq!(reply.header("cache-control"), "no-store");
        // The policy forbids both.
        assert!(
            !reply.text.contains("<style") && !reply.text.contains(" style="),
            "{page}"
        );
        assert!(!reply.text.contains(" onclick="), "{page}");
    }
}

#[tokio::test]
async fn forms_need_their_token_and_come_from_this_site() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let (cookie, csrf) = log_in(&service, TOKEN).await;
    let enabled = format!("/channels/{id}/enabled");
    let forms: [(&str, &[(&str, &str)]); 9] = [
        (&enabled, &[("enabled", "false")]),
        ("/channels/new", &[]),
        (&format!("/channels/{id}"), &[]),
        (&format!("/channels/{id}/delete"), &[("confirmed", "on")]),
        (&format!("/channels/{id}/rollback"), &[("revision", "1")]),
        (&format!("/channels/{id}/test"), &[]),
        ("/channels/validate", &[]),
        ("/tokens", &[("name", "x"), ("role", "admin")]),
        ("/logout", &[]),
    ];
    for (path, fields) in forms {
        for wrong in ["", "guess"] {
            let mut fields = fields.to_vec();
            fields.push(("csrf", wrong));
            let reply = post(&service, path, &cookie, &fields).await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path}: {reply:?}");
        }
    }
    let elsewhere = client()
        .post(service.url(&enabled))
        .header("cookie", &cookie)
        .header("sec-fetch-site", "cross-site")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("csrf={csrf}&enabled=false"));
    assert_eq!(receive(elsewhere).await.status, StatusCode::FORBIDDEN);
    let view = service.get(&format!("/api/channels/{id}")).await.json();
    assert_eq!(
        (&view["enabled"], &view["revision"]),
        (&json!(true), &json!(1))
    );
    let form = [("csrf", csrf.as_str()), ("enabled", "false")];
    let done = post(&service, &enabled, &cookie, &form).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_viewer_sees_and_changes_nothing() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let body = json!({"name": "eve", "role": "viewer"}).to_string();
    let made = service.send(Method::POST, "/api/tokens", body).await.json();
    let (cookie, csrf) = log_in(&service, made["token"].as_str().unwrap()).await;
    assert_eq!(
        get(&service, "/tokens", &cookie).await.status,
        StatusCode::FORBIDDEN
    );
    let page = get(&service, &format!("/channels/{id}"), &cookie).await;
    assert!(page.text.contains("<fieldset disabled>"), "{page:?}");
    for (path, field) in [
        ("enabled", "enabled"),
        ("delete", "confirmed"),
        ("rollback", "revision"),
    ] {
        let form = [
            ("csrf", csrf.as_str()),
            (field, if path == "rollback" { "1" } else { "true" }),
        ];
        let reply = post(&service, &format!("/channels/{id}/{path}"), &cookie, &form).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path}: {reply:?}");
    }
    // A token that is revoked ends what was logged in with it.
    service.send(Method::DELETE, "/api/tokens/eve", "").await;
    let reply = get(&service, "/channels", &cookie).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_channel_is_deleted_when_that_is_confirmed() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let (cookie, csrf) = log_in(&service, TOKEN).await;
    let path = format!("/channels/{id}/delete");
    let reply = post(&service, &path, &cookie, &[("csrf", &csrf)]).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    let form = [("csrf", csrf.as_str()), ("confirmed", "on")];
    let reply = post(&service, &path, &cookie, &form).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{reply:?}");
    service
        .get(&format!("/api/channels/{id}"))
        .await
        .problem(404);
}

#[tokio::test]
async fn a_refused_save_does_not_send_a_secret_back() {
    // Without characters that a form escapes, so that it would be recognised.
    let secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY";
    let service = TestService::start().await;
    let (cookie, csrf) = log_in(&service, TOKEN).await;
    let credentials = json!({
        "type": "static", "access_key_id": "AKIDEXAMPLE", "secret_access_key": secret,
    });
    for credentials in [
        credentials.to_string(),
        format!("{{\"secret_access_key\":\"{secret}\""),
    ] {
        let form = [
            ("csrf", csrf.as_str()),
            ("name", "no-region"),
            ("credential_kind", "json"),
            ("credentials_json", &credentials),
        ];
        let reply = post(&service, "/channels/new", &cookie, &form).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{reply:?}");
        assert!(!reply.text.contains(secret), "the secret came back");
    }
}
