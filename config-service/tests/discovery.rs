//! What accounts have: asked of a simulator that checks each request, kept, and brought to effect.

mod refusals;

use std::time::Duration;

use bedrock_simulator::{Builder, Fault, Key, Operation, Simulator, When};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::apply;
use crate::common::envoy::{ECDS, Envoy, Service, plugin_json};
use crate::common::{ARN, DEADLINE, Reply, TestService};

const SECRET: &str = "secret-of-the-test";
const SONNET: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";
const LOST: &str =
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/zzz999zzz999";

fn account() -> Builder {
    Simulator::builder()
        .credentials(Key::new("AKIDTEST", SECRET))
        .region("us-east-1")
        .inference_profile(ARN, SONNET)
}

fn channel(bedrock: &Simulator, fields: &Value) -> Value {
    let mut channel = json!({
        "name": "one",
        "region": "us-east-1",
        "endpoint": bedrock.url(),
        "credentials": {"type": "static", "access_key_id": "AKIDTEST", "secret_access_key": SECRET},
    });
    for (key, value) in fields.as_object().unwrap() {
        channel[key] = value.clone();
    }
    channel
}

fn address(id: &str) -> String {
    format!("/api/channels/{id}/discovery")
}

async fn ask(service: &TestService, id: &str) -> Reply {
    service.send(Method::POST, &address(id), "").await
}

async fn told(service: &TestService, id: &str) -> Value {
    let reply = ask(service, id).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    reply.json()
}

fn only(operation: Operation) -> When {
    When {
        operation: Some(operation),
        ..When::default()
    }
}

fn codes(list: &Value) -> Vec<String> {
    let all = list.as_array().unwrap().iter();
    all.map(|own| {
        format!(
            "{} {}",
            own["pointer"].as_str().unwrap(),
            own["code"].as_str().unwrap()
        )
    })
    .collect()
}

fn problems(report: &Value) -> Vec<String> {
    let all = report["discovery"]["problems"].as_array().unwrap().iter();
    all.map(|own| {
        format!(
            "{} {}",
            own["operation"].as_str().unwrap(),
            own["code"].as_str().unwrap()
        )
    })
    .collect()
}

#[tokio::test]
async fn an_account_is_asked_when_somebody_wants_it_and_what_it_told_is_kept() {
    let service = TestService::start().await;
    let bedrock = account().page_size(50).start().await.unwrap();
    let map = json!({"house": ARN, "lost": LOST});
    let fields = json!({"enabled": false, "inference_profile_arn_map": map, "model_families": {"lost": "nova"}});
    let id = service.create(&channel(&bedrock, &fields)).await;
    let before = service.get(&address(&id)).await.json();
    assert_eq!(before["discovery"], Value::Null);
    assert_eq!(bedrock.requests(), []);
    let view = service.get(&format!("/api/channels/{id}")).await.json();
    assert_eq!(
        codes(&view["warnings"]),
        ["/inference_profile_arn_map/house unknown_family"]
    );

    let report = told(&service, &id).await;
    assert_eq!(problems(&report), [] as [String; 0], "{report:#}");
    let found = &report["discovery"];
    assert_eq!(found["missing"], json!([LOST]));
    let own = &found["application_profiles"]["found"][0];
    assert_eq!(
        (&own["arn"], &own["models"]),
        (&json!(ARN), &json!([SONNET]))
    );
    assert!(
        found["system_profiles"]["found"].as_array().unwrap().len() > 50,
        "several pages"
    );
    assert!(found["models"]["found"].as_array().unwrap().len() > 100);
    assert_eq!(
        codes(&report["warnings"]),
        ["/inference_profile_arn_map/lost not_in_account"]
    );
    assert_eq!(report["offers"], json!([]));

    let view = service.get(&format!("/api/channels/{id}")).await.json();
    assert_eq!(view["warnings"], report["warnings"]);
    let service = service.restart().await;
    assert_eq!(service.get(&address(&id)).await.json(), report);
}

#[tokio::test]
async fn profiles_are_offered_until_they_are_mapped() {
    let service = TestService::start().await;
    let bedrock = account().start().await.unwrap();
    let id = service.create(&channel(&bedrock, &json!({}))).await;
    let report = told(&service, &id).await;
    let offer = &report["offers"][0];
    assert_eq!(
        (&offer["name"], &offer["arn"]),
        (&json!("claude-sonnet-4-5"), &json!(ARN))
    );
    let map = json!({"inference_profile_arn_map": {"claude-sonnet-4-5": ARN}});
    service.patch(&id, &map).await;
    assert_eq!(service.get(&address(&id)).await.json()["offers"], json!([]));
}

