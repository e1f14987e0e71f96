//! What is stored survives restarts, changes completely or not at all, and has an audit
//! trail.

use std::sync::Arc;

use crate::common::envoy::{ECDS, Envoy, plugin_json, revision};
use crate::common::{self, ARN, SECRET, SESSION_TOKEN, TestService, channel, channel_with};
use clap::Parser as _;
use config_service::seal::Sealer;
use config_service::store::AuditQuery;
use config_service::store::Store;
use config_service::{Args, Service};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

async fn store(dir: &TempDir) -> Store {
    Store::open(&dir.path().join("test.db"), Sealer::default())
        .await
        .unwrap()
}

/// The whole history.
const ALL: AuditQuery = AuditQuery {
    credential: None,
    channel: None,
    before: None,
    limit: 1000,
};

#[tokio::test]
async fn a_restart_keeps_channels_their_order_and_the_revision() {
    let service = TestService::start().await;
    for name in ["zeta", "alpha", "mid"] {
        service.create(&channel(name)).await;
    }
    let fields = json!({"inference_profile_arn_map": {"claude-3-haiku": ARN}, "enabled": false});
    service.create(&channel_with("last", &fields)).await;
    let before = service.get("/api/channels").await.json();
    let mut envoy = Envoy::connect(&service, "e", common::envoy::Service::Extensions).await;
    envoy.subscribe(ECDS, "").await;
    let sent_before = envoy.receive(ECDS).await;
    drop(envoy);

    let service = service.restart().await;
    assert_eq!(service.get("/api/channels").await.json(), before);
    let mut envoy = Envoy::connect(&service, "e", common::envoy::Service::Extensions).await;
    envoy.subscribe(ECDS, "").await;
    let sent_after = envoy.receive(ECDS).await;
    assert_eq!(revision(&sent_after), "4");
    assert_eq!(sent_after.version_info, sent_before.version_info);
    assert_eq!(plugin_json(&sent_after), plugin_json(&sent_before));
    let names: Vec<_> = plugin_json(&sent_after)["channels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|channel| channel["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["zeta", "alpha", "mid", "last"]);
}

#[tokio::test]
async fn a_refused_edit_leaves_rows_audit_and_revision_untouched() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let store = store(&service.dir).await;
    let before = (
        store.contents().await.unwrap(),
        store.audit(&ALL).await.unwrap(),
    );
    let path = format!("/api/channels/{id}");
    for (method, path, body) in [
        (Method::POST, "/api/channels", channel("one")),
        (
            Method::POST,
            "/api/channels",
            channel_with("two", &json!({"region": "moon"})),
        ),
        (
            Method::PATCH,
            &path,
            json!({"inference_profile_arn_map": {"": "a"}}),
        ),
        (
            Method::PATCH,
            &path,
            json!({"endpoint": "https://bedrock-runtime.eu-west-1.amazonaws.com"}),
        ),
        (Method::PUT, &path, json!({"name": "uno", "region": ""})),
        (Method::DELETE, "/api/channels/other", json!(null)),
    ] {
        let reply = service.send(method, path, body.to_string()).await;
        assert!(reply.status.is_client_error(), "{reply:?}");
    }
    let after = (
        store.contents().await.unwrap(),
        store.audit(&ALL).await.unwrap(),
    );
    assert_eq!(after, before);
}

#[tokio::test]
async fn every_edit_has_one_audit_entry_without_secrets() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    service.patch(&id, &json!({"name": "uno"})).await;
    service.patch(&id, &json!({"name": "uno"})).await;
    let path = format!("/api/channels/{id}");
    service.send(Method::DELETE, &path, "").await;
    let entries = store(&service.dir).await.audit(&ALL).await.unwrap();
    let summary: Vec<_> = entries
        .iter()
        .map(|entry| {
            assert_eq!(entry.actor, "admin");
            assert_eq!(entry.channel_id, id);
            let name = |document: &Option<String>| {
                let document: Value = serde_json::from_str(document.as_deref()?).unwrap();
                assert_eq!(document["credentials"]["access_key_id"], "AKIDEXAMPLE");
                Some(document["name"].as_str().unwrap().to_owned())
            };
            let (before, after) = (name(&entry.before), name(&entry.after));
            (
                entry.revision,
                entry.action.as_str(),
                entry.channel_name.as_str(),
                before,
                after,
            )
        })
        .collect();
    let named = |name: &str| Some(name.to_owned());
    assert_eq!(
        summary,
        [
            (3, "delete", "uno", named("uno"), None),
            (2, "update", "uno", named("one"), named("uno")),
            (1, "create", "one", None, named("one")),
        ]
    );
    let text = format!("{entries:?}");
    assert!(
        !text.contains(SECRET) && !text.contains(SESSION_TOKEN),
        "{text}"
    );
}

