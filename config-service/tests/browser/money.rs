//! Budgets and prices on the page.

use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;

use super::driver::{Browser, LAPTOP, PHONE, browse};
use crate::common::TestService;

/// A service that records usage.
async fn recording() -> TestService {
    let dir = Arc::new(TempDir::new().unwrap());
    let flag = format!("--usage-database={}", dir.path().join("usage.db").display());
    TestService::start_in(dir, &[&flag, "--time-zone=Europe/Berlin"]).await
}

#[tokio::test]
async fn a_budget_is_set_changed_and_removed() {
    let service = recording().await;
    browse(&service, LAPTOP, async |browser: Browser| {
        browser.log_in().await;
        browser.go("/usage").await;
        browser.click("nav.tabs a[href='/usage/budgets']").await;
        browser.wait_text("h1", "Budgets").await;
        browser.fill("#caller", "team-a").await;
        browser.fill("#usd", "a lot").await;
        browser.click(".actions button.primary").await;
        browser
            .wait_text("#wrong", "US dollars a month is `a lot`")
            .await;
        // Nothing that was entered is lost.
        assert_eq!(browser.value("#caller").await, "team-a");
        browser.fill("#usd", "12.5").await;
        browser.click(".actions button.primary").await;
        let section = "[aria-label='Budgets of this month']";
        browser.wait_text(section, "0 of 12.5 USD").await;
        browser.click("[data-budget=team-a] a").await;
        assert_eq!(browser.value("#usd").await, "12.5");
        browser.fill("#tokens", "1000").await;
        browser.click(".actions button.primary").await;
        browser.wait_text(section, "0 of 1000 tokens").await;
        browser.click("[data-budget=team-a] button").await;
        browser.wait_text(section, "There are no budgets").await;
        let history = browser.text("[aria-label=History]").await;
        for part in [
            "may use 12.5 USD",
            "1000 tokens and 12.5 USD",
            "has no budget any more",
        ] {
            assert!(history.contains(part), "{part}: {history}");
        }
    })
    .await;
    assert_eq!(
        service.get("/api/budgets").await.json()["budgets"],
        json!([])
    );
}

#[tokio::test]
async fn a_price_is_looked_up_set_and_removed() {
    let service = recording().await;
    browse(&service, LAPTOP, async |browser: Browser| {
        browser.log_in().await;
        browser.go("/usage/prices").await;
        browser.fill("#look-up", "amazon.nova-pro-v1:0").await;
        browser.click("form.search button").await;
        browser.wait_text("#others", "input_flex 0.4").await;
        assert_eq!(browser.value("#id").await, "amazon.nova-pro-v1:0");
        assert_eq!(browser.value("#output").await, "3.2");
        browser.fill("#output", "free").await;
        browser.click(".actions button.primary").await;
        browser.wait_text("#wrong", "output is `free`").await;
        browser.fill("#output", "2.5").await;
        browser.click(".actions button.primary").await;
        let row = "[data-price='amazon.nova-pro-v1:0']";
        browser.wait_text(row, "output 2.5").await;
        assert!(
            browser.text(row).await.contains("output 3.2"),
            "the table's"
        );
        let list = service.get("/api/prices").await.json();
        assert_eq!(list["prices"][0]["rates"]["output"], 2.5);
        assert_eq!(list["prices"][0]["rates"]["input_flex"], 0.4);
        browser.click(&format!("{row} button")).await;
        browser
            .wait_text("[aria-label='Prices that were set']", "Nothing was set")
            .await;
        let history = browser.text("[aria-label=History]").await;
        assert!(
            history.contains("costs again what the table says"),
            "{history}"
        );
    })
    .await;
}

#[tokio::test]
async fn both_pages_fit_on_a_phone_and_every_control_has_a_name() {
    let service = recording().await;
    let rates = json!({"input": 1, "output": 2, "input_over_200k": 6}).to_string();
    let id = "/api/prices/us.anthropic.claude-sonnet-4-5-20250929-v1:0";
    service.send(reqwest::Method::PUT, id, &rates).await;
    let budget = json!({"usd": 500, "tokens": 200_000_000}).to_string();
    service
        .send(reqwest::Method::PUT, "/api/budgets/*", &budget)
        .await;
    browse(&service, PHONE, async |browser: Browser| {
        browser.log_in().await;
        for path in ["/usage", "/usage/budgets", "/usage/prices"] {
            browser.go(path).await;
            browser.wait("h1").await;
            let script = "return Math.max(document.documentElement.scrollWidth, window.innerWidth)";
            let width = browser.client.execute(script, Vec::new()).await.unwrap();
            assert_eq!(width, PHONE.size.0, "{path}");
            let script = "return [...document.querySelectorAll('input:not([type=hidden]), select, textarea, button')]\
                .filter((e) => e.getClientRects().length && !(e.labels && e.labels.length) && !e.getAttribute('aria-label') && !e.textContent.trim())\
                .map((e) => e.outerHTML)";
            let nameless = browser.client.execute(script, Vec::new()).await.unwrap();
            assert_eq!(nameless, json!([]), "{path}");
        }
    })
    .await;
}
