//! Endpoints and pools that channels have left: a gateway needs them until it has the new configuration.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{documents, filter, sealed, text, values};
use crate::common::{TestService, channel_with};

const MOVED: &str = "https://new.example:8443";

/// A service with a channel that has moved from `https://old.example:8443`.
async fn moved(flags: &[&str]) -> TestService {
    let service = sealed(flags).await;
    let body = channel_with("one", &json!({ "endpoint": "https://old.example:8443" }));
    let id = service.create(&body).await;
    move_to(&service, &id, MOVED).await;
    service
}

async fn move_to(service: &TestService, id: &str, endpoint: &str) {
    let credentials = &channel_with("one", &json!({}))["credentials"];
    let change = json!({ "endpoint": endpoint, "credentials": credentials });
    let reply = service.patch(id, &change).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
}

fn names<'m>(manifest: &'m Value, kind: &str) -> Vec<&'m str> {
    let values = values(manifest, kind).into_iter();
    values.map(|own| own["name"].as_str().unwrap()).collect()
}

fn domains(manifest: &Value) -> String {
    values(manifest, "VIRTUAL_HOST")[0]["domains"].to_string()
}

#[tokio::test]
async fn a_copy_keeps_the_endpoint_that_a_channel_has_left() {
    let service = moved(&[]).await;
    let manifest = filter(&service, "").await;
    let expected = [
        "bedrock|https|new.example|8443",
        "bedrock|https|old.example|8443",
    ];
    assert_eq!(names(&manifest, "CLUSTER"), expected);
    assert!(domains(&manifest).contains("old.example:8443"));
    let comment = text(&service, "").await;
    assert!(comment.contains("It keeps 1 clusters"), "{comment}");
}

#[tokio::test]
async fn a_copy_keeps_the_pools_that_nothing_fails_over_by_any_more() {
    let service = sealed(&["--failover"]).await;
    for name in ["one", "two"] {
        let endpoint = format!("https://{name}.example");
        let change = json!({ "endpoint": endpoint, "models": ["shared"] });
        service.create(&channel_with(name, &change)).await;
    }
    let before = filter(&service, "").await;
    let channels = service.get("/api/channels").await.json();
    let id = channels["channels"][0]["id"].as_str().unwrap().to_owned();
    let reply = service.patch(&id, &json!({ "enabled": false })).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let after = filter(&service, "").await;
    let mut kept = names(&after, "CLUSTER");
    kept.sort_unstable();
    let mut known = names(&before, "CLUSTER");
    known.sort_unstable();
    assert_eq!(kept, known);
}

#[tokio::test]
async fn routes_keep_only_what_they_can_have_beside_the_others() {
    let service = moved(&[]).await;
    let routes = "mode=routes&gateways=bedrock";
    assert!(text(&service, routes).await.contains("- old.example\n"));
    let id = service.get("/api/channels").await.json()["channels"][0]["id"].clone();
    let id = id.as_str().unwrap();
    for endpoint in ["https://[::1]:8443", "https://new.example:9443", MOVED] {
        move_to(&service, id, endpoint).await;
    }
    let manifest = text(&service, routes).await;
    assert!(!manifest.contains("::1"), "{manifest}");
    assert!(!manifest.contains("9443"), "{manifest}");
}

#[tokio::test]
async fn what_does_not_fit_into_one_document_is_kept_in_another() {
    let service = moved(&[]).await;
    let id = service.get("/api/channels").await.json()["channels"][0]["id"].clone();
    let id = id.as_str().unwrap();
    for number in 0..400 {
        move_to(&service, id, &format!("https://moved-{number}.example")).await;
    }
    assert!(text(&service, "").await.contains("It keeps 401 clusters"));
    let arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile";
    let entry = |number| {
        (
            format!("model-{number}"),
            json!(format!("{arn}/profile{number}")),
        )
    };
    let map: Value = (0..10_000)
        .map(entry)
        .collect::<serde_json::Map<_, _>>()
        .into();
    let reply = service
        .patch(id, &json!({ "inference_profile_arn_map": map }))
        .await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let manifest = text(&service, "").await;
    assert!(manifest.contains("It keeps 401 clusters"));
    assert!(manifest.contains("It has 2 EnvoyFilters") && manifest.contains("`bedrock.3`"));
    let documents = documents(&service, "").await;
    let name = |own: &Value| own["metadata"]["name"].clone();
    assert_eq!(
        documents.iter().map(name).collect::<Vec<_>>(),
        ["bedrock.2", "bedrock"]
    );
    let clusters = documents.iter().map(|own| names(own, "CLUSTER").len());
    assert_eq!(clusters.sum::<usize>(), 402);
    for document in &documents {
        assert!(document.to_string().len() < 1_572_864);
    }
    assert_eq!(names(&documents[1], "EXTENSION_CONFIG"), ["bedrock"]);
}
