//! Channels from an older gateway's list of ARNs.

use crate::common::{ARN, TestService};
use reqwest::Method;
use serde_json::{Value, json};

async fn import(service: &TestService, list: &Value) -> Value {
    let reply = service
        .send(Method::POST, "/api/import", list.to_string())
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

#[tokio::test]
async fn each_key_and_region_becomes_a_channel_with_its_arns() {
    let service = TestService::start().await;
    let arn = |region: &str, id: &str| ARN.replace("us-east-1", region).replace("abcdef123456", id);
    let entry = |ak: &str, model: &str, region: &str, arn: &str| json!({"ak": ak, "model": model, "region": region, "arn": arn});
    let list = json!([
        entry("AKIDONE", "claude-sonnet-4-5", "us-east-1", ARN),
        entry(
            "AKIDONE",
            "claude-3-haiku",
            "us-east-1",
            &arn("us-east-1", "xyzdef123456")
        ),
        entry(
            "AKIDONE",
            "claude-sonnet-4-5",
            "eu-west-1",
            &arn("eu-west-1", "abcdef123456")
        ),
        entry("AKIDTWO", "nova-pro", "us-east-1", "no-arn\n"),
        entry("AKIDTWO", "nova-pro", "us-east-1", "arn:aws:s3:::bucket\n"),
    ]);
    let report = import(&service, &list).await;
    let seen: Vec<_> = report["channels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| {
            format!(
                "{} {} {}",
                own["name"].as_str().unwrap(),
                own["outcome"].as_str().unwrap(),
                own["models"]
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            "AKIDONE-eu-west-1 created 1",
            "AKIDONE-us-east-1 created 2",
            "AKIDTWO-us-east-1 refused 1"
        ]
    );
    let refused = &report["channels"][2];
    assert_eq!(refused["repeated"], json!(["nova-pro"]));
    assert_eq!(
        refused["errors"][0]["pointer"],
        "/inference_profile_arn_map/nova-pro"
    );
    let id = report["channels"][1]["id"].as_str().unwrap();
    let stored = service.get(&format!("/api/channels/{id}")).await.json();
    assert_eq!(stored["enabled"], false);
    assert_eq!(
        stored["inference_profile_arn_map"]["claude-sonnet-4-5"],
        ARN
    );
    // Repeating it changes nothing.
    let again = import(&service, &list).await;
    assert_eq!(again["channels"][1]["outcome"], "exists");
    let list = service.get("/api/channels").await.json();
    assert_eq!(list["channels"].as_array().unwrap().len(), 2);
    for wrong in [
        json!({}),
        json!([{"ak": "a"}]),
        json!([{"ak": "a", "model": "m", "region": "r", "arn": "x", "sk": "y"}]),
    ] {
        service
            .send(Method::POST, "/api/import", wrong.to_string())
            .await
            .problem(400);
    }
}
