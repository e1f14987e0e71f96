//! What Prometheus gets.

use crate::common::envoy::{CDS, ECDS, Envoy};
use crate::common::{SECRET, TOKEN, TestService, channel};
use serde_json::json;

#[tokio::test]
async fn revisions_envoys_answers_and_requests_are_counted() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    let mut envoy = Envoy::settled(&service, "e1").await;
    service.patch(&id, &json!({"region": "eu-west-1"})).await;
    let clusters = envoy.receive(CDS).await;
    envoy.ack(&clusters).await;
    let plugin = envoy.receive(ECDS).await;
    envoy.nack(&plugin, "no, thanks").await;
    let rejected = |status: &serde_json::Value| status["envoys"][0]["state"] == "rejected";
    service.wait_for("rejected", rejected).await;
    service.get("/api/channels/none").await.problem(404);

    let reply = reqwest::get(service.url("/metrics")).await.unwrap();
    let kind = reply.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = reply.text().await.unwrap();
    for line in [
        "config_service_revision 2",
        "config_service_channels 1",
        r#"config_service_envoys{state="rejected"} 1"#,
        r#"config_service_envoys{state="active"} 0"#,
        r#"config_service_xds_answers_total{resource="plugin",verdict="nack"} 1"#,
        r#"config_service_http_requests_total{route="/api/channels/{id}",method="GET",status="404"} 1"#,
        "config_service_push_duration_seconds_count 1",
        "# EOF",
    ] {
        assert!(
            text.lines().any(|own| own == line),
            "{line} is not in {text}"
        );
    }
    assert!(!text.contains(SECRET) && !text.contains(TOKEN) && !text.contains(&id));
}
