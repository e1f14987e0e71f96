//! Sealed credentials: at rest, on the wire, across restarts and key changes.

use std::sync::Arc;

use crate::common::envoy::{ECDS, Envoy, Service as At, plugin, plugin_json};
use crate::common::{SECRET, SESSION_TOKEN, TestService, channel};
use bedrock_filter::config::PluginConfig;
use bedrock_filter::seal::SealKeys;
use clap::Parser as _;
use config_service::seal::Sealer;
use config_service::store::Store;
use config_service::{Args, Cli, Service, command};
use serde_json::{Value, json};
use tempfile::TempDir;

const OLD: &str = "old:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const NEW: &str = "new:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

/// Every byte of the database and its side files.
fn on_disk(dir: &TempDir) -> String {
    let files = std::fs::read_dir(dir.path()).unwrap();
    let bytes = files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap());
    String::from_utf8_lossy(&bytes.collect::<Vec<_>>()).into_owned()
}

#[track_caller]
fn check_sealed(text: &str, key: &str) {
    assert!(text.contains(&format!("sealed:v1:{key}:")), "{text}");
    for secret in [SECRET, SESSION_TOKEN] {
        assert!(!text.contains(secret), "{text}");
    }
}

async fn start(dir: &Arc<TempDir>, keys: &str) -> TestService {
    TestService::start_in(Arc::clone(dir), &["--seal-key", keys]).await
}

/// The plugin configuration that an Envoy gets.
async fn published(service: &TestService) -> Value {
    let mut envoy = Envoy::connect(service, "e", At::Extensions).await;
    envoy.subscribe(ECDS, "").await;
    let response = envoy.receive(ECDS).await;
    let environment = plugin(&response).vm.unwrap();
    let environment = format!("{environment:?}");
    assert!(environment.contains("BEDROCK_SEAL_KEY"), "{environment}");
    plugin_json(&response)
}

/// What the filter reads from it with these keys.
fn opened(config: &Value, keys: &str) -> Value {
    let keys: SealKeys = keys.parse().unwrap();
    let config = PluginConfig::from_json(config.to_string().as_bytes()).unwrap();
    serde_json::to_value(config.open(&keys).unwrap()).unwrap()
}

#[tokio::test]
async fn credentials_are_sealed_at_rest_and_on_the_wire() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = start(&dir, OLD).await;
    let id = service.create(&channel("one")).await;
    check_sealed(&on_disk(&dir), "old");
    let config = published(&service).await;
    check_sealed(&config.to_string(), "old");
    let clear = opened(&config, OLD)["channels"][0]["credentials"].clone();
    assert_eq!(clear, channel("one")["credentials"]);
    // A rename seals again, and what a read returns can still be sent back.
    let shown = service.get(&format!("/api/channels/{id}")).await.json();
    let renamed = service.patch(&id, &json!({"name": "uno"})).await.json();
    assert_eq!(renamed["credentials"], shown["credentials"]);
    opened(&published(&service).await, OLD);
    assert_eq!(service.put(&id, &renamed).await.json(), renamed);
    service.shutdown().await;
    let service = start(&dir, OLD).await;
    assert_eq!(
        service.get(&format!("/api/channels/{id}")).await.json(),
        renamed
    );
}

#[tokio::test]
async fn a_clear_text_database_is_sealed_at_start_and_no_page_keeps_the_secret() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = TestService::start_in(Arc::clone(&dir), &[]).await;
    for name in ["one", "two", "three"] {
        service.create(&channel(name)).await;
    }
    let before = service.get("/api/channels").await.json();
    service.shutdown().await;
    assert!(on_disk(&dir).contains(SECRET));
    let service = start(&dir, OLD).await;
    check_sealed(&on_disk(&dir), "old");
    assert_eq!(service.get("/api/channels").await.json(), before);
}

async fn rotate(dir: &TempDir, keys: &str) -> anyhow::Result<()> {
    let database = dir.path().join("test.db");
    let database = database.to_str().unwrap();
    let line = [
        "config-service",
        "seal",
        "rotate",
        "--database",
        database,
        "--seal-key",
        keys,
    ];
    match Cli::try_parse_from(line).unwrap() {
        Cli::Command(command) => command::run(command).await,
        Cli::Serve(_) => unreachable!("it is a subcommand"),
    }
}

#[tokio::test]
async fn rotation_seals_everything_with_the_new_key_while_the_service_runs() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = start(&dir, OLD).await;
    service.create(&channel("one")).await;
    service.shutdown().await;
    let both = format!("{NEW},{OLD}");
    let service = start(&dir, &both).await;
    check_sealed(&on_disk(&dir), "old");
    // What is published is already sealed with the first key.
    check_sealed(&published(&service).await.to_string(), "new");
    rotate(&dir, &both).await.unwrap();
    check_sealed(&on_disk(&dir), "new");
    assert!(!on_disk(&dir).contains("sealed:v1:old:"));
    service.create(&channel("two")).await;
    service.shutdown().await;
    let service = start(&dir, NEW).await;
    assert_eq!(service.status().await["channels"], 2);
}

#[tokio::test]
async fn without_the_right_key_nothing_starts_and_nothing_is_changed() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = start(&dir, OLD).await;
    service.create(&channel("one")).await;
    service.shutdown().await;
    let path = dir.path().join("test.db");
    let sealer = Sealer::new(OLD.parse().unwrap());
    let store = Store::open(&path, sealer.clone()).await.unwrap();
    let before = store.contents().await.unwrap();
    store.close().await;
    let database = dir.path().join("test.db");
    let database = database.to_str().unwrap();
    for (keys, reason) in [
        (
            "",
            "`secret_access_key` of the channel `one` is sealed under the key `old`, which is not in BEDROCK_SEAL_KEY",
        ),
        (
            NEW,
            "`secret_access_key` of the channel `one` is sealed under the key `old`",
        ),
        (&NEW.replace("new", "old"), "another key has that id"),
        ("old", "BEDROCK_SEAL_KEY cannot be used"),
    ] {
        let args = Args::parse_from([
            "config-service",
            "--listen=127.0.0.1:0",
            "--xds-listen=127.0.0.1:0",
            "--admin-token=t",
            "--wasm-path-in-envoy=/filter.wasm",
            "--database",
            database,
            "--seal-key",
            keys,
        ]);
        let error = Service::start(args).await.unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
        assert!(rotate(&dir, keys).await.is_err());
    }
    let store = Store::open(&path, sealer).await.unwrap();
    assert_eq!(store.contents().await.unwrap(), before);
}
