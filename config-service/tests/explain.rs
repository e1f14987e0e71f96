//! Where a request would go, told without calling AWS.

use crate::common::{self, ARN, Reply, SECRET, SESSION_TOKEN, TestService, channel_with};
use reqwest::Method;
use serde_json::{Value, json};

async fn explain(service: &TestService, question: &Value) -> Reply {
    service
        .send(Method::POST, "/api/explain", question.to_string())
        .await
}

#[tokio::test]
async fn a_model_is_followed_through_mapping_and_arn_to_the_body() {
    let service = TestService::start().await;
    let off = json!({"enabled": false});
    service.create(&channel_with("off", &off)).await;
    let listed = json!({"models": ["other"], "model_mapping": {"other": "nova-pro"}});
    service.create(&channel_with("listed", &listed)).await;
    let mapped = json!({
        "model_mapping": {"gpt-4o": "claude-sonnet-4-5"},
        "inference_profile_arn_map": {"claude-sonnet-4-5": ARN},
    });
    service.create(&channel_with("mapped", &mapped)).await;
    let question = json!({"request": {
        "model": "gpt-4o",
        "temperature": 0.5,
        "user": "somebody",
        "messages": [{"role": "user", "content": "Hi"}],
    }});
    let reply = explain(&service, &question).await;
    for secret in [SECRET, SESSION_TOKEN] {
        assert!(!reply.text.contains(secret), "{reply:?}");
    }
    let told = reply.json();
    let reasons: Vec<_> = told["channels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| format!("{} {} {}", own["name"], own["serves"], own["reason"]))
        .collect();
    assert_eq!(
        reasons,
        [
            r#""off" false "it is disabled""#,
            r#""listed" false "its `models` does not have the name""#,
            r#""mapped" true "it is the first that serves the model""#,
        ]
    );
    let route = &told["route"];
    assert_eq!(route["channel"], "mapped");
    assert_eq!(route["rule"], "inference_profile_arn_map");
    assert_eq!(route["model_id"], ARN);
    assert_eq!(route["family"], "anthropic");
    let upstream = &told["upstream"];
    assert_eq!(
        upstream["origin"],
        "https://bedrock-runtime.us-east-1.amazonaws.com"
    );
    let path = upstream["path"].as_str().unwrap();
    assert!(
        path.starts_with("/model/arn%3Aaws%3Abedrock") && path.ends_with("/invoke"),
        "{path}"
    );
    assert_eq!(upstream["canonical_uri"], path.replace('%', "%25"));
    assert_eq!(upstream["headers"]["authorization"], "[masked]");
    assert_eq!(upstream["headers"]["x-amz-security-token"], "[masked]");
    assert_eq!(upstream["body"]["temperature"], 0.5);
    assert_eq!(upstream["body"]["anthropic_version"], "bedrock-2023-05-31");
    let parameters = told["parameters"].as_array().unwrap();
    let treatment = |name: &str| {
        let own = parameters.iter().find(|own| own["name"] == name).unwrap();
        own["treatment"].as_str().unwrap()
    };
    assert_eq!(treatment("temperature"), "translated");
    assert_eq!(treatment("messages"), "translated");
}

#[tokio::test]
async fn parameters_that_nobody_knows_are_told() {
    let service = TestService::start().await;
    for (name, setting, expected) in [
        ("lenient", json!(null), "left_out"),
        ("strict", json!("refuse"), "refused"),
    ] {
        let fields = json!({"unknown_parameters": setting, "model_mapping": {name: "nova-pro"}});
        service.create(&channel_with(name, &fields)).await;
        let question = json!({"request": {
            "model": name,
            "min_p": 0.1,
            "logprobs": false,
            "extra_body": {"top_k": 5, "provider": {}},
            "messages": [{"role": "user", "content": "Hi"}],
        }});
        let told = explain(&service, &question).await.json();
        let parameters = told["parameters"].as_array().unwrap();
        for (name, expected) in [
            ("min_p", expected),
            ("extra_body.provider", expected),
            ("extra_body.top_k", "translated"),
            ("logprobs", "left_out"),
        ] {
            let own = parameters.iter().find(|own| own["name"] == name).unwrap();
            assert_eq!(own["treatment"], expected, "{own}");
        }
        assert_eq!(told["refused"].is_null(), setting.is_null(), "{told}");
    }
}

#[tokio::test]
async fn what_a_channel_does_not_let_clients_ask_for_is_told() {
    let service = TestService::start().await;
    for (name, allowed) in [("closed", "none"), ("known", "catalogue"), ("open", "any")] {
        let fields = json!({"allow_model_ids": allowed});
        service.create(&channel_with(name, &fields)).await;
    }
    let reasons = async |model: &str| {
        let told = explain(&service, &json!({"model": model})).await.json();
        let own = told["channels"].as_array().unwrap().iter();
        own.map(|own| own["reason"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let closed = "its `allow_model_ids` is `none`, and it does not map the name";
    assert_eq!(
        reasons("nova-pro").await,
        [
            closed,
            "it is the first that serves the model",
            "it serves the model too, and comes later",
        ]
    );
    assert_eq!(
        reasons("anthropic.claude-next-9-9").await,
        [
            closed,
            "its `allow_model_ids` is `catalogue`, which does not have the name",
            "it is the first that serves the model",
        ]
    );
}

#[tokio::test]
async fn one_channel_can_be_asked_even_if_it_is_disabled() {
    let service = TestService::start().await;
    let off = json!({"enabled": false, "region": "eu-west-1"});
    let id = service.create(&channel_with("off", &off)).await;
    let question = json!({"model": "claude-sonnet-4-5", "channel": id});
    let told = explain(&service, &question).await.json();
    assert_eq!(
        told["route"]["model_id"],
        "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
    );
    assert_eq!(told["route"]["rule"], "catalog");
    assert!(told["channels"][0]["serves"].as_bool().unwrap());
    let nowhere = explain(&service, &json!({"model": "claude-sonnet-4-5"}))
        .await
        .json();
    assert!(nowhere.get("route").is_none());
    assert_eq!(nowhere["refused"]["status"], 404);
}

#[tokio::test]
async fn a_request_that_the_filter_refuses_is_told_so() {
    let service = TestService::start().await;
    service.create(&common::channel("one")).await;
    let question =
        json!({"request": {"model": "claude-sonnet-4-5", "temperature": 9, "messages": []}});
    let told = explain(&service, &question).await.json();
    assert_eq!(told["refused"]["status"], 400);
    assert_eq!(told["refused"]["error"]["param"], "temperature");
    for wrong in [
        json!({}),
        json!({"model": "m", "request": {}}),
        json!({"request": []}),
        json!({"modell": "m"}),
    ] {
        explain(&service, &wrong).await.problem(400);
    }
    let question = json!({"model": "m", "channel": "none"});
    explain(&service, &question).await.problem(404);
}
