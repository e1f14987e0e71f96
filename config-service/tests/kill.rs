//! A service that is killed in the middle of edits.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::common::install_cryptography;
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

const EDITS: u64 = 200;
/// How many edits to make before a kill, and how long after the last one starts to kill:
/// different each time.
const LIVES: [(u64, u64); 10] = [
    (1, 0),
    (17, 1),
    (23, 3),
    (9, 2),
    (31, 5),
    (12, 0),
    (40, 4),
    (7, 7),
    (30, 1),
    (30, 2),
];

/// A service in its own process.
struct Service {
    child: Child,
    admin: String,
}

impl Drop for Service {
    fn drop(&mut self) {
        // SIGKILL: no chance to tidy up.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Service {
    fn start(database: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut child = Command::new(env!("CARGO_BIN_EXE_config-service"))
            .args([
                "--wasm-path-in-envoy",
                "/x.wasm",
                "--admin-token",
                "t",
                "--xds-listen",
                "127.0.0.1:0",
                "--init",
            ])
            .arg(format!("--listen=127.0.0.1:{port}"))
            .arg("--database")
            .arg(database)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let started = lines
            .by_ref()
            .map_while(Result::ok)
            .any(|line| line.contains("config-service started"));
        assert!(started);
        // Nobody else reads it, and a full pipe would block the service.
        std::thread::spawn(move || lines.for_each(drop));
        let admin = format!("http://127.0.0.1:{port}/api/channels");
        Self { child, admin }
    }

    async fn channels(&self, client: &Client) -> Value {
        let reply = client
            .get(&self.admin)
            .bearer_auth("t")
            .send()
            .await
            .unwrap();
        reply.json().await.unwrap()
    }
}

#[tokio::test]
async fn no_acknowledged_edit_is_lost_and_none_is_half_stored() {
    let dir = TempDir::new().unwrap();
    let database = dir.path().join("test.db");
    install_cryptography();
    let client = Client::new();
    // What was acknowledged, and the number of the edit in progress.
    let (mut acknowledged, mut under_way) = (0, 0);
    let mut id = String::new();
    for (edits, delay) in LIVES {
        let service = Service::start(&database);
        let list = service.channels(&client).await;
        if let Some(stored) = list["channels"].get(0) {
            let number = stored["priority"].as_u64().unwrap();
            assert!(
                number == acknowledged || number == under_way,
                "{number}: {acknowledged}, {under_way}"
            );
            // All of an edit or none of it.
            assert_eq!(stored["model_mapping"]["edit"], format!("m{number}"));
            acknowledged = number;
        } else {
            assert_eq!(acknowledged, 0);
        }
        for step in 1..=edits {
            let number = acknowledged + 1;
            under_way = number;
            let edit = json!({"priority": number, "model_mapping": {"edit": format!("m{number}")}});
            let request = if id.is_empty() {
                let mut channel = edit;
                channel["name"] = json!("one");
                channel["region"] = json!("us-east-1");
                channel["credentials"] = json!({"type": "bedrock_api_key", "api_key": "k"});
                client.post(&service.admin).json(&channel)
            } else {
                client.patch(format!("{}/{id}", service.admin)).json(&edit)
            };
            let request = request.bearer_auth("t").send();
            if step == edits && !id.is_empty() {
                let sent = tokio::spawn(request);
                tokio::time::sleep(Duration::from_millis(delay)).await;
                drop(service);
                // Whether it was acknowledged in time decides what must be stored.
                if sent
                    .await
                    .unwrap()
                    .is_ok_and(|reply| reply.status().is_success())
                {
                    acknowledged = number;
                }
                break;
            }
            let reply = request.await.unwrap();
            assert!(reply.status().is_success(), "{reply:?}");
            let view: Value = reply.json().await.unwrap();
            id = view["id"].as_str().unwrap().to_owned();
            acknowledged = number;
        }
    }
    assert!(under_way + 10 >= EDITS, "{under_way}");
}
