//! A browser window on a config-service's pages.

use std::future::Future;
use std::time::Duration;

pub use browser::{LAPTOP, Look, PHONE};
use fantoccini::elements::Element;
use fantoccini::{Client, Locator};
use serde_json::json;

use crate::common::{DEADLINE, TOKEN, TestService};

/// A browser window on a config-service's page.
pub struct Browser {
    pub client: Client,
    pub base: String,
}

/// Runs `scenario` with a browser at `service`, not logged in.
pub async fn browse<F: Future>(
    service: &TestService,
    look: Look,
    scenario: impl FnOnce(Browser) -> F,
) {
    let base = service.url("");
    browser::open(look, |client| scenario(Browser { client, base })).await;
}

impl Browser {
    pub async fn go(&self, path: &str) {
        self.client
            .goto(&format!("{}{path}", self.base))
            .await
            .unwrap();
    }

    /// Logs in and waits for the channels.
    pub async fn log_in(&self) {
        self.go("/login").await;
        self.fill("#token", TOKEN).await;
        self.click("button.primary").await;
        self.wait("table.channels, .empty").await;
    }

    /// The element, once it exists and is visible.
    pub async fn wait(&self, css: &str) -> Element {
        let deadline = tokio::time::Instant::now() + DEADLINE;
        loop {
            if let Ok(element) = self.client.find(Locator::Css(css)).await
                && element.is_displayed().await.unwrap_or(false)
            {
                return element;
            }
            if tokio::time::Instant::now() >= deadline {
                let page = self.client.source().await.unwrap_or_default();
                panic!("no {css} in {page}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until an element's text contains `part`.
    pub async fn wait_text(&self, css: &str, part: &str) {
        let deadline = tokio::time::Instant::now() + DEADLINE;
        loop {
            let text = match self.client.find(Locator::Css(css)).await {
                Ok(element) => element.text().await.unwrap_or_default(),
                Err(_) => String::new(),
            };
            if text.contains(part) {
                return;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "{css} says `{text}`, never `{part}`"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn text(&self, css: &str) -> String {
        self.wait(css).await.text().await.unwrap()
    }

    pub async fn value(&self, css: &str) -> String {
        let element = self.wait(css).await;
        element.prop("value").await.unwrap().unwrap_or_default()
    }

    /// Replaces the content of a field.
    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.wait(css).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    pub async fn click(&self, css: &str) {
        self.wait(css).await.click().await.unwrap();
    }

    pub async fn count(&self, css: &str) -> usize {
        self.client.find_all(Locator::Css(css)).await.unwrap().len()
    }

    /// Waits until there are so many of an element.
    pub async fn wait_count(&self, css: &str, expected: usize) {
        let deadline = tokio::time::Instant::now() + DEADLINE;
        while self.count(css).await != expected {
            assert!(
                tokio::time::Instant::now() < deadline,
                "never {expected} {css}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Checks that nothing of a page overflows a phone sideways, and that every control has an accessible name.
    pub async fn fits(&self) {
        let page = self.client.current_url().await.unwrap();
        let script = "return Math.max(document.documentElement.scrollWidth, window.innerWidth)";
        let width = self.client.execute(script, Vec::new()).await.unwrap();
        assert_eq!(width, PHONE.size.0, "{page}");
        let script = "return [...document.querySelectorAll('input:not([type=hidden]), select, textarea, button')]\
            .filter((e) => e.getClientRects().length && !(e.labels && e.labels.length) && !e.getAttribute('aria-label') && !e.textContent.trim())\
            .map((e) => e.outerHTML)";
        let nameless = self.client.execute(script, Vec::new()).await.unwrap();
        assert_eq!(nameless, json!([]), "{page}");
    }

    /// Saves a screenshot for the documentation, if requested.
    pub async fn picture(&self, name: &str) {
        if std::env::var_os("UPDATE_SCREENSHOTS").is_none() {
            return;
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/screenshots");
        std::fs::create_dir_all(folder).unwrap();
        let png = self.client.screenshot().await.unwrap();
        std::fs::write(format!("{folder}/{name}.png"), png).unwrap();
    }
}
