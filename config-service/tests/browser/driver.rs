//! Chromium, driven through `ChromeDriver`.

use std::future::Future;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::common::{DEADLINE, TOKEN, TestService};

/// One browser at a time: they are heavy.
static TURN: Mutex<()> = Mutex::const_new(());

/// A browser window at a config-service's page.
pub struct Browser {
    pub client: Client,
    pub base: String,
}

/// `ChromeDriver`; dropping it ends it and its browsers.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How a window looks.
#[derive(Clone, Copy)]
pub struct Look {
    pub size: (u32, u32),
    pub is_dark: bool,
}

pub const LAPTOP: Look = Look {
    size: (1280, 900),
    is_dark: false,
};

pub const PHONE: Look = Look {
    size: (400, 860),
    is_dark: true,
};

/// Runs `scenario` with a browser at `service`, not logged in.
pub async fn browse<F: Future>(
    service: &TestService,
    look: Look,
    scenario: impl FnOnce(Browser) -> F,
) {
    let _turn = TURN.lock().await;
    let program =
        std::env::var("CHROMEDRIVER").expect("CHROMEDRIVER is not set: run `cargo xtask test`");
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let child = Command::new(program)
        .arg(format!("--port={port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("ChromeDriver starts");
    let _driver = Driver(child);
    let profile = TempDir::new().unwrap();
    let client = connect(port, look, &profile).await;
    let browser = Browser {
        client: client.clone(),
        base: service.url(""),
    };
    scenario(browser).await;
    client.close().await.unwrap();
}

async fn connect(port: u16, look: Look, profile: &TempDir) -> Client {
    let (width, height) = look.size;
    let scheme = i32::from(!look.is_dark);
    let mut arguments = vec![
        "--headless".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-quic".to_owned(),
        "--no-first-run".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--hide-scrollbars".to_owned(),
        format!("--window-size={width},{height}"),
        format!("--blink-settings=preferredColorScheme={scheme}"),
    ];
    arguments.push(format!("--user-data-dir={}", profile.path().display()));
    let mut options = json!({"args": arguments});
    if let Some(binary) = std::env::var_os("CHROMIUM") {
        options["binary"] = json!(binary.to_str().unwrap());
    }
    let mut capabilities = Capabilities::new();
    capabilities.insert("goog:chromeOptions".to_owned(), options);
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        let connected = connect_once(capabilities.clone(), port).await;
        match connected {
            Ok(client) => return client,
            Err(error) => assert!(tokio::time::Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn connect_once(
    capabilities: Capabilities,
    port: u16,
) -> Result<Client, fantoccini::error::NewSessionError> {
    let mut builder = ClientBuilder::new(HttpConnector::new());
    builder.capabilities(capabilities);
    builder.connect(&format!("http://127.0.0.1:{port}")).await
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

    /// The element, once it is there and visible.
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

    /// Waits until an element's text has `part` in it.
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
                "{css} has `{text}` and never `{part}`"
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

    /// Puts a text in the place of what a field has.
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

    /// Keeps a picture for the documentation, when that is asked for.
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
