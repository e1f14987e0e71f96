//! The web pages without a browser: what protects them.

use std::sync::Arc;

use crate::common::{Reply, SECRET, TOKEN, TestService, channel, receive};
use config_service::edit::FIELDS;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, StatusCode};
use serde_json::json;
use tempfile::TempDir;

fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

pub async fn get(service: &TestService, path: &str, cookie: &str) -> Reply {
    receive(client().get(service.url(path)).header("cookie", cookie)).await
}

pub async fn post(service: &TestService, path: &str, cookie: &str, form: &[(&str, &str)]) -> Reply {
    let body: Vec<_> = form
        .iter()
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
        .collect();
    let request = client()
        .post(service.url(path))
        .header("cookie", cookie)
        .header("content-type", "application/x-www-form-urlencoded");
    receive(request.body(body.join("&"))).await
}

/// Sends the login form, to continue to `next`.
pub async fn send_log_in(service: &TestService, token: &str, next: &str) -> Reply {
    let (before, csrf) = form(&get(service, "/login", "").await);
    let fields = [("token", token), ("csrf", &csrf), ("next", next)];
    post(service, "/login", &before, &fields).await
}

/// Logs in; returns the cookie and the forms' token.
pub async fn log_in(service: &TestService, token: &str) -> (String, String) {
    let reply = send_log_in(service, token, "").await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{reply:?}");
    let cookie = reply.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Strict", "Max-Age=28800"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let page = get(service, "/channels", &cookie).await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    (cookie, hidden(&page, "csrf"))
}

/// The value of a hidden field.
#[track_caller]
fn hidden(page: &Reply, name: &str) -> String {
    let field = format!("name=\"{name}\" value=\"");
    let (_, rest) = page
        .text
        .split_once(&field)
        .unwrap_or_else(|| panic!("{page:?}"));
    rest.split('"').next().unwrap().replace("&quot;", "\"")
}

/// The cookie that a page sets, and its form's token.
fn form(page: &Reply) -> (String, String) {
    let cookie = page.header("set-cookie").split(';').next().unwrap();
    (cookie.to_owned(), hidden(page, "csrf"))
}

#[tokio::test]
async fn pages_require_a_login() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let pages = [
        "/channels".to_owned(),
        "/channels/new".to_owned(),
        format!("/channels/{id}"),
        format!("/channels/{id}/history"),
        format!("/channels/{id}/test"),
        "/credentials".to_owned(),
        "/explain".to_owned(),
        "/history".to_owned(),
        "/tokens".to_owned(),
        "/usage".to_owned(),
        "/usage/budgets".to_owned(),
        "/usage/prices".to_owned(),
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
async fn the_form_has_every_field_of_a_channel() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let (cookie, _) = log_in(&service, TOKEN).await;
    for page in ["/channels/new".to_owned(), format!("/channels/{id}")] {
        let reply = get(&service, &page, &cookie).await;
        for field in FIELDS.iter().filter(|field| **field != "credentials") {
            let named = format!("name=\"{field}\"");
            assert!(reply.text.contains(&named), "{page}: {field}");
        }
    }
}

#[tokio::test]
async fn forms_need_their_token_and_must_come_from_this_site() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let (cookie, csrf) = log_in(&service, TOKEN).await;
    let enabled = format!("/channels/{id}/enabled");
    let forms: [(&str, &[(&str, &str)]); 15] = [
        ("/credentials", &[("name", "x")]),
        ("/credentials/x/delete", &[]),
        (&enabled, &[("enabled", "false")]),
        ("/channels/new", &[]),
        (&format!("/channels/{id}"), &[]),
        (&format!("/channels/{id}/delete"), &[("confirmed", "on")]),
        (&format!("/channels/{id}/rollback"), &[("revision", "1")]),
        (&format!("/channels/{id}/test"), &[]),
        ("/channels/validate", &[]),
        ("/tokens", &[("name", "x"), ("role", "admin")]),
        ("/usage/budgets", &[("caller", "*"), ("usd", "1")]),
        ("/usage/budgets/remove", &[("caller", "*")]),
        ("/usage/prices", &[("id", "x"), ("input", "1")]),
        ("/usage/prices/remove", &[("id", "x")]),
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
async fn a_login_needs_its_forms_token() {
    let service = TestService::start().await;
    let (before, csrf) = form(&get(&service, "/login", "").await);
    for (cookie, csrf) in [
        ("", ""),
        ("", &csrf),
        (&before, ""),
        (&before, "guess"),
        ("bedrock_login=", ""),
    ] {
        let reply = post(
            &service,
            "/login",
            cookie,
            &[("token", TOKEN), ("csrf", csrf)],
        )
        .await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{reply:?}");
        assert!(
            reply.header("set-cookie").starts_with("bedrock_login="),
            "{reply:?}"
        );
    }
    // Two tabs share one token.
    assert_eq!(form(&get(&service, "/login", &before).await).1, csrf);
}

#[tokio::test]
async fn entries_are_kept_through_a_login() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    for place in ["/channels/new".to_owned(), format!("/channels/{id}")] {
        let fields = [
            ("name", "entered"),
            ("revision", "1"),
            ("credential_kind", "static"),
            ("secret_access_key", "hush"),
            ("csrf", "of-a-session-that-ended"),
        ];
        let held = post(&service, &place, "bedrock_session=ended", &fields).await;
        assert_eq!(held.status, StatusCode::UNAUTHORIZED, "{held:?}");
        assert!(!held.text.contains("hush"), "{held:?}");
        let (before, csrf) = form(&held);
        let (draft, next) = (hidden(&held, "draft"), hidden(&held, "next"));
        let fields = [
            ("token", TOKEN),
            ("csrf", &csrf),
            ("next", &next),
            ("draft", &draft),
        ];
        let reply = post(&service, "/login", &before, &fields).await;
        assert_eq!(reply.header("location"), place, "{reply:?}");
        let cookie = reply
            .header("set-cookie")
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        let page = get(&service, &place, &cookie).await;
        assert!(page.text.contains("value=\"entered\""), "{page:?}");
        assert!(page.text.contains("Nothing is saved yet"), "{page:?}");
        // Only once.
        let page = get(&service, &place, &cookie).await;
        assert!(!page.text.contains("value=\"entered\""), "{page:?}");
        // A form from an earlier session, sent in a later one.
        let fields = [("name", "entered"), ("csrf", "of-a-session-that-ended")];
        let page = post(&service, &place, &cookie, &fields).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{page:?}");
        assert!(page.text.contains("value=\"entered\""), "{page:?}");
    }
}

