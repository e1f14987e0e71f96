//! The health of channels: what tests and probes have shown.

use std::sync::Arc;
use std::time::Duration;

use bedrock_simulator::{Fault, Key, Simulator};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{ARN, TestService, channel_with};
use crate::usage::{chat, now_ms, recording, report};

const SECRET: &str = "secret-of-the-test";

async fn simulator() -> Simulator {
    let builder = Simulator::builder().credentials(Key::new("AKIDTEST", SECRET));
    builder.region("us-east-1").start().await.unwrap()
}

fn channel(bedrock: &Simulator) -> Value {
    json!({
        "name": "one",
        "region": "us-east-1",
        "endpoint": bedrock.url(),
        "credentials": {"type": "static", "access_key_id": "AKIDTEST", "secret_access_key": SECRET},
        "models": ["claude-sonnet-4-5"],
        "inference_profile_arn_map": {"claude-sonnet-4-5": ARN},
    })
}

/// The only channel, as `GET /api/health` has it.
async fn health(service: &TestService) -> Value {
    service.get("/api/health").await.json()["channels"][0].clone()
}

#[tokio::test]
async fn a_test_is_remembered_until_the_channel_is_edited() {
    let bedrock = simulator().await;
    let dir = Arc::new(TempDir::new().unwrap());
    let service = TestService::start_in(dir, &["--trusted-endpoints", &bedrock.url()]).await;
    let id = service.create(&channel(&bedrock)).await;
    assert_eq!(health(&service).await["healthy"], Value::Null);
    let test = async || {
        let path = format!("/api/channels/{id}/test");
        let plan = json!({"stream": false}).to_string();
        service.send(Method::POST, &path, plan).await;
    };
    test().await;
    let known = health(&service).await;
    assert_eq!(known["healthy"], true, "{known}");
    let model = &known["models"][0];
    assert_eq!(
        (&model["model"], &model["source"]),
        (&json!("claude-sonnet-4-5"), &json!("test"))
    );
    let answered = model["last_answered"].clone();
    assert!(
        answered.is_string() && model["last_failed"].is_null(),
        "{model}"
    );
    bedrock.inject(Fault::error(403, "AccessDeniedException", "No."));
    test().await;
    let known = health(&service).await;
    let model = &known["models"][0];
    assert_eq!(
        (&known["healthy"], &model["healthy"]),
        (&json!(false), &json!(false)),
        "{known}"
    );
    assert_eq!(model["last_answered"], answered);
    assert!(
        model["reason"].as_str().is_some_and(|own| !own.is_empty()),
        "{model}"
    );
    service.patch(&id, &json!({"enabled": false})).await;
    assert_eq!(health(&service).await["models"], json!([]));
}

#[tokio::test]
async fn channels_are_probed_with_one_token_if_that_is_wanted() {
    let bedrock = simulator().await;
    let dir = Arc::new(TempDir::new().unwrap());
    let url = bedrock.url();
    let service = TestService::start_in(Arc::clone(&dir), &["--trusted-endpoints", &url]).await;
    service.create(&channel(&bedrock)).await;
    let mut disabled = channel(&bedrock);
    disabled["name"] = json!("two");
    disabled["enabled"] = json!(false);
    service.create(&disabled).await;
    assert_eq!(service.get("/api/health").await.json()["probe_minutes"], 0);
    assert!(bedrock.requests().is_empty(), "nobody asked for probes");
    service.shutdown().await;
    // Probes begin with the service.
    let arguments = ["--trusted-endpoints", &url, "--probe-minutes", "1440"];
    let service = TestService::start_in(dir, &arguments).await;
    let probed = async {
        while health(&service).await["healthy"] != true {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), probed)
        .await
        .unwrap();
    let [request] = &bedrock.requests()[..] else {
        panic!("one channel is enabled and names one model");
    };
    assert_eq!(request.body.as_ref().unwrap()["max_tokens"], 1);
    assert_eq!(health(&service).await["models"][0]["source"], "probe");
}

#[tokio::test]
async fn clients_requests_show_how_a_channel_is_doing_and_spare_it_probes() {
    let bedrock = simulator().await;
    let url = bedrock.url();
    let dir = Arc::new(TempDir::new().unwrap());
    let service = recording(&dir, &["--trusted-endpoints", &url]).await;
    let models = json!({"models": ["nova-pro"], "endpoint": url});
    let id = service.create(&channel_with("team-a", &models)).await;
    let mut answered = chat(1, "ann");
    answered.duration_ms = 0;
    report(&service, &[answered], 0).await.unwrap();
    let known = health(&service).await;
    let model = &known["models"][0];
    assert_eq!(
        (&known["healthy"], &model["source"]),
        (&json!(true), &json!("traffic"))
    );
    let mut throttled = chat(2, "ann");
    throttled.duration_ms = 0;
    throttled.outcome = "throttled";
    throttled.status = 429;
    let at = throttled.at_ms;
    report(&service, &[throttled], 0).await.unwrap();
    let known = health(&service).await;
    let reason = known["models"][0]["reason"].as_str().unwrap();
    assert!(
        known["healthy"] == false && reason.contains("throttled"),
        "{known}"
    );
    // An edit may have changed everything.
    while now_ms() <= at {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    service.patch(&id, &json!({"priority": 1})).await;
    assert_eq!(health(&service).await["models"], json!([]));
}
