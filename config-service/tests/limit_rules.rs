//! The rules of a fleet's own rate limit service, which are always ahead of what Envoys get: in a file, and over xDS.

use std::path::Path;
use std::sync::Arc;

use crate::callers::{create, new_key, set_mode};
use crate::common::envoy::{CDS, ECDS, Envoy, Service as At, plugin_json};
use crate::common::{DEADLINE, TestService, channel};
use clap::Parser as _;
use config_service::{Args, Service};
use envoy_types::pb::envoy::service::discovery::v3::DiscoveryResponse;
use envoy_types::pb::ratelimit::config::ratelimit::v3::RateLimitConfig;
use prost::Message as _;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

/// `rpm 600` and so on, and `rpm` for the default rule.
fn rules(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let read: Value = serde_json::from_str(&text).unwrap();
    let rules = read["descriptors"].as_array().unwrap().iter();
    let mut rules: Vec<_> = rules
        .map(|rule| {
            let value = rule["value"].as_str().unwrap_or_default();
            format!("{} {value}", rule["key"].as_str().unwrap())
        })
        .collect();
    rules.sort();
    rules
}

/// Waits until the file has these rules.
async fn wait_rules(file: &Path, expected: &[&str]) {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    while rules(file) != expected {
        assert!(tokio::time::Instant::now() < deadline, "{:?}", rules(file));
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_rule_is_there_before_an_envoy_gets_its_limit_and_stays() {
    let dir = Arc::new(TempDir::new().unwrap());
    let file = dir.path().join("limits.yaml");
    let flag = format!("--ratelimit-rules={}", file.display());
    let service = TestService::start_in(Arc::clone(&dir), &[&flag]).await;
    assert_eq!(rules(&file), ["rpm ", "tpm "], "defaults from the start");
    service.create(&channel("us")).await;
    let caller = create(&service, &json!({"name": "a", "rpm": 600, "tpm": 50_000})).await;
    new_key(&service, &caller, &json!({})).await;
    let mut envoy = Envoy::connect(&service, "e", At::Aggregated).await;
    envoy.subscribe(CDS, "").await;
    let clusters = envoy.receive(CDS).await;
    envoy.subscribe(ECDS, "").await;
    envoy.ack(&clusters).await;
    let first = envoy.receive(ECDS).await;
    envoy.ack(&first).await;
    set_mode(&service, "required").await;
    loop {
        let next = envoy.receive(ECDS).await;
        let config = plugin_json(&next);
        if config["callers"]["entries"][0]["limits"]["rpm"] == 600 {
            // Whatever an Envoy has been sent, its rule is there.
            assert_eq!(rules(&file), ["rpm ", "rpm 600", "tpm ", "tpm 50000"]);
            break;
        }
        envoy.ack(&next).await;
    }
    // A default for all callers is a value too.
    let body = json!({"default_rpm": 60}).to_string();
    let settings = "/api/caller-settings";
    service.send(Method::PATCH, settings, body).await;
    create(&service, &json!({"name": "b"})).await;
    let all = ["rpm ", "rpm 60", "rpm 600", "tpm ", "tpm 50000"];
    wait_rules(&file, &all).await;
    // The caller goes, its rule stays: an Envoy may still have the limit. So it does after a restart.
    service.send(Method::DELETE, &caller, "").await;
    let gone = |status: &Value| status["revision"].as_u64() >= Some(6);
    service.wait_for("published", gone).await;
    assert_eq!(rules(&file), all);
    service.shutdown().await;
    let service = TestService::start_in(dir, &[&flag]).await;
    assert_eq!(rules(&file), all);
    drop(service);
}

#[tokio::test]
async fn limits_that_nobody_asks_a_service_about_need_no_rules() {
    let dir = Arc::new(TempDir::new().unwrap());
    let file = dir.path().join("limits.yaml");
    let flag = format!("--ratelimit-rules={}", file.display());
    let service = TestService::start_in(dir, &[&flag, "--ratelimit-shadow-mode"]).await;
    let body = json!({"limit_mode": "local"}).to_string();
    service
        .send(Method::PATCH, "/api/caller-settings", body)
        .await;
    create(&service, &json!({"name": "a", "rpm": 600})).await;
    set_mode(&service, "required").await;
    let all = |status: &Value| status["revision"].as_u64() == Some(3);
    service.wait_for("published", all).await;
    assert_eq!(rules(&file), ["rpm ", "tpm "]);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("\"shadow_mode\": true"), "{text}");
}

#[tokio::test]
async fn a_file_of_somebody_else_is_not_overwritten() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("limits.yaml");
    std::fs::write(&file, "domain: bedrock\n").unwrap();
    let arguments = [
        "config-service".to_owned(),
        "--listen=127.0.0.1:0".to_owned(),
        "--xds-listen=127.0.0.1:0".to_owned(),
        "--admin-token=t".to_owned(),
        "--wasm-path-in-envoy=/x.wasm".to_owned(),
        "--init".to_owned(),
        format!("--database={}", dir.path().join("test.db").display()),
        format!("--ratelimit-rules={}", file.display()),
    ];
    let refused = Service::start(Args::parse_from(arguments)).await;
    let error = refused.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("no rules of this service"), "{error}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "domain: bedrock\n");
}

