//! No secret appears in any answer, log line or audit entry, whatever happens.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::common::envoy::{ECDS, Envoy};
use crate::common::{
    DEADLINE, SECRET, SESSION_TOKEN, TOKEN, TestService, channel, channel_with, receive,
};
use bedrock_simulator::sts::{self, Sts};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tracing_subscriber::fmt::MakeWriter;

const WEB_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ3ZWItaWRlbnRpdHkifQ.c2lnbmF0dXJl";
const ROLE: &str = "arn:aws:iam::123456789012:role/r";
const API_KEY: &str = "ABSKexample-of-an-api-key";

/// Everything that is logged in this process.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Captured {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.lock()).into_owned()
    }
}

/// Set for the copy of this program that runs the scenario.
const ALONE: &str = "SECRETS_TEST_ALONE";

/// Logs are collected for a whole process, so the scenario gets its own.
#[tokio::test]
async fn secrets_never_leak() {
    if std::env::var_os(ALONE).is_some() {
        return play().await;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "secrets::secrets_never_leak", "--nocapture"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let failure = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{failure}");
    assert!(said.contains("1 passed"), "{said}");
}

async fn play() {
    let logs = captured();
    let sts = Sts::start(Duration::from_secs(3600)).await.unwrap();
    let url = sts.url();
    let dir = Arc::new(TempDir::new().unwrap());
    let token_file = dir.path().join("token");
    std::fs::write(&token_file, WEB_TOKEN).unwrap();
    let folder = dir.path().display().to_string();
    let options = ["--sts-endpoint", &url, "--token-file-dirs", &folder];
    let service = TestService::start_in(dir, &options).await;
    let id = service.create(&channel("one")).await;
    use_every_source(&service, &token_file).await;
    sts.fail(Some((403, "AccessDenied", "no")));
    let again = json!({"credentials": {"type": "web_identity", "role_arn": ROLE,
        "token_file": token_file, "session_name": "again"}});
    service.create(&channel_with("refused", &again)).await;
    let mut envoy = Envoy::settled(&service, "e1").await;
    let mut shown = answers(&service, &id).await;
    let response = envoy.receive(ECDS).await;
    envoy
        .nack(&response, &format!("quoted: {SECRET} {SESSION_TOKEN}"))
        .await;
    let rejected = |status: &Value| status["envoys"][0]["state"] == "rejected";
    let status = service.wait_for("rejected", rejected).await;
    shown.push(status.to_string());
    let path = format!("/api/channels/{id}");
    shown.push(service.send(Method::DELETE, &path, "").await.text);
    service.shutdown().await;
    check(&logs.text(), &shown);
}

/// Collects the logs of this process from here on.
fn captured() -> Captured {
    let logs = Captured::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(logs.clone())
        .init();
    logs
}

/// Creates a channel for each type of credentials, and waits until AWS has been asked for them.
async fn use_every_source(service: &TestService, token_file: &Path) {
    let sources = [
        json!({"type": "assume_role", "role_arn": ROLE, "source": channel("x")["credentials"]}),
        json!({"type": "web_identity", "role_arn": ROLE, "token_file": token_file}),
        json!({"type": "bedrock_short_term_key", "source": channel("x")["credentials"]}),
        json!({"type": "bedrock_api_key", "api_key": API_KEY}),
    ];
    for (number, credentials) in sources.iter().enumerate() {
        let fields = json!({"credentials": credentials});
        let name = format!("source-{number}");
        let id = service.create(&channel_with(&name, &fields)).await;
        let path = format!("/api/channels/{id}");
        let deadline = tokio::time::Instant::now() + DEADLINE;
        while service.get(&path).await.text.contains("\"pending\"") {
            assert!(tokio::time::Instant::now() < deadline, "AWS was not asked");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Answers to reads, valid edits and invalid ones, with secrets where they do not belong.
async fn answers(service: &TestService, id: &str) -> Vec<String> {
    let path = format!("/api/channels/{id}");
    let broken =
        format!(r#"{{"credentials": {{"secret_access_key": "{SECRET}" "{SESSION_TOKEN}"}}"#);
    let unknown = json!({"secret": SECRET, "credentials": {"type": SECRET, "session_token": [SESSION_TOKEN]}});
    let replies = [
        service.get(&path).await,
        service.get("/api/channels").await,
        service
            .patch(id, &json!({"models": ["claude-3-haiku"]}))
            .await,
        service
            .put(id, &channel_with("uno", &json!({"region": "moon"})))
            .await,
        service.patch(id, &unknown).await,
        service.post(&channel("one")).await,
        service.send(Method::POST, "/api/channels", broken).await,
        receive(
            reqwest::Client::new()
                .get(service.url(&path))
                .bearer_auth(format!("{TOKEN}-wrong")),
        )
        .await,
    ];
    replies.map(|reply| format!("{reply:?}")).into()
}

/// Checks that everything was logged, and that no secret is in the logs or in what was `shown`.
fn check(logs: &str, shown: &[String]) {
    for line in [
        "channel edited",
        "credentials renewed",
        "credentials could not be renewed",
        "Envoy connected",
        "rejected by Envoy",
        "Envoy disconnected",
        "config-service stopped",
        "status=401",
    ] {
        assert!(logs.contains(line), "no `{line}` in {logs}");
    }
    let issued = [1, 2].map(|number| [sts::secret(number), sts::session_token(number)]);
    let issued = issued.iter().flatten().map(String::as_str);
    let written = [
        SECRET,
        SESSION_TOKEN,
        TOKEN,
        WEB_TOKEN,
        API_KEY,
        "bedrock-api-key-",
    ];
    for hidden in issued.chain(written) {
        for text in shown {
            assert!(!text.contains(hidden), "{text}");
        }
        let line = logs.lines().find(|line| line.contains(hidden));
        assert_eq!(line, None);
    }
}
