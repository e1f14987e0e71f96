//! A running Envoy, and a client of it.

use std::path::{Path, PathBuf};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use xtask::envoy::Launch;
use xtask::ports::Ports;
use xtask::process::Process;

use crate::{Bootstrap, PATIENCE, Reply, SEAL_KEY, Scratch, eventually};

const CHAT: &str = "/v1/chat/completions";

/// An Envoy and the client that talks to it.
#[derive(Debug)]
pub struct Envoy {
    process: Option<Process>,
    binary: PathBuf,
    bootstrap: PathBuf,
    log: PathBuf,
    launch: Launch<'static>,
    ports: Ports,
    client: Client,
}

impl Envoy {
    /// Starts Envoy with a bootstrap for `ports`, and waits until it listens.
    pub async fn start(
        binary: &Path,
        bootstrap: &Bootstrap,
        ports: &Ports,
        scratch: &Scratch,
    ) -> Self {
        let mut envoy = Self::start_unready(binary, bootstrap, ports, scratch);
        envoy.wait_ready().await;
        envoy
    }

    /// The same, without waiting, with seal keys other than [`SEAL_KEY`] in its environment, or another log
    /// level.
    pub fn start_unready_with(
        binary: &Path,
        (bootstrap, launch): (&Bootstrap, Launch<'static>),
        ports: &Ports,
        scratch: &Scratch,
    ) -> Self {
        let mut envoy = Self::prepare(binary, (bootstrap, launch), ports, scratch);
        envoy.spawn();
        envoy
    }

    /// Starts Envoy without waiting for anything.
    pub fn start_unready(
        binary: &Path,
        bootstrap: &Bootstrap,
        ports: &Ports,
        scratch: &Scratch,
    ) -> Self {
        let launch = Launch {
            seal_key: SEAL_KEY,
            ..Launch::default()
        };
        Self::start_unready_with(binary, (bootstrap, launch), ports, scratch)
    }

    fn prepare(
        binary: &Path,
        (bootstrap, launch): (&Bootstrap, Launch<'static>),
        ports: &Ports,
        scratch: &Scratch,
    ) -> Self {
        Self {
            process: None,
            binary: binary.to_owned(),
            bootstrap: scratch.write("envoy.json", &bootstrap.document.to_string()),
            log: scratch.join("envoy.log"),
            launch,
            ports: *ports,
            client: Client::builder()
                .timeout(PATIENCE)
                // Each request has its own connection: what one test does to its connection must not affect
                // another test, and all of Envoy's workers get their share.
                .pool_max_idle_per_host(0)
                .build()
                .expect("a client"),
        }
    }

    fn spawn(&mut self) {
        let (binary, bootstrap) = (&self.binary, &self.bootstrap);
        let process = xtask::envoy::spawn_with(binary, bootstrap, &self.log, self.launch);
        self.process = Some(process.expect("Envoy starts"));
    }

    /// Waits until Envoy's listener is open.
    pub async fn wait_ready(&mut self) {
        let (url, client) = (self.admin("/ready"), self.client.clone());
        let process = self.process.as_mut().expect("Envoy was started");
        eventually("Envoy is ready", async || {
            process.check_alive().expect("Envoy runs");
            let answer = client.get(&url).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    /// A figure that the kernel reports about Envoy's memory, such as `VmRSS` or `VmHWM`, in bytes
    /// (<https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>).
    pub fn memory(&self, line: &str) -> u64 {
        let process = self.process.as_ref().expect("Envoy was started");
        let path = format!("/proc/{}/status", process.id());
        let status = std::fs::read_to_string(path).expect("Envoy runs");
        let mut lines = status.lines();
        let line = lines.find_map(|own| own.strip_prefix(line)?.strip_prefix(':'));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.expect("a number of kilobytes") * 1024
    }

    /// Waits until Envoy has exited by itself.
    pub async fn wait_exit(&mut self) {
        let process = self.process.as_mut().expect("Envoy was started");
        eventually("Envoy ends", async || process.exited()).await;
    }

    /// Stops Envoy and starts it again with the same bootstrap.
    pub async fn restart(&mut self) {
        self.restart_unready();
        self.wait_ready().await;
    }

    /// The same without waiting for anything.
    pub fn restart_unready(&mut self) {
        self.process = None;
        self.spawn();
    }

    /// Stops Envoy, which then writes out its access log.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Kills Envoy, as a crash would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Its process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Waits until its listener has a filter with the module of this SHA-256.
    pub async fn wait_module(&self, sha256: &str) {
        let page = "/config_dump?resource=ecds_filters";
        eventually("Envoy runs the module", async || {
            let dump = self.try_admin_page(page).await?;
            let dump: Value = serde_json::from_str(&dump).ok()?;
            let filters = dump["configs"].as_array()?;
            let of_listener = filters
                .iter()
                .map(|filter| &filter["ecds_filter"])
                .filter(|filter| filter["name"] == "bedrock");
            let mut modules = of_listener.map(|filter| {
                let code = &filter["typed_config"]["config"]["vm_config"]["code"];
                code["remote"]["sha256"] == sha256
            });
            modules.next()?.then_some(())
        })
        .await;
    }

    /// Base URL of the listener, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.envoy)
    }

    /// Port of the listener.
    pub fn port(&self) -> u16 {
        self.ports.envoy
    }

    /// Port of its admin interface.
    pub fn admin_port(&self) -> u16 {
        self.ports.envoy_admin
    }

    fn admin(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.ports.envoy_admin)
    }

    /// A request to the listener.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url()))
    }

    /// A chat request that is not sent yet.
    pub fn chat_request(&self, body: &Value) -> RequestBuilder {
        self.request(Method::POST, CHAT).json(body)
    }

    /// Sends a chat request.
    pub async fn chat(&self, body: &Value) -> Reply {
        self.send(self.chat_request(body)).await
    }

    /// Sends a chat request with any bytes as the body.
    pub async fn chat_bytes(&self, body: impl Into<reqwest::Body>) -> Reply {
        self.post_bytes(CHAT, body).await
    }

    /// Sends any bytes as the body of a request.
    pub async fn post_bytes(&self, path: &str, body: impl Into<reqwest::Body>) -> Reply {
        let request = self.request(Method::POST, path);
        self.send(
            request
                .header("content-type", "application/json")
                .body(body),
        )
        .await
    }

    /// Sends a GET to the listener.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    /// Sends a request and reads the answer.
    pub async fn send(&self, request: RequestBuilder) -> Reply {
        let response = request.send().await.expect("Envoy answers");
        Reply::read(response).await
    }

    /// Text of a page of Envoy's admin interface.
    pub async fn admin_page(&self, path: &str) -> String {
        self.try_admin_page(path)
            .await
            .expect("Envoy's admin answers")
    }

    /// The same when Envoy may not be up yet.
    pub async fn try_admin_page(&self, path: &str) -> Option<String> {
        let response = self.client.get(self.admin(path)).send().await.ok()?;
        response.text().await.ok()
    }

    /// Sets the level of all of Envoy's logs.
    pub async fn set_log_level(&self, level: &str) {
        let request = self
            .client
            .post(self.admin(&format!("/logging?level={level}")));
        let answer = request.send().await.expect("Envoy's admin answers");
        assert!(answer.status().is_success(), "{answer:?}");
    }

    /// Whether Envoy has a cluster with this name.
    pub async fn has_cluster(&self, name: &str) -> bool {
        let page = self.admin_page("/clusters").await;
        page.lines()
            .any(|line| line.starts_with(&format!("{name}::")))
    }

    /// Everything that Envoy has written so far, including the access log.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