const RULES: &str = "type.googleapis.com/ratelimit.config.ratelimit.v3.RateLimitConfig";

/// The rules in an answer, like [`rules`].
fn told(response: &DiscoveryResponse) -> Vec<String> {
    let [resource] = response.resources.as_slice() else {
        panic!("{response:?}");
    };
    let config = RateLimitConfig::decode(&*resource.value).unwrap();
    assert_eq!(
        (config.name.as_str(), config.domain.as_str()),
        ("bedrock", "bedrock")
    );
    let rules = config.descriptors.iter().map(|rule| {
        let [caller] = rule.descriptors.as_slice() else {
            panic!("{rule:?}");
        };
        let limit = caller.rate_limit.as_ref().unwrap();
        assert_eq!(
            (caller.key.as_str(), limit.name.as_str()),
            ("caller", rule.key.as_str())
        );
        assert_eq!(limit.unit, 2, "minute");
        format!("{} {}={}", rule.key, rule.value, limit.requests_per_unit)
    });
    let mut rules: Vec<_> = rules.collect();
    rules.sort();
    rules
}

/// A rate limit service that has asked for its rules.
async fn engine(service: &TestService) -> (Envoy, DiscoveryResponse) {
    let mut engine = Envoy::connect(service, "ratelimit", At::Aggregated).await;
    engine.subscribe(RULES, "").await;
    let first = engine.receive(RULES).await;
    (engine, first)
}

/// Makes the limits of a caller part of what is published.
async fn limit(service: &TestService, name: &str, rpm: u32) {
    create(service, &json!({"name": name, "rpm": rpm})).await;
}

#[tokio::test]
async fn an_edit_is_published_once_the_service_has_its_rules() {
    let service = TestService::start().await;
    set_mode(&service, "required").await;
    let (mut engine, first) = engine(&service).await;
    assert_eq!(
        told(&first),
        ["rpm =60", "tpm =10000"],
        "never an empty answer"
    );
    engine.ack(&first).await;
    let mut envoy = Envoy::settled(&service, "e").await;
    limit(&service, "a", 600).await;
    let second = engine.receive(RULES).await;
    assert_eq!(told(&second), ["rpm 600=600", "rpm =60", "tpm =10000"]);
    engine.ack(&second).await;
    loop {
        let next = envoy.receive(ECDS).await;
        let config = plugin_json(&next);
        if config["callers"]["entries"][0]["limits"]["rpm"] == 600 {
            break;
        }
        envoy.ack(&next).await;
    }
}

#[tokio::test]
async fn a_service_that_refuses_its_rules_or_does_not_answer_holds_up_no_edit() {
    let service = TestService::start().await;
    set_mode(&service, "required").await;
    let (mut refusing, first) = engine(&service).await;
    refusing.ack(&first).await;
    let published = async |edits: u64| {
        let is_there = |status: &Value| status["revision"].as_u64() >= Some(edits);
        service.wait_for("published", is_there).await;
    };
    limit(&service, "a", 600).await;
    let second = refusing.receive(RULES).await;
    refusing.nack(&second, "bedrock: something is wrong").await;
    published(2).await;
    // Another one that never answers, not even its first rules.
    let (_silent, _) = engine(&service).await;
    limit(&service, "b", 700).await;
    let third = refusing.receive(RULES).await;
    assert_eq!(
        told(&third),
        ["rpm 600=600", "rpm 700=700", "rpm =60", "tpm =10000"]
    );
    refusing.ack(&third).await;
    published(3).await;
}

#[tokio::test]
async fn the_first_request_of_a_stream_is_answered_whatever_it_says() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = TestService::start_in(Arc::clone(&dir), &["--ratelimit-shadow-mode"]).await;
    set_mode(&service, "required").await;
    let caller = create(&service, &json!({"name": "a", "tpm": 500})).await;
    let all = ["rpm =60", "tpm 500=500", "tpm =10000"];
    let has_all = async |service: &TestService| {
        let (engine, mut rules) = engine(service).await;
        let mut engine = engine;
        while told(&rules) != all {
            engine.ack(&rules).await;
            rules = engine.receive(RULES).await;
        }
        rules
    };
    let first = has_all(&service).await;
    let config = RateLimitConfig::decode(&*first.resources[0].value).unwrap();
    assert!(
        config
            .descriptors
            .iter()
            .all(|own| own.descriptors[0].shadow_mode)
    );
    // The version and the nonce of an earlier stream.
    let mut again = Envoy::connect(&service, "ratelimit", At::Aggregated).await;
    again.ack(&first).await;
    assert_eq!(told(&again.receive(RULES).await), all);
    // It is no Envoy.
    assert_eq!(service.status().await["envoys"], json!([]));
    // The caller goes, its rule stays, also after a restart.
    service.send(Method::DELETE, &caller, "").await;
    service.shutdown().await;
    let service = TestService::start_in(dir, &["--ratelimit-shadow-mode"]).await;
    assert_eq!(told(&engine(&service).await.1), all);
}
