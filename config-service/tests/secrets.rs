//! No secret in any answer, any log line or any audit entry, whatever happens.

mod common;

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use common::envoy::{ECDS, Envoy};
use common::{SECRET, SESSION_TOKEN, TOKEN, TestService, channel, channel_with, receive};
use reqwest::Method;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

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

#[tokio::test]
async fn secrets_never_come_out() {
    let logs = Captured::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(logs.clone())
        .init();
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let mut envoy = Envoy::settled(&service, "e1").await;
    let path = format!("/api/channels/{id}");
    let broken =
        format!(r#"{{"credentials": {{"secret_access_key": "{SECRET}" "{SESSION_TOKEN}"}}"#);
    let unknown = json!({"secret": SECRET, "credentials": {"type": SECRET, "session_token": [SESSION_TOKEN]}});
    let replies = [
        service.get(&path).await,
        service.get("/api/channels").await,
        service
            .patch(&id, &json!({"models": ["claude-3-haiku"]}))
            .await,
        service
            .put(&id, &channel_with("uno", &json!({"region": "moon"})))
            .await,
        service.patch(&id, &unknown).await,
        service.post(&channel("one")).await,
        service.send(Method::POST, "/api/channels", broken).await,
        receive(
            reqwest::Client::new()
                .get(service.url(&path))
                .bearer_auth(format!("{TOKEN}-wrong")),
        )
        .await,
    ];
    let response = envoy.receive(ECDS).await;
    envoy
        .nack(&response, &format!("quoted: {SECRET} {SESSION_TOKEN}"))
        .await;
    let rejected = |status: &serde_json::Value| status["envoys"][0]["state"] == "rejected";
    let status = service.wait_for("rejected", rejected).await;
    let deleted = service.send(Method::DELETE, &path, "").await;
    service.shutdown().await;

    let logs = logs.text();
    for line in [
        "channel edited",
        "Envoy connected",
        "rejected by Envoy",
        "Envoy disconnected",
        "config-service stopped",
        "status=401",
    ] {
        assert!(logs.contains(line), "no `{line}` in {logs}");
    }
    for hidden in [SECRET, SESSION_TOKEN, TOKEN] {
        for reply in replies.iter().chain([&deleted]) {
            assert!(!reply.text.contains(hidden), "{reply:?}");
        }
        assert!(!status.to_string().contains(hidden), "{status}");
        let line = logs.lines().find(|line| line.contains(hidden));
        assert_eq!(line, None);
    }
}