#[tokio::test]
async fn a_viewer_may_look_and_not_ask() {
    let service = TestService::start().await;
    let bedrock = account().start().await.unwrap();
    let id = service.create(&channel(&bedrock, &json!({}))).await;
    let token = service
        .send(
            Method::POST,
            "/api/tokens",
            json!({"name": "eve", "role": "viewer"}).to_string(),
        )
        .await
        .json();
    let http = reqwest::Client::new();
    let url = service.url(&address(&id));
    let asked = http
        .post(&url)
        .bearer_auth(token["token"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(asked.status(), StatusCode::FORBIDDEN);
    let looked = http
        .get(&url)
        .bearer_auth(token["token"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(looked.status(), StatusCode::OK);
    assert_eq!(bedrock.requests(), []);
}

/// The only channel of what Envoys get next.
async fn published(envoy: &mut Envoy, revision: u64) -> Value {
    let response = envoy.receive(ECDS).await;
    envoy.ack(&response).await;
    let config = plugin_json(&response);
    assert_eq!(config["revision"], revision);
    config["channels"][0].clone()
}

#[tokio::test]
async fn what_the_account_has_becomes_the_names_of_a_channel_that_falls_back() {
    let service = TestService::start().await;
    let bedrock = account()
        .without_model("amazon.nova-pro-v1:0")
        .start()
        .await
        .unwrap();
    let fields = json!({
        "models_mode": "fallback",
        "enabled": false,
        "discovery_hours": 720,
        "models": ["nova-pro"],
        "inference_profile_arn_map": {"house": ARN},
    });
    let id = service.create(&channel(&bedrock, &fields)).await;
    let mut envoy = Envoy::connect(&service, "e", Service::Extensions).await;
    envoy.subscribe(ECDS, "").await;
    let first = published(&mut envoy, 1).await;
    assert_eq!(first["models"], json!(["nova-pro"]), "nobody was asked yet");
    for field in ["models_mode", "discovery_hours"] {
        assert_eq!(first.get(field), None, "older filters do not know {field}");
    }

    told(&service, &id).await;
    let second = published(&mut envoy, 2).await;
    let names: Vec<_> = second["models"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| own.as_str().unwrap())
        .collect();
    for name in [
        "house",
        "claude-sonnet-4-5",
        SONNET,
        &format!("us.{SONNET}"),
        "nova-lite",
    ] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    assert!(!names.contains(&"nova-pro"), "the account does not have it");
    assert_eq!(second["model_families"][ARN], "anthropic");
    assert_eq!(second["model_mapping"]["house"], SONNET);
    // What is written is not changed by it.
    let view = service.get(&format!("/api/channels/{id}")).await.json();
    assert_eq!(
        (&view["models"], &view["model_mapping"]),
        (&json!(["nova-pro"]), &json!({}))
    );
    let question = json!({"model": "nova-pro", "channel": id}).to_string();
    let explained = service.send(Method::POST, "/api/explain", question).await;
    assert_eq!(
        explained.json()["channels"][0]["reason"],
        "its account does not have the name, and it does not map it"
    );
    // The same answer is no revision.
    told(&service, &id).await;
    assert_eq!(service.status().await["revision"], 2);
    // Another region's models are no use.
    service.patch(&id, &json!({"region": "eu-west-1"})).await;
    let third = published(&mut envoy, 3).await;
    assert_eq!(third["models"], json!(["nova-pro"]));
    assert_eq!(service.get(&address(&id)).await.json()["is_outdated"], true);
}

#[tokio::test]
async fn an_account_is_asked_by_itself_where_the_channel_wants_that() {
    let service = TestService::start().await;
    let bedrock = account().start().await.unwrap();
    let id = service
        .create(&channel(&bedrock, &json!({"discovery_hours": 24})))
        .await;
    let service = service.restart().await;
    let deadline = tokio::time::Instant::now() + DEADLINE;
    while service.get(&address(&id)).await.json()["discovery"].is_null() {
        assert!(tokio::time::Instant::now() < deadline, "never asked");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let asked = bedrock.requests().len();
    let service = service.restart().await;
    service.get(&address(&id)).await;
    assert_eq!(bedrock.requests().len(), asked, "not again before its time");
}

#[tokio::test]
async fn an_allow_list_without_names_is_refused() {
    let service = TestService::start().await;
    let bedrock = account().start().await.unwrap();
    let reply = service
        .post(&channel(&bedrock, &json!({"models_mode": "allowlist"})))
        .await;
    assert_eq!(reply.problem(422), ["/models models_required"]);
    let id = service
        .create(&channel(
            &bedrock,
            &json!({"models_mode": "allowlist", "models": ["nova-pro"]}),
        ))
        .await;
    let reply = service.patch(&id, &json!({"discovery_hours": 1000})).await;
    assert_eq!(reply.problem(422), ["/discovery_hours out_of_range"]);
    assert_eq!(bedrock.requests(), [], "AWS is not asked");
}

#[tokio::test]
async fn the_command_line_asks_too() {
    let service = TestService::start().await;
    let bedrock = account().start().await.unwrap();
    service.create(&channel(&bedrock, &json!({}))).await;
    let (done, asked, error) = apply::run(&service, &["discover", "one"]).await;
    assert!(done, "{error}");
    let report: Value = serde_saphyr::from_str(&asked).unwrap();
    assert_eq!(report["offers"][0]["arn"], ARN);
    let requests = bedrock.requests().len();
    let (_, last, _) = apply::run(&service, &["discover", "one", "--last"]).await;
    assert_eq!(last, asked);
    assert_eq!(bedrock.requests().len(), requests);
    let throttled = Fault::throttling().only(only(Operation::ListFoundationModels));
    bedrock.inject(throttled.times(3));
    let (done, said, error) = apply::run(&service, &["discover", "one"]).await;
    assert!(!done && said.contains("ThrottlingException"), "{said}");
    assert!(error.contains("`problems` says why"), "{error}");
    let (done, _, error) = apply::run(&service, &["discover", "two"]).await;
    assert!(!done && error.contains("no channel `two`"), "{error}");
}