#[tokio::test]
async fn entries_are_kept_when_the_channel_is_gone() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let (cookie, csrf) = log_in(&service, TOKEN).await;
    service
        .send(Method::DELETE, &format!("/api/channels/{id}"), "")
        .await;
    let fields = [
        ("csrf", csrf.as_str()),
        ("name", "entered"),
        ("revision", "1"),
    ];
    let page = post(&service, &format!("/channels/{id}"), &cookie, &fields).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND, "{page:?}");
    assert!(page.text.contains("value=\"entered\""), "{page:?}");
    assert!(page.text.contains("action=\"/channels/new\""), "{page:?}");
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
    // Revoking a token ends the sessions that were started with it.
    service.send(Method::DELETE, "/api/tokens/eve", "").await;
    let reply = get(&service, "/channels", &cookie).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn exports_are_files_or_say_why_not() {
    let key = "k1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    let dir = Arc::new(TempDir::new().unwrap());
    let sealed = TestService::start_in(dir, &["--seal-key", key]).await;
    let unsealed = TestService::start().await;
    for service in [&sealed, &unsealed] {
        service.create(&channel("one")).await;
    }
    let (cookie, _) = log_in(&sealed, TOKEN).await;
    let page = get(&sealed, "/channels", &cookie).await;
    for (place, name) in [
        ("/export/istio", "bedrock-istio.yaml"),
        ("/export/plugin-config", "plugin-config.json"),
    ] {
        assert!(page.text.contains(&format!("href=\"{place}\"")), "{page:?}");
        let file = get(&sealed, place, &cookie).await;
        assert_eq!(file.status, StatusCode::OK, "{file:?}");
        assert!(
            file.header("content-disposition").contains(name),
            "{file:?}"
        );
        assert!(file.text.contains("sealed:v1:k1:") && !file.text.contains(SECRET));
        let stranger = get(&sealed, place, "").await;
        assert_eq!(stranger.status, StatusCode::SEE_OTHER);
        let (cookie, _) = log_in(&unsealed, TOKEN).await;
        let refused = get(&unsealed, place, &cookie).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{refused:?}");
        assert!(refused.text.contains("BEDROCK_SEAL_KEY"), "{refused:?}");
    }
    // What a form sends, with the fields that were left empty.
    let form = "/export/istio?mode=live&namespace=edge&selector=&gateway=llm&xds=config-service.bedrock:18000";
    let live = get(&sealed, form, &cookie).await;
    assert_eq!(live.status, StatusCode::OK, "{live:?}");
    assert!(live.text.contains("targetRefs") && page.text.contains("action=\"/export/istio\""));
    let wrong = get(&sealed, "/export/istio?selector=x", &cookie).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{wrong:?}");
    let api = sealed.get("/api/openapi.json").await.json();
    let parameters = &api["paths"]["/api/export/istio"]["get"]["parameters"];
    for parameter in parameters.as_array().unwrap() {
        let field = format!("id=\"istio-{}\"", parameter["name"].as_str().unwrap());
        assert!(page.text.contains(&field), "{field}");
    }
}

#[tokio::test]
async fn a_channel_is_deleted_only_after_confirmation() {
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
    // Without characters that a form would escape, so that it would be recognised.
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

#[tokio::test]
async fn a_login_leads_only_to_pages_of_this_service() {
    let service = TestService::start().await;
    let (cookie, _) = log_in(&service, TOKEN).await;
    let page = get(&service, "/channels", &cookie).await;
    let links = page.text.split("href=\"/").skip(1);
    let links = links.map(|rest| format!("/{}", rest.split('"').next().unwrap()));
    let mut seen = 0;
    for place in links.filter(|link| !link.starts_with("/assets/")) {
        let reply = send_log_in(&service, TOKEN, &place).await;
        assert_eq!(reply.header("location"), place);
        seen += 1;
    }
    assert!(seen >= 5, "{page:?}");
    for place in [
        "//evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\\evil.example",
        "https://evil.example/channels",
        "/.//evil.example",
        "/%09/evil.example",
    ] {
        let reply = send_log_in(&service, TOKEN, place).await;
        assert_eq!(reply.header("location"), "/channels", "{place:?}");
        let next = utf8_percent_encode(place, NON_ALPHANUMERIC);
        let reply = get(&service, &format!("/login?next={next}"), &cookie).await;
        assert_eq!(reply.header("location"), "/channels", "{place:?}");
    }
}
