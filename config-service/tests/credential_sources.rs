//! Channels whose credentials come from AWS: what is requested, published and shown.

mod bodies;
mod restarts;
mod token_files;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::common::envoy::{
    CDS, ECDS, Envoy, Service as At, cluster_names, plugin_json, pool_channels,
};

use crate::common::{self, DEADLINE, TestService, channel, channel_with};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bedrock_simulator::sts::{Sts, secret, session_token};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const ROLE: &str = "arn:aws:iam::123456789012:role/bedrock";
const KEY: &str = "k:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const HOUR: Duration = Duration::from_secs(3600);

fn static_source() -> Value {
    channel("x")["credentials"].clone()
}

fn assume_role() -> Value {
    json!({"credentials": {
        "type": "assume_role",
        "role_arn": ROLE,
        "external_id": "team/a",
        "session_name": "team-a",
        "session_tags": {"team": "a", "cost centre": "7"},
        "duration_seconds": 900,
        "source": static_source(),
    }})
}

async fn start(dir: &Arc<TempDir>, sts: &Sts, extra: &[&str]) -> TestService {
    let url = sts.url();
    let tokens = dir.path().join("tokens").display().to_string();
    let arguments: Vec<_> = ["--sts-endpoint", &url, "--token-file-dirs", &tokens]
        .into_iter()
        .chain(extra.iter().copied())
        .collect();
    TestService::start_in(Arc::clone(dir), &arguments).await
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

fn dir() -> Arc<TempDir> {
    Arc::new(TempDir::new().unwrap())
}

/// What an Envoy that connects now is sent.
async fn published(service: &TestService) -> Value {
    let mut envoy = Envoy::connect(service, "e", At::Extensions).await;
    envoy.subscribe(ECDS, "").await;
    plugin_json(&envoy.receive(ECDS).await)
}

/// Waits until `condition` holds for what is published.
async fn wait_published(service: &TestService, condition: impl Fn(&Value) -> bool) -> Value {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        let config = published(service).await;
        if condition(&config) {
            return config;
        }
        assert!(tokio::time::Instant::now() < deadline, "{config}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether every channel has credentials.
fn is_served(config: &Value) -> bool {
    let channels = config["channels"].as_array().unwrap();
    let has_credentials = |channel: &Value| channel["credentials"]["type"] != "unavailable";
    !channels.is_empty() && channels.iter().all(has_credentials)
}

/// Waits until `condition` holds for a channel's `credential_status`.
async fn wait_status(service: &TestService, id: &str, condition: impl Fn(&Value) -> bool) -> Value {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        let channel = service.get(&format!("/api/channels/{id}")).await.json();
        let status = channel["credential_status"].clone();
        if condition(&status) {
            return status;
        }
        assert!(tokio::time::Instant::now() < deadline, "{channel}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn names_that_resolve_to_metadata_are_not_called() {
    // The system's resolver reads it as 169.254.169.254, so it can play a name that somebody else defines.
    let extra = ["--sts-endpoint", "http://0xa9fea9fe"];
    let service = TestService::start_in(dir(), &extra).await;
    let id = service.create(&channel_with("one", &assume_role())).await;
    let failed = |status: &Value| status["last_error"].is_string();
    let status = wait_status(&service, &id, failed).await;
    let reason = status["last_error"].as_str().unwrap();
    assert!(reason.contains("link-local address"), "{reason}");
}

/// A fake STS that gives every call this answer.
async fn stray_sts(head: &str, body: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let length = body.len();
    let answer = format!("{head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 16 * 1024]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    url
}

#[tokio::test]
async fn an_invalid_answer_is_not_repeated() {
    let half = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
                <Credentials><AccessKeyId>hush-id</AccessKeyId><SecretAccessKey>hush-key</SecretAccessKey>";
    for (head, body) in [
        ("HTTP/1.1 200 OK\r\nx-proxy: hush-header", half),
        ("HTTP/1.1 200 OK\r\nx-proxy: hush-header", "hush: welcome"),
        (
            "HTTP/1.1 403 Forbidden\r\nx-proxy: hush-header",
            "<html>hush</html>",
        ),
        ("HTTP/1.1 500 Oops\r\nx-proxy: hush-header", "hush"),
    ] {
        let url = stray_sts(head, body).await;
        let service = TestService::start_in(dir(), &["--sts-endpoint", &url]).await;
        let id = service.create(&channel_with("one", &assume_role())).await;
        let failed = |status: &Value| status["last_error"].is_string();
        let status = wait_status(&service, &id, failed).await;
        assert_ne!(status["last_error"], "", "{head}");
        let channel = service.get(&format!("/api/channels/{id}")).await.text;
        assert!(!channel.contains("hush"), "{head}: {channel}");
    }
}

#[tokio::test]
async fn a_role_is_assumed_with_everything_that_is_configured() {
    let begun = since_epoch();
    let (sts, dir) = (Sts::start(HOUR).await.unwrap(), dir());
    let service = start(&dir, &sts, &[]).await;
    let id = service.create(&channel_with("one", &assume_role())).await;
    let config = wait_published(&service, is_served).await;
    let mut issued = config["channels"][0]["credentials"].clone();
    let until = issued["expires_at"].take().as_u64().unwrap();
    // Slightly before AWS's own expiry.
    let margin = Duration::from_secs(10);
    let range = (begun + HOUR - margin).as_secs()..=(since_epoch() + HOUR - margin).as_secs();
    assert!(range.contains(&until), "{until}");
    let expected = json!({
        "type": "static",
        "access_key_id": "ASIAISSUED0001",
        "secret_access_key": secret(1),
        "session_token": session_token(1),
        "expires_at": null,
    });
    assert_eq!(issued, expected);
    // A renewal is a revision, but not an edit.
    assert_eq!(config["revision"], 2);
    let shown = service.get(&format!("/api/channels/{id}")).await.json();
    assert_eq!(shown["revision"], 1);
    assert_eq!(shown["credential_status"]["state"], "ready");
    assert_eq!(shown["credential_status"]["refreshes"], 1);
    assert!(shown["credential_status"]["expires_at"].is_string());

    let [call] = sts.calls().try_into().unwrap();
    let parameter = |name: &str| call.parameters.get(name).map(String::as_str);
    for (name, value) in [
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", ROLE),
        ("ExternalId", "team/a"),
        ("RoleSessionName", "team-a"),
        ("DurationSeconds", "900"),
        ("Tags.member.1.Key", "cost centre"),
        ("Tags.member.1.Value", "7"),
        ("Tags.member.2.Key", "team"),
    ] {
        assert_eq!(parameter(name), Some(value), "{call:?}");
    }
    let authorization = call.authorization.unwrap();
    assert!(
        authorization.contains("Credential=AKIDEXAMPLE/"),
        "{authorization}"
    );
    assert!(
        authorization.contains("/us-east-1/sts/aws4_request"),
        "{authorization}"
    );
    assert_eq!(call.security_token.as_deref(), Some(common::SESSION_TOKEN));
}

#[tokio::test]
async fn a_short_term_key_is_minted_from_a_key_or_a_role() {
    let (sts, dir) = (Sts::start(HOUR).await.unwrap(), dir());
    let service = start(&dir, &sts, &[]).await;
    let key = |source: &Value| json!({"credentials": {"type": "bedrock_short_term_key", "source": source}});
    service
        .create(&channel_with("from-key", &key(&static_source())))
        .await;
    let role = assume_role()["credentials"].clone();
    service
        .create(&channel_with("from-role", &key(&role)))
        .await;
    let config = wait_published(&service, is_served).await;
    for (index, access_key) in [(0, "AKIDEXAMPLE"), (1, "ASIAISSUED0001")] {
        let credentials = &config["channels"][index]["credentials"];
        assert_eq!(credentials["type"], "bedrock_api_key");
        let key = credentials["api_key"].as_str().unwrap();
        let encoded = key.strip_prefix("bedrock-api-key-").unwrap();
        let url = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
        assert!(
            url.starts_with("bedrock.amazonaws.com/?Action=CallWithBearerToken&"),
            "{url}"
        );
        assert!(
            url.contains(&format!("X-Amz-Credential={access_key}%2F")),
            "{url}"
        );
        assert!(
            url.contains("%2Fus-east-1%2Fbedrock%2Faws4_request"),
            "{url}"
        );
        let (_, rest) = url.split_once("X-Amz-Expires=").unwrap();
        let life: u64 = rest.split('&').next().unwrap().parse().unwrap();
        // No longer than the role's session.
        let expected = if index == 0 {
            43_200..=43_200
        } else {
            3_500..=3_600
        };
        assert!(expected.contains(&life), "{life}");
    }
}

#[tokio::test]
async fn credentials_are_renewed_before_they_expire_and_envoys_get_them() {
    let (sts, dir) = (Sts::start(Duration::from_secs(9)).await.unwrap(), dir());
    let service = start(&dir, &sts, &[]).await;
    service.create(&channel_with("one", &assume_role())).await;
    wait_published(&service, is_served).await;
    let mut envoy = Envoy::connect(&service, "e", At::Extensions).await;
    envoy.subscribe(ECDS, "").await;
    let (mut secrets, mut versions) = (Vec::new(), BTreeSet::new());
    while secrets.len() < 2 {
        let response = envoy.receive(ECDS).await;
        envoy.ack(&response).await;
        let config = plugin_json(&response);
        assert!(is_served(&config), "it was not renewed in time: {config}");
        secrets.push(config["channels"][0]["credentials"]["secret_access_key"].clone());
        assert!(
            versions.insert(response.version_info.clone()),
            "{versions:?}"
        );
    }
    assert_eq!(secrets, [secret(1), secret(2)]);
}

#[tokio::test]
async fn a_channel_without_credentials_says_so_and_holds_up_no_other() {
    let (sts, dir) = (Sts::start(HOUR).await.unwrap(), dir());
    sts.fail(Some((
        403,
        "AccessDenied",
        "is not authorized to perform: sts:AssumeRole",
    )));
    let service = start(&dir, &sts, &[]).await;
    let id = service.create(&channel_with("role", &assume_role())).await;
    service.create(&channel("key")).await;
    let unavailable = |status: &Value| status["state"] == "unavailable";
    let status = wait_status(&service, &id, unavailable).await;
    assert_eq!(
        status["last_error"],
        "AccessDenied: is not authorized to perform: sts:AssumeRole"
    );
    assert_eq!(status["expires_at"], Value::Null);
    let config = published(&service).await;
    let credentials = [0, 1].map(|index| config["channels"][index]["credentials"].clone());
    assert_eq!(credentials[0], json!({"type": "unavailable"}));
    assert_eq!(credentials[1]["type"], "static");
    assert_eq!(service.status().await["channels"], 2);
    let question = json!({"model": "nova-pro"});
    let explained = service
        .send(Method::POST, "/api/explain", question.to_string())
        .await
        .json();
    assert_eq!(explained["route"]["channel"], "key");
    let reason = explained["channels"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("no valid credentials"), "{reason}");
    // They arrive by themselves as soon as AWS agrees.
    sts.fail(None);
    let config = wait_published(&service, is_served).await;
    assert_eq!(config["channels"][0]["name"], "role");
    let ready = |status: &Value| status["state"] == "ready";
    assert_eq!(
        wait_status(&service, &id, ready).await["last_error"],
        Value::Null
    );
}

/// Names of the clusters that an Envoy which connects now is sent, those of pools with their channels alone.
async fn clusters(service: &TestService) -> Vec<String> {
    let mut envoy = Envoy::connect(service, "c", At::Clusters).await;
    envoy.subscribe(CDS, "").await;
    let names = cluster_names(&envoy.receive(CDS).await);
    let short = |name: String| match pool_channels(&name) {
        Some(channels) => format!("bedrock|pool|{channels}"),
        None => name,
    };
    let mut names: Vec<_> = names.into_iter().map(short).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_channel_without_credentials_is_in_no_pool_and_no_cluster_of_its_own() {
    let (sts, dir) = (Sts::start(HOUR).await.unwrap(), dir());
    sts.fail(Some((503, "ServiceUnavailable", "down")));
    let service = start(&dir, &sts, &["--failover"]).await;
    let signed = json!({"signer": "envoy", "credentials": assume_role()["credentials"]});
    service.create(&channel_with("signed", &signed)).await;
    let id = service.create(&channel_with("role", &assume_role())).await;
    service.create(&channel("key")).await;
    wait_status(&service, &id, |it| it["state"] == "unavailable").await;
    let shared = "bedrock|https|bedrock-runtime.us-east-1.amazonaws.com|443";
    assert_eq!(clusters(&service).await, [shared, "bedrock|pool|key"]);
    sts.fail(None);
    wait_published(&service, is_served).await;
    let own = format!("{shared}|signed");
    assert_eq!(
        clusters(&service).await,
        [
            shared,
            &own,
            "bedrock|pool|key",
            "bedrock|pool|key|role",
            "bedrock|pool|role",
            "bedrock|pool|role|key",
            "bedrock|pool|signed"
        ]
    );
}

#[tokio::test]
async fn credentials_that_cannot_be_renewed_are_dropped_when_they_expire() {
    let (sts, dir) = (Sts::start(Duration::from_secs(3)).await.unwrap(), dir());
    let service = start(&dir, &sts, &[]).await;
    let id = service.create(&channel_with("one", &assume_role())).await;
    wait_published(&service, is_served).await;
    sts.fail(Some((400, "Throttling", "slow down")));
    wait_published(&service, |config| !is_served(config)).await;
    let status = wait_status(&service, &id, |status| status["state"] == "unavailable").await;
    assert_eq!(status["last_error"], "Throttling: slow down");
}
