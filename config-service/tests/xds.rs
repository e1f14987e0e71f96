//! xDS over real gRPC: order, acknowledgements, refusals, reconnection, several Envoys.

mod restarts;

use std::sync::Arc;

use crate::common::envoy::{
    CDS, ECDS, Envoy, Service, channel, cluster_names, plugin_json, revision,
};
use crate::common::{self, ARN, SECRET, TestService};
use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use envoy_types::pb::envoy::service::discovery::v3::{DeltaDiscoveryRequest, DiscoveryRequest};
use reqwest::Method;
use serde_json::json;
use tonic::Code;

const US: &str = "bedrock|https|bedrock-runtime.us-east-1.amazonaws.com|443";
const EU: &str = "bedrock|https|bedrock-runtime.eu-west-1.amazonaws.com|443";

#[tokio::test]
async fn an_edit_reaches_the_envoy_clusters_first() {
    let service = TestService::start().await;
    let id = service.create(&common::channel("one")).await;
    let mut envoy = Envoy::connect(&service, "e1", Service::Aggregated).await;
    envoy.subscribe(CDS, "").await;
    envoy.subscribe(ECDS, "").await;
    let clusters = envoy.receive(CDS).await;
    assert_eq!(cluster_names(&clusters), [US]);
    assert_eq!(revision(&clusters), "1");
    envoy.ack(&clusters).await;
    let plugin = envoy.receive(ECDS).await;
    assert_eq!(revision(&plugin), "1");
    assert_eq!(plugin_json(&plugin)["revision"], 1);
    envoy.ack(&plugin).await;

    service.patch(&id, &json!({"region": "eu-west-1"})).await;
    let clusters = envoy.receive(CDS).await;
    assert_eq!(cluster_names(&clusters), [EU, US]);
    envoy.ack(&clusters).await;
    let plugin = envoy.receive(ECDS).await;
    assert_eq!(plugin_json(&plugin)["channels"][0]["region"], "eu-west-1");
    envoy.ack(&plugin).await;
    let clusters = envoy.receive(CDS).await;
    assert_eq!(cluster_names(&clusters), [EU]);
    assert_eq!(revision(&clusters), "2");
    envoy.ack(&clusters).await;
    let active =
        |status: &serde_json::Value| status["envoys"][0]["clusters"]["active_revision"] == 2;
    service.wait_for("active", active).await;
}

#[allow(
    clippy::print_stderr,
    reason = "prints the measured time for whoever runs the test"
)]
#[tokio::test]
async fn an_edit_of_the_arn_map_sends_only_the_plugin_configuration() {
    let service = TestService::start().await;
    let id = service.create(&common::channel("one")).await;
    let mut envoy = Envoy::settled(&service, "e1").await;
    let start = std::time::Instant::now();
    service
        .patch(
            &id,
            &json!({"inference_profile_arn_map": {"claude-3-haiku": ARN}}),
        )
        .await;
    let plugin = envoy.receive(ECDS).await;
    // A few milliseconds; the limit is for busy machines.
    let elapsed = start.elapsed();
    eprintln!("the edit took {elapsed:?} to arrive");
    assert!(elapsed.as_secs() < 10, "{elapsed:?}");
    let map = &plugin_json(&plugin)["channels"][0]["inference_profile_arn_map"];
    assert_eq!(*map, json!({"claude-3-haiku": ARN}));
}

#[tokio::test]
async fn clusters_follow_enabled_channels_and_are_distinct() {
    let service = TestService::start().await;
    service.create(&common::channel("one")).await;
    service.create(&common::channel("two")).await;
    let eu = json!({"region": "eu-west-1", "enabled": false});
    let id = service.create(&common::channel_with("three", &eu)).await;
    let mut envoy = Envoy::settled(&service, "e1").await;
    service.patch(&id, &json!({"enabled": true})).await;
    let clusters = envoy.receive(CDS).await;
    assert_eq!(cluster_names(&clusters), [EU, US]);
    envoy.ack(&clusters).await;
    let plugin = envoy.receive(ECDS).await;
    envoy.ack(&plugin).await;
    service
        .send(Method::DELETE, &format!("/api/channels/{id}"), "")
        .await;
    let plugin = envoy.receive(ECDS).await;
    envoy.ack(&plugin).await;
    assert_eq!(cluster_names(&envoy.receive(CDS).await), [US]);
}

