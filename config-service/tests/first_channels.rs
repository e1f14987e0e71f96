//! The first channels of a new database, from the environment.

use std::process::{Command, Output};
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::process::ServiceProcess;
use crate::common::{ARN, SECRET, TOKEN, install_cryptography};

/// Makes the service read the environment.
const FLAG: &str = "--channels-from-environment";

const KEY: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", SECRET),
];

fn start(dir: &Arc<TempDir>, arguments: &[&str], variables: &[(&str, &str)]) -> ServiceProcess {
    install_cryptography();
    let variables = [&KEY, variables].concat();
    ServiceProcess::start_in(Arc::clone(dir), arguments, &variables)
}

/// What a service says that does not start.
fn refuse(dir: &TempDir, variables: &[(&str, &str)]) -> String {
    let database = dir.path().join("test.db");
    let output: Output = Command::new(env!("CARGO_BIN_EXE_config-service"))
        .args(["--wasm-path-in-envoy=/x.wasm", "--init", FLAG])
        .args(["--listen=127.0.0.1:0", "--xds-listen=127.0.0.1:0"])
        .arg(format!("--database={}", database.display()))
        .env_clear()
        .env("BEDROCK_ADMIN_TOKEN", TOKEN)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "it started: {log}");
    log
}

async fn get(service: &ServiceProcess, path: &str) -> Value {
    let url = format!("http://{}/api/{path}", service.admin);
    let request = reqwest::Client::new().get(url).bearer_auth(TOKEN);
    request.send().await.unwrap().json().await.unwrap()
}

/// Names and regions of all channels.
async fn channels(service: &ServiceProcess) -> Vec<String> {
    let list = get(service, "channels").await;
    let list = list["channels"].as_array().unwrap().iter();
    list.map(|own| {
        let text = |field: &str| own[field].as_str().unwrap().to_owned();
        format!("{} {}", text("name"), text("region"))
    })
    .collect()
}

#[tokio::test]
async fn the_first_start_creates_them_and_later_ones_leave_them_alone() {
    let dir = Arc::new(TempDir::new().unwrap());
    let map = json!({ "claude": ARN }).to_string();
    let variables = [
        ("AWS_REGION", "us-east-1"),
        ("BEDROCK_MODELS", "claude,nova-pro"),
        ("BEDROCK_INFERENCE_PROFILE_ARN_MAP", &map),
        ("BEDROCK_EU_BASE_URL", "eu-west-1"),
    ];
    let service = start(&dir, &[FLAG], &variables);
    assert_eq!(
        channels(&service).await,
        ["bedrock us-east-1", "eu eu-west-1"]
    );
    let list = get(&service, "channels").await;
    let first = &list["channels"][0];
    assert_eq!(first["models"], json!(["claude", "nova-pro"]));
    assert_eq!(first["inference_profile_arn_map"]["claude"], ARN);
    assert_eq!(first["credentials"]["type"], "default_chain");
    assert_eq!(first["credential_status"]["state"], "ready");
    let history = get(&service, "history").await;
    assert_eq!(history["entries"][0]["actor"], "environment");
    let log = service.log();
    assert!(
        log.contains("channel created from the environment"),
        "{log}"
    );
    assert!(
        log.contains("BEDROCK_EU_BASE_URL") && !log.contains(SECRET),
        "{log}"
    );
    let id = first["id"].as_str().unwrap();
    let url = format!("http://{}/api/channels/{id}", service.admin);
    let http = reqwest::Client::new();
    let change = json!({"name": "mine", "region": "us-west-2"}).to_string();
    let edit = http.patch(&url).bearer_auth(TOKEN).body(change);
    assert_eq!(edit.send().await.unwrap().status(), 200);
    drop(service);

    let changed = [("AWS_REGION", "ap-south-1"), ("BEDROCK_X_MODELS", "a")];
    let service = start(&dir, &[FLAG], &changed);
    assert_eq!(channels(&service).await, ["mine us-west-2", "eu eu-west-1"]);
    for own in get(&service, "channels").await["channels"]
        .as_array()
        .unwrap()
    {
        let url = format!(
            "http://{}/api/channels/{}",
            service.admin,
            own["id"].as_str().unwrap()
        );
        let delete = http.delete(url).bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(delete.status(), 204);
    }
    drop(service);
    // Whoever deletes them all does not want them back.
    let service = start(&dir, &[FLAG], &changed);
    assert_eq!(channels(&service).await, [""; 0]);
}

#[tokio::test]
async fn nothing_is_created_unasked_or_without_a_region() {
    let dir = Arc::new(TempDir::new().unwrap());
    let region = [("AWS_REGION", "us-east-1"), ("BEDROCK_MODELS", "claude")];
    let service = start(&dir, &[], &region);
    assert_eq!(channels(&service).await, [""; 0]);
    drop(service);
    let service = start(&dir, &[FLAG], &[]);
    assert_eq!(channels(&service).await, [""; 0]);
    assert!(service.log().contains("set AWS_REGION or BEDROCK_BASE_URL"));
    drop(service);
    // Neither was an edit, so the database still counts as new.
    let service = start(&dir, &[FLAG], &region);
    assert_eq!(channels(&service).await, ["bedrock us-east-1"]);
}

#[tokio::test]
async fn a_bad_value_is_named_and_no_channel_is_created() {
    let dir = Arc::new(TempDir::new().unwrap());
    let region = ("AWS_REGION", "us-east-1");
    let bad = [
        (("AWS_REGION", "nowhere"), "AWS_REGION is not an AWS region"),
        (
            ("BEDROCK_BASE_URL", "ftp://a"),
            "BEDROCK_BASE_URL must be an origin",
        ),
        (
            ("BEDROCK_EU_BASE_URL", "narnia"),
            "BEDROCK_EU_BASE_URL is not an AWS region",
        ),
        (
            ("BEDROCK_INFERENCE_PROFILE_ARN_MAP", "{"),
            "BEDROCK_INFERENCE_PROFILE_ARN_MAP ",
        ),
        (
            ("AWS_BEARER_TOKEN_BEDROCK", "ABSKa b"),
            "AWS_BEARER_TOKEN_BEDROCK ",
        ),
    ];
    for ((name, value), expected) in bad {
        let log = refuse(&dir, &[region, ("BEDROCK_AA_MODELS", "a"), (name, value)]);
        assert!(log.contains(expected), "{expected}: {log}");
        assert!(
            name != "AWS_BEARER_TOKEN_BEDROCK" || !log.contains(value),
            "{log}"
        );
    }
    let service = start(&dir, &[], &[]);
    assert_eq!(channels(&service).await, [""; 0]);
}
