//! The pages of callers.

use std::sync::Arc;

use super::driver::{Browser, LAPTOP, PHONE, browse};
use crate::callers::{create, new_key, set_mode};
use crate::common::{TestService, channel};
use crate::usage::{chat, recording, report};
use bedrock_filter::config::KeyDigest;
use bedrock_filter::usage::Record;
use serde_json::json;
use tempfile::TempDir;

#[tokio::test]
async fn a_caller_is_made_with_a_key_that_is_shown_once() {
    let service = TestService::start().await;
    service.create(&channel("us")).await;
    browse(&service, LAPTOP, async |browser: Browser| {
        browser.log_in().await;
        browser.go("/callers").await;
        browser.wait_text(".empty", "No callers yet").await;
        browser.click(".empty a.button").await;
        browser.fill("#name", "team a").await;
        browser.fill("#models", "nova-*\nclaude-sonnet-4-5").await;
        browser.fill("#channels", "us").await;
        browser.fill("#rpm", "600").await;
        browser.click("form.channel .actions button").await;
        // What is wrong is said, and no entry is lost.
        browser.wait_text("#faults", "Nothing was saved").await;
        assert_eq!(browser.value("#models").await, "nova-*\nclaude-sonnet-4-5");
        browser.fill("#name", "team-a").await;
        browser.click("form.channel .actions button").await;
        browser.wait_text("h1", "team-a").await;
        browser.fill("#key_name", "laptop").await;
        browser.click("#keys .actions button").await;
        let key = browser.text("#new-key").await;
        assert!(key.starts_with("sk-bf-"), "{key}");
        browser.wait_text("#keys table", "laptop").await;
        // Whoever looks again sees its end alone.
        let page = browser.client.current_url().await.unwrap();
        let page = page.path().trim_end_matches("/keys").to_owned();
        browser.go(&page).await;
        browser
            .wait_text("#keys table", &key[key.len() - 4..])
            .await;
        assert_eq!(browser.count("#new-key").await, 0);
        assert!(!browser.client.source().await.unwrap().contains(&key));
        // Replaced by another one, the old one stays valid for a day; then both are revoked.
        browser
            .click("#keys summary[aria-label='Replace or revoke laptop']")
            .await;
        browser.click("button[aria-label='Replace laptop']").await;
        browser.wait_count("#keys tbody tr", 2).await;
        let other = browser.text("#new-key").await;
        assert_ne!(other, key);
        for left in [1, 0] {
            browser.click("#keys tbody tr summary").await;
            browser.click("#keys tbody tr button.danger").await;
            browser.wait_count("#keys tbody tr", left).await;
        }
        browser.go(&format!("{page}/history")).await;
        browser.wait_text("ol.history", "create team-a").await;
        browser.go(&page).await;
        browser.click("details.danger summary").await;
        browser.click("details.danger input[type=checkbox]").await;
        browser.click("details.danger button").await;
        browser.wait_text(".empty", "No callers yet").await;
    })
    .await;
}

#[tokio::test]
async fn the_mode_is_edited_beside_what_it_would_refuse() {
    let service = recording(&Arc::new(TempDir::new().unwrap()), &[]).await;
    let caller = create(&service, &json!({"name": "team-a"})).await;
    let (key, _) = new_key(&service, &caller, &json!({})).await;
    let foreseen = |number, foreseen| Record {
        foreseen,
        ..chat(number, "")
    };
    let known = Record {
        foreseen: "served",
        key: KeyDigest::of(key.as_bytes()).mark().to_string(),
        ..chat(3, "team-a")
    };
    let batch = [
        foreseen(1, "missing_api_key"),
        foreseen(2, "invalid_api_key"),
        known,
    ];
    report(&service, &batch, 0).await.unwrap();
    browse(&service, LAPTOP, async |browser: Browser| {
        browser.log_in().await;
        browser.go("/callers").await;
        browser.wait_text("#forecast", "2 (67 %)").await;
        browser.wait_text("#forecast", "1 without a key").await;
        let row = "[data-caller=team-a] [data-label='Last used']";
        browser.wait_text(row, "UTC").await;
        browser.picture("callers").await;
        assert_eq!(browser.value("#mode").await, "off");
        browser.click("#mode option[value=required]").await;
        browser
            .click("form[action='/callers/settings'] .actions button")
            .await;
        browser.wait_text("details.card summary", "required").await;
        assert_eq!(browser.count("#forecast").await, 0);
    })
    .await;
    let settings = service.get("/api/caller-settings").await.json();
    assert_eq!(settings["mode"], "required");
}

#[tokio::test]
async fn the_pages_of_callers_fit_a_phone_and_every_control_has_a_name() {
    let service = recording(&Arc::new(TempDir::new().unwrap()), &[]).await;
    let body = json!({
        "name": "a-team-with-quite-a-long-name-that-somebody-once-chose-for-it",
        "models": ["claude-sonnet-4-5", "nova-*"], "rpm": 600, "tpm": 50_000,
        "labels": {"cost-center": "42"}, "notes": "ask Ann",
    });
    let caller = create(&service, &body).await;
    new_key(
        &service,
        &caller,
        &json!({"name": "laptop", "expires_at": "2030-01-31"}),
    )
    .await;
    set_mode(&service, "optional").await;
    let page = &caller["/api".len()..];
    browse(&service, PHONE, async |browser: Browser| {
        browser.log_in().await;
        for path in ["/callers", "/callers/new", page, "/callers/history"] {
            browser.go(path).await;
            browser.wait("h1").await;
            browser.fits().await;
        }
    })
    .await;
}