#[tokio::test]
async fn a_commit_on_an_outdated_revision_changes_nothing() {
    use config_service::store::{Change, StoreError};
    let service = TestService::start().await;
    service.create(&channel("one")).await;
    let store = store(&service.dir).await;
    let before = store.contents().await.unwrap();
    let mut copy = before.channels[0].channel.clone();
    copy.name = "two".to_owned();
    let outdated = store.commit(1, "admin", Change::Create(&copy)).await;
    assert!(
        matches!(outdated, Err(StoreError::Conflict)),
        "{outdated:?}"
    );
    let same_name = Change::Create(&before.channels[0].channel);
    assert!(store.commit(2, "admin", same_name).await.is_err());
    assert_eq!(store.contents().await.unwrap(), before);
    assert_eq!(store.audit(&ALL).await.unwrap().len(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn the_database_is_readable_only_by_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let service = TestService::start().await;
    service.create(&channel("one")).await;
    for file in std::fs::read_dir(service.dir.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?}", file.path());
    }
}

#[tokio::test]
async fn starting_fails_with_a_reason() {
    let dir = Arc::new(TempDir::new().unwrap());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let database = dir.path().join("no-folder/test.db");
    let database = database.to_str().unwrap();
    let not_wasm = dir.path().join("filter.wasm");
    std::fs::write(&not_wasm, "#!/bin/sh").unwrap();
    let not_wasm = not_wasm.to_str().unwrap();
    let missing = dir.path().join("missing.wasm");
    let missing = missing.to_str().unwrap();
    for (extra, reason) in [
        (
            vec!["--wasm-path-in-envoy", "x", "--listen", &taken],
            "cannot listen on 127.0.0.1:",
        ),
        (
            vec![
                "--wasm-path-in-envoy",
                "x",
                "--init",
                "--database",
                database,
            ],
            "database file cannot be opened",
        ),
        (vec!["--wasm", not_wasm], "is not a WebAssembly module"),
        (vec!["--wasm", missing], "cannot read the filter module"),
    ] {
        let mut args = vec!["config-service", "--admin-token", "t"];
        for (option, default) in [
            ("--listen", "127.0.0.1:0"),
            ("--xds-listen", "127.0.0.1:0"),
            ("--database", "unused.db"),
        ] {
            if !extra.contains(&option) {
                args.extend([option, default]);
            }
        }
        args.extend(&extra);
        let error = Service::start(Args::parse_from(args)).await.unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
    assert!(!std::path::Path::new("unused.db").exists());
}

/// Why a service cannot serve what is stored.
async fn refused(dir: &Arc<TempDir>, extra: &[&str]) -> String {
    let database = dir.path().join("test.db").display().to_string();
    let fixed = [
        "config-service",
        "--admin-token=t",
        "--listen=127.0.0.1:0",
        "--xds-listen=127.0.0.1:0",
        "--wasm-path-in-envoy=/x.wasm",
        "--database",
        &database,
    ];
    let args = Args::parse_from(fixed.iter().chain(extra));
    Service::start(args).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_stored_channel_that_breaks_the_rules_is_named_and_nothing_starts() {
    let service = TestService::start().await;
    service.create(&channel("first")).await;
    service.create(&channel("second")).await;
    let dir = Arc::clone(&service.dir);
    service.shutdown().await;
    let reason = refused(&dir, &["--max-request-bytes=0"]).await;
    for part in ["do not compile", "/limits/max_request_bytes"] {
        assert!(reason.contains(part), "{reason}");
    }
    // As an earlier version could have stored it, with other rules.
    let url = format!("sqlite://{}", dir.path().join("test.db").display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    let update = "UPDATE channels SET document = json_replace(document, '$.region', 'moon') \
                  WHERE json_extract(document, '$.name') = 'second'";
    sqlx::query(update).execute(&pool).await.unwrap();
    pool.close().await;
    let reason = refused(&dir, &[]).await;
    let told = "the stored channels do not compile: channel `second`, /region is not an AWS region";
    assert!(reason.starts_with(told), "{reason}");
}
