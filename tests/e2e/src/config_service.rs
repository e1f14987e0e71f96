//! A running config-service, and a client of its admin API.

use std::path::{Path, PathBuf};
use std::process::Command;

use reqwest::{Certificate, Client, Method};
use serde_json::Value;
use xtask::ports::Ports;
use xtask::process::Process;

use crate::{PATIENCE, Reply, eventually};

/// The admin token of every stack.
pub const ADMIN_TOKEN: &str = "e2e-admin-token-0123456789";

/// The seal key of every stack.
pub const SEAL_KEY: &str = "e2e:3q2+796tvu/erb7v3q2+796tvu/erb7v3q2+796tvu8=";

/// A config-service and the client that administers it.
#[derive(Debug)]
pub struct ConfigService {
    process: Option<Process>,
    binary: PathBuf,
    arguments: Vec<String>,
    log_level: &'static str,
    variables: Vec<(&'static str, String)>,
    log: PathBuf,
    origin: String,
    client: Client,
}

impl ConfigService {
    /// Starts a config-service with its database in `folder`, and waits until it is ready.
    pub async fn start(
        binary: &Path,
        ports: &Ports,
        folder: &Path,
        options: (&[String], &'static str),
    ) -> Self {
        Self::start_with_variables(binary, ports, folder, options, Vec::new()).await
    }

    /// The same over HTTPS: the options name a certificate issued by this authority (PEM).
    pub async fn start_over_tls(
        binary: &Path,
        ports: &Ports,
        folder: &Path,
        options: (&[String], &'static str),
        authority: &str,
    ) -> Self {
        let authority = Certificate::from_pem(authority.as_bytes()).expect("a certificate");
        let mut service = Self::prepare(binary, ports, folder, options);
        service.origin = service.origin.replace("http://", "https://");
        service.client = Client::builder()
            .timeout(PATIENCE)
            .tls_certs_only([authority])
            .build()
            .expect("a client");
        service.resume().await;
        service
    }

    /// The same with more variables in its environment.
    pub async fn start_with_variables(
        binary: &Path,
        ports: &Ports,
        folder: &Path,
        options: (&[String], &'static str),
        variables: Vec<(&'static str, String)>,
    ) -> Self {
        let mut service = Self::prepare(binary, ports, folder, options);
        service.variables = variables;
        service.resume().await;
        service
    }

    fn prepare(
        binary: &Path,
        ports: &Ports,
        folder: &Path,
        (extra, log_level): (&[String], &'static str),
    ) -> Self {
        let database = folder.join("channels.db").display().to_string();
        let mut arguments = vec![
            format!("--listen=127.0.0.1:{}", ports.admin_api),
            format!("--xds-listen=127.0.0.1:{}", ports.xds),
            format!("--database={database}"),
            "--init".to_owned(),
        ];
        arguments.extend_from_slice(extra);
        Self {
            process: None,
            binary: binary.to_owned(),
            arguments,
            log_level,
            variables: Vec::new(),
            log: folder.join("config-service.log"),
            origin: format!("http://127.0.0.1:{}", ports.admin_api),
            client: Client::builder()
                .timeout(PATIENCE)
                .build()
                .expect("a client"),
        }
    }

    /// Ends the process; the database stays.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Ends the process at once, as a crash would; the database stays.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Its process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Starts the process, on the existing database.
    pub async fn resume(&mut self) {
        let mut command = Command::new(&self.binary);
        command
            .args(&self.arguments)
            .env("RUST_LOG", self.log_level)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .env("BEDROCK_SEAL_KEY", SEAL_KEY)
            .env("BEDROCK_ADMIN_TOKEN", ADMIN_TOKEN);
        let process = Process::spawn("the config-service", &mut command, &self.log);
        let process = self
            .process
            .insert(process.expect("the config-service starts"));
        let url = format!("{}/readyz", self.origin);
        eventually("the config-service is ready", async || {
            process.check_alive().expect("the config-service runs");
            let answer = self.client.get(&url).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    /// Ends the process and starts it with another command line, on the same database.
    pub async fn restart_with(&mut self, change: impl FnOnce(&mut Vec<String>)) {
        self.stop();
        change(&mut self.arguments);
        self.resume().await;
    }

    /// URL of a path of the admin API.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Calls the admin API; `body` is JSON unless it is null.
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> Reply {
        let request = self.client.request(method, self.url(path));
        let mut request = request.bearer_auth(ADMIN_TOKEN);
        if !body.is_null() {
            request = request.json(body);
        }
        Reply::read(request.send().await.expect("the admin API answers")).await
    }

    /// Calls the admin API with any text as the body.
    pub async fn call_text(&self, method: Method, path: &str, body: &str) -> Reply {
        let request = self.client.request(method, self.url(path));
        let request = request.bearer_auth(ADMIN_TOKEN);
        let request = request.header("content-type", "application/json");
        let response = request.body(body.to_owned()).send().await;
        Reply::read(response.expect("the admin API answers")).await
    }

    /// Creates a channel and returns it as the API shows it.
    pub async fn create(&self, channel: &Value) -> Value {
        let reply = self.call(Method::POST, "/api/channels", channel).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.json()
    }

    /// Changes a channel, without waiting for the Envoys; returns it as the API shows it.
    pub async fn patch(&self, id: &str, change: &Value) -> Value {
        let path = format!("/api/channels/{id}");
        let reply = self.call(Method::PATCH, &path, change).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    }

    /// Changes a channel and waits until every Envoy runs the change.
    pub async fn patch_and_wait(&self, id: &str, change: &Value) -> Value {
        let channel = self.patch(id, change).await;
        self.wait_active(revision(&channel)).await;
        channel
    }

    /// Makes a name choose a model, without waiting for the Envoys; returns it as the API shows it.
    pub async fn choose(&self, name: &str, choice: &Value) -> Value {
        let path = format!("/api/model-choices/{name}");
        let body = serde_json::json!({ "choice": choice });
        let reply = self.call(Method::PUT, &path, &body).await;
        assert!([200, 201].contains(&reply.status), "{reply:?}");
        reply.json()
    }

    /// Deletes a channel and waits until every Envoy runs without it.
    pub async fn delete(&self, id: &str) {
        let path = format!("/api/channels/{id}");
        let reply = self.call(Method::DELETE, &path, &Value::Null).await;
        assert_eq!(reply.status, 204, "{reply:?}");
        self.wait_active(revision(&self.status().await)).await;
    }

    /// Deletes every channel and waits until every Envoy runs without them.
    pub async fn delete_all(&self) {
        let list = self.call(Method::GET, "/api/channels", &Value::Null).await;
        let list = list.json();
        for channel in list["channels"].as_array().expect("a list of channels") {
            self.delete(channel["id"].as_str().expect("an id")).await;
        }
    }

    /// `GET /api/status`.
    pub async fn status(&self) -> Value {
        let reply = self.call(Method::GET, "/api/status", &Value::Null).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    }

    /// Waits until at least one Envoy is connected and all run `revision` or a later one.
    pub async fn wait_active(&self, revision: u64) {
        eventually("all Envoys run the revision", async || {
            let status = self.status().await;
            let envoys = status["envoys"].as_array()?;
            let is_active = |envoy: &Value| envoy["active_revision"].as_u64() >= Some(revision);
            (!envoys.is_empty() && envoys.iter().all(is_active)).then_some(())
        })
        .await;
    }

    /// Everything that it has logged so far.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn revision(document: &Value) -> u64 {
    document["revision"].as_u64().expect("a revision")
}
