//! A config-service in this process, with free ports and its own database, and clients for it.

pub mod authority;
pub mod envoy;
pub mod process;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use config_service::{Args, Service};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

pub const TOKEN: &str = "admin-t0ken";
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub const SESSION_TOKEN: &str = "AQoDYXdzEPT//////////wEXAMPLESESSIONTOKEN";
pub const ARN: &str =
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdef123456";

/// How long tests wait for something that takes milliseconds.
pub const DEADLINE: Duration = Duration::from_secs(20);

pub struct TestService {
    service: Service,
    http: reqwest::Client,
    pub dir: Arc<TempDir>,
}

/// An answer of the admin API.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Reply {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Checks that this is a problem document with `status`, and returns its errors as
    /// `pointer code`.
    #[track_caller]
    pub fn problem(&self, status: u16) -> Vec<String> {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        for member in ["type", "title", "detail"] {
            assert!(problem[member].is_string(), "{problem}");
        }
        let Some(errors) = problem["errors"].as_array() else {
            return Vec::new();
        };
        errors
            .iter()
            .map(|error| {
                assert!(!error["message"].as_str().unwrap().is_empty());
                format!(
                    "{} {}",
                    error["pointer"].as_str().unwrap(),
                    error["code"].as_str().unwrap()
                )
            })
            .collect()
    }
}

impl TestService {
    pub async fn start() -> Self {
        Self::start_in(Arc::new(TempDir::new().unwrap()), &[]).await
    }

    /// Starts on the database in `dir`.
    pub async fn start_in(dir: Arc<TempDir>, extra: &[&str]) -> Self {
        let token = ["--admin-token", TOKEN];
        Self::start_with(dir, &[&token, extra].concat()).await
    }

    /// Starts on a new database; `extra` must give the token, which is [`TOKEN`].
    pub async fn start_with_token(extra: &[&str]) -> Self {
        Self::start_with(Arc::new(TempDir::new().unwrap()), extra).await
    }

    async fn start_with(dir: Arc<TempDir>, extra: &[&str]) -> Self {
        let database = dir.path().join("test.db");
        let database = database.to_str().unwrap();
        let fixed = [
            "config-service",
            "--listen",
            "127.0.0.1:0",
            "--xds-listen",
            "127.0.0.1:0",
            "--database",
            database,
            "--init",
            // Clusters that an edit leaves behind are dropped at once.
            "--drain-seconds",
            "0",
        ];
        let module: &[&str] = if extra.contains(&"--wasm") {
            &[]
        } else {
            &["--wasm-path-in-envoy", "/etc/envoy/bedrock_filter.wasm"]
        };
        let args = Args::parse_from(fixed.iter().chain(module).chain(extra));
        install_cryptography();
        Self {
            service: Service::start(args).await.unwrap(),
            http: reqwest::Client::new(),
            dir,
        }
    }

    /// Stops and starts again on the same database.
    pub async fn restart(self) -> Self {
        self.service.shutdown().await;
        Self::start_in(self.dir, &[]).await
    }

    pub async fn shutdown(self) {
        self.service.shutdown().await;
    }

    pub fn admin_addr(&self) -> SocketAddr {
        self.service.admin_addr()
    }

    pub fn xds_addr(&self) -> SocketAddr {
        self.service.xds_addr()
    }

    /// Where metrics are served, if they have their own address.
    pub fn metrics_url(&self) -> String {
        format!("http://{}/metrics", self.service.metrics_addr().unwrap())
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.admin_addr())
    }

    /// Sends a request with the admin token.
    pub async fn send(&self, method: Method, path: &str, body: impl Into<String>) -> Reply {
        let request = self.http.request(method, self.url(path)).bearer_auth(TOKEN);
        receive(request.body(body.into())).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, "").await
    }

    pub async fn post(&self, body: &Value) -> Reply {
        self.send(Method::POST, "/api/channels", body.to_string())
            .await
    }

    pub async fn put(&self, id: &str, body: &Value) -> Reply {
        self.send(
            Method::PUT,
            &format!("/api/channels/{id}"),
            body.to_string(),
        )
        .await
    }

    pub async fn patch(&self, id: &str, body: &Value) -> Reply {
        self.send(
            Method::PATCH,
            &format!("/api/channels/{id}"),
            body.to_string(),
        )
        .await
    }

    /// Creates a channel and returns its id.
    pub async fn create(&self, body: &Value) -> String {
        let reply = self.post(body).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        reply.json()["id"].as_str().unwrap().to_owned()
    }

    pub async fn status(&self) -> Value {
        self.get("/api/status").await.json()
    }

    /// Waits until the status satisfies `condition`, and returns it.
    pub async fn wait_for(&self, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let deadline = tokio::time::Instant::now() + DEADLINE;
        loop {
            let status = self.status().await;
            if condition(&status) {
                return status;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "never {what}: {status}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// The service's own HTTP clients do TLS, and so do all in this program; a process must choose
/// their cryptography provider.
pub fn install_cryptography() {
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
}

pub async fn receive(request: reqwest::RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    Reply {
        status: response.status(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

/// A valid channel.
pub fn channel(name: &str) -> Value {
    json!({
        "name": name,
        "region": "us-east-1",
        "credentials": {
            "type": "static",
            "access_key_id": "AKIDEXAMPLE",
            "secret_access_key": SECRET,
            "session_token": SESSION_TOKEN,
        },
    })
}

/// A valid channel with some fields replaced.
pub fn channel_with(name: &str, fields: &Value) -> Value {
    let mut channel = channel(name);
    for (key, value) in fields.as_object().unwrap() {
        channel[key] = value.clone();
    }
    channel
}
