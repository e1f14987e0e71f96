//! Names of objects: each export has its own, and what several must share has one.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{documents, sealed, text};
use crate::common::{TestService, channel, channel_with};

/// The kinds and names of a manifest's objects.
async fn objects(service: &TestService, query: &str) -> BTreeSet<(String, String)> {
    let documents = documents(service, query).await.into_iter();
    let text = |own: &Value| own.as_str().unwrap().to_owned();
    let objects = documents.map(|own| (text(&own["kind"]), text(&own["metadata"]["name"])));
    objects.collect()
}

#[tokio::test]
async fn gateways_share_what_the_mesh_knows_of_an_endpoint_and_nothing_else() {
    let service = sealed(&[]).await;
    service.create(&channel("one")).await;
    let a = objects(&service, "mode=routes&name=a&gateways=gw-a").await;
    let b = objects(&service, "mode=routes&name=b&gateways=gw-b").await;
    let shared: Vec<_> = a.intersection(&b).map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(shared, ["DestinationRule", "ServiceEntry"]);
    let kinds = |objects: &BTreeSet<(String, String)>| objects.len();
    assert_eq!((kinds(&a), kinds(&b)), (4, 4));
}

#[tokio::test]
async fn endpoints_that_read_alike_have_objects_of_their_own() {
    let service = sealed(&[]).await;
    let hosts = ["a.b-c.example", "a-b.c.example", "under_score.example"];
    for (number, host) in hosts.iter().enumerate() {
        let change = json!({ "endpoint": format!("https://{host}") });
        service
            .create(&channel_with(&format!("c{number}"), &change))
            .await;
    }
    let objects = objects(&service, "mode=routes&gateways=llm").await;
    // With the filter, and three for each endpoint.
    assert_eq!(objects.len(), 10, "{objects:?}");
    for (_, name) in &objects {
        let in_label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(name.chars().all(in_label), "{name}");
    }
}

#[tokio::test]
async fn each_export_has_a_bootstrap_of_its_own() {
    let service = sealed(&[]).await;
    let live = "mode=live&xds=config-service.bedrock:18000&xds_client=envoy_grpc";
    for (query, name) in [("", "bedrock-bootstrap"), ("&name=edge", "edge-bootstrap")] {
        let query = format!("{live}{query}");
        let map = ("ConfigMap".to_owned(), name.to_owned());
        assert!(objects(&service, &query).await.contains(&map));
        let note = format!("bootstrapOverride: {name}`");
        assert!(text(&service, &query).await.contains(&note), "{note}");
    }
}