#[tokio::test]
async fn the_status_shows_what_each_envoy_runs() {
    let service = TestService::start().await;
    let id = service.create(&common::channel("one")).await;
    let mut first = Envoy::settled(&service, "first").await;
    let mut second = Envoy::settled(&service, "second").await;
    let summary = |text: &'static str| move |status: &serde_json::Value| status["summary"] == text;
    let both = summary("revision 1 is active on 2 of 2 Envoys");
    let status = service.wait_for("active on both", both).await;
    let entry = &status["envoys"][0];
    assert_eq!(entry["node_id"], "first");
    assert_eq!(entry["cluster"], "test-mesh");
    assert_eq!(entry["state"], "active");
    assert_eq!(entry["active_revision"], 1);
    assert_eq!(entry["streams"], 1);
    let peer = entry["peers"][0].as_str().unwrap();
    assert!(peer.starts_with("127.0.0.1:"), "{entry}");
    assert!(
        entry["connected_at"].as_str().unwrap().ends_with('Z'),
        "{entry}"
    );

    service
        .patch(&id, &json!({"models": ["claude-3-haiku"]}))
        .await;
    let response = first.receive(ECDS).await;
    first.ack(&response).await;
    let response = second.receive(ECDS).await;
    let pending = summary("revision 2 is active on 1 of 2 Envoys");
    let status = service.wait_for("active on the first", pending).await;
    assert_eq!(status["envoys"][1]["state"], "pending");
    second
        .nack(&response, "Unable to create Wasm plugin bedrock")
        .await;
    let rejected = |status: &serde_json::Value| status["envoys"][1]["state"] == "rejected";
    let status = service.wait_for("rejected by the second", rejected).await;
    let entry = &status["envoys"][1];
    assert_eq!(entry["active_revision"], 1);
    let reason = json!({"revision": 2, "reason": "Unable to create Wasm plugin bedrock"});
    assert_eq!(entry["rejected"], reason);

    service.patch(&id, &json!({"models": ""})).await;
    let response = second.receive(ECDS).await;
    assert_eq!(revision(&response), "3");
    second.ack(&response).await;
    let response = first.receive(ECDS).await;
    first.ack(&response).await;
    let both = summary("revision 3 is active on 2 of 2 Envoys");
    let status = service.wait_for("active on both again", both).await;
    assert_eq!(status["envoys"][1]["rejected"], json!(null));

    drop(first);
    let gone = summary("revision 3 is active on 1 of 1 Envoys");
    service.wait_for("gone", gone).await;
}

#[tokio::test]
async fn refused_clusters_are_shown_and_the_plugin_configuration_waits() {
    let service = TestService::start().await;
    let id = service.create(&common::channel("one")).await;
    let mut envoy = Envoy::settled(&service, "e1").await;
    service.patch(&id, &json!({"region": "eu-west-1"})).await;
    let clusters = envoy.receive(CDS).await;
    envoy.nack(&clusters, "no such CA file").await;
    let rejected = |status: &serde_json::Value| status["envoys"][0]["state"] == "rejected";
    let status = service.wait_for("rejected", rejected).await;
    let entry = &status["envoys"][0];
    let reason = json!({"revision": 2, "reason": "no such CA file"});
    assert_eq!(entry["clusters"]["rejected"], reason);
    assert_eq!(entry["rejected"], reason);
    assert_eq!(entry["active_revision"], 1);
    // Back to a working state: the complete clusters come first.
    service.patch(&id, &json!({"region": "us-east-1"})).await;
    let mut clusters = envoy.receive(CDS).await;
    while revision(&clusters) == "2" {
        // Meanwhile, what was refused is sent again.
        envoy.nack(&clusters, "no such CA file").await;
        clusters = envoy.receive(CDS).await;
    }
    assert_eq!(cluster_names(&clusters), [US]);
    envoy.ack(&clusters).await;
    assert_eq!(revision(&envoy.receive(ECDS).await), "3");
}

#[tokio::test]
async fn a_reason_that_quotes_the_configuration_is_scrubbed() {
    let service = TestService::start().await;
    let id = service.create(&common::channel("one")).await;
    let mut envoy = Envoy::settled(&service, "e1").await;
    service
        .patch(&id, &json!({"models": ["claude-3-haiku"]}))
        .await;
    let response = envoy.receive(ECDS).await;
    envoy
        .nack(
            &response,
            &format!("constraint failed: {{\"secret_access_key\":\"{SECRET}\"}}"),
        )
        .await;
    let rejected = |status: &serde_json::Value| status["envoys"][0]["state"] == "rejected";
    let status = service.wait_for("rejected", rejected).await;
    let reason = status["envoys"][0]["rejected"]["reason"].as_str().unwrap();
    assert_eq!(
        reason,
        "constraint failed: {\"secret_access_key\":\"[redacted]\"}"
    );
}

