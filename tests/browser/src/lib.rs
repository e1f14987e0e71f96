//! Chromium, driven through `ChromeDriver`.

use std::future::Future;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long a browser may take to start.
const DEADLINE: Duration = Duration::from_secs(60);

/// One browser at a time, because they need much memory.
static TURN: Mutex<()> = Mutex::const_new(());

/// `ChromeDriver`; dropping it ends it and its browsers.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Size and colour scheme of a window.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Width and height.
    pub size: (u32, u32),
    /// Whether the page is told to be dark.
    pub is_dark: bool,
}

/// A laptop's window.
pub const LAPTOP: Look = Look {
    size: (1280, 900),
    is_dark: false,
};

/// A phone's screen.
pub const PHONE: Look = Look {
    size: (400, 860),
    is_dark: true,
};

/// Width below which Chromium's own window does not get; a smaller one has to be a phone's.
const SMALLEST_WINDOW: u32 = 500;

/// Runs `scenario` with a new window.
pub async fn open<F: Future>(look: Look, scenario: impl FnOnce(Client) -> F) {
    let _turn = TURN.lock().await;
    let program =
        std::env::var("CHROMEDRIVER").expect("CHROMEDRIVER is not set: run `cargo xtask test`");
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("its address").port()
    };
    let child = Command::new(program)
        .arg(format!("--port={port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("ChromeDriver starts");
    let _driver = Driver(child);
    let profile = TempDir::new().expect("a folder");
    let client = connect(port, look, &profile).await;
    scenario(client.clone()).await;
    client.close().await.expect("the window closes");
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
    if width < SMALLEST_WINDOW {
        let metrics = json!({"width": width, "height": height, "pixelRatio": 1, "touch": true});
        options["mobileEmulation"] = json!({"deviceMetrics": metrics});
    }
    if let Some(binary) = std::env::var_os("CHROMIUM") {
        options["binary"] = json!(binary.to_str().expect("a path in UTF-8"));
    }
    let mut capabilities = Capabilities::new();
    capabilities.insert("goog:chromeOptions".to_owned(), options);
    let deadline = Instant::now() + DEADLINE;
    loop {
        let connected = connect_once(capabilities.clone(), port).await;
        match connected {
            Ok(client) => return client,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
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