#[tokio::test]
async fn an_envoy_that_reconnects_gets_what_it_missed() {
    let service = TestService::start().await;
    let id = service.create(&common::channel("one")).await;
    drop(Envoy::settled(&service, "e1").await);
    service.patch(&id, &json!({"region": "eu-west-1"})).await;
    let mut envoy = Envoy::connect(&service, "e1", Service::Aggregated).await;
    envoy.subscribe(CDS, "1").await;
    let clusters = envoy.receive(CDS).await;
    assert_eq!(
        cluster_names(&clusters),
        [EU, US],
        "it still runs revision 1"
    );
    envoy.subscribe(ECDS, "1").await;
    envoy.ack(&clusters).await;
    let plugin = envoy.receive(ECDS).await;
    assert_eq!(revision(&plugin), "2");
    envoy.ack(&plugin).await;
    assert_eq!(cluster_names(&envoy.receive(CDS).await), [EU]);
}

#[tokio::test]
async fn the_plugin_configuration_has_its_own_service() {
    let service = TestService::start().await;
    let mut envoy = Envoy::connect(&service, "e1", Service::Extensions).await;
    envoy
        .send(DiscoveryRequest {
            type_url: ECDS.to_owned(),
            resource_names: vec!["someone-elses".to_owned()],
            ..DiscoveryRequest::default()
        })
        .await;
    envoy.subscribe(ECDS, "").await;
    let plugin = envoy.receive(ECDS).await;
    assert_eq!(plugin_json(&plugin)["channels"], json!([]));
    envoy.ack(&plugin).await;
    service.create(&common::channel("one")).await;
    let plugin = envoy.receive(ECDS).await;
    assert_eq!(revision(&plugin), "1");
    envoy.ack(&plugin).await;
    let active = |status: &serde_json::Value| status["envoys"][0]["state"] == "active";
    let status = service.wait_for("active", active).await;
    assert_eq!(status["envoys"][0]["clusters"], json!(null));
}

#[tokio::test]
async fn clusters_have_their_own_service() {
    let service = TestService::start().await;
    service.create(&common::channel("one")).await;
    let mut envoy = Envoy::connect(&service, "e1", Service::Clusters).await;
    envoy.subscribe("", "").await;
    let clusters = envoy.receive(CDS).await;
    assert_eq!(cluster_names(&clusters), [US]);
    envoy.ack(&clusters).await;
    let active = |status: &serde_json::Value| status["envoys"][0]["state"] == "active";
    service.wait_for("active", active).await;
}

#[tokio::test]
async fn an_envoy_with_a_stream_for_each_type_counts_once() {
    let service = TestService::start().await;
    service.create(&common::channel("one")).await;
    let mut clusters = Envoy::connect(&service, "e1", Service::Clusters).await;
    clusters.subscribe(CDS, "").await;
    let response = clusters.receive(CDS).await;
    clusters.ack(&response).await;
    let mut plugin = Envoy::connect(&service, "e1", Service::Extensions).await;
    plugin.subscribe(ECDS, "").await;
    let response = plugin.receive(ECDS).await;
    plugin.ack(&response).await;
    let other = Envoy::settled(&service, "e2").await;
    let active = |status: &serde_json::Value| {
        status["summary"] == "revision 1 is active on 2 of 2 Envoys"
            && status["envoys"][0]["clusters"]["active_revision"] == 1
    };
    let status = service.wait_for("active", active).await;
    let streams: Vec<_> = status["envoys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|envoy| (envoy["node_id"].as_str().unwrap(), &envoy["streams"]))
        .collect();
    assert_eq!(streams, [("e1", &json!(2)), ("e2", &json!(1))]);
    drop((clusters, plugin, other));
    let gone = |status: &serde_json::Value| status["envoys"] == json!([]);
    service.wait_for("gone", gone).await;
}

#[tokio::test]
async fn types_that_are_not_served_are_ignored() {
    let service = TestService::start().await;
    let mut envoy = Envoy::connect(&service, "e1", Service::Aggregated).await;
    envoy
        .subscribe("type.googleapis.com/envoy.config.listener.v3.Listener", "")
        .await;
    envoy.subscribe(CDS, "").await;
    assert_eq!(cluster_names(&envoy.receive(CDS).await), [""; 0]);
}

#[tokio::test]
async fn delta_streams_are_refused_clearly() {
    let service = TestService::start().await;
    let mut client = AggregatedDiscoveryServiceClient::new(channel(&service).await);
    let requests = tokio_stream::iter([DeltaDiscoveryRequest::default()]);
    let status = client
        .delta_aggregated_resources(requests)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(status.message().contains("state of the world"), "{status}");
}

#[tokio::test]
async fn stopping_ends_open_streams() {
    let service = TestService::start().await;
    let envoy = Envoy::settled(&service, "e1").await;
    let stopped = tokio::spawn(service.shutdown());
    let status = envoy.end().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    tokio::time::timeout(common::DEADLINE, stopped)
        .await
        .unwrap()
        .unwrap();
}
