//! Envoys whose config-service was started anew.

use super::*;

#[tokio::test]
async fn an_envoy_finds_the_same_after_a_restart() {
    let service = TestService::start().await;
    let id = service.create(&common::channel("one")).await;
    service.patch(&id, &json!({"region": "eu-west-1"})).await;
    let dir = Arc::clone(&service.dir);
    service.shutdown().await;
    let service = TestService::start_in(dir, &[]).await;
    let mut envoy = Envoy::connect(&service, "e1", Service::Aggregated).await;
    envoy.subscribe(CDS, "2").await;
    envoy.subscribe(ECDS, "2").await;
    let clusters = envoy.receive(CDS).await;
    assert_eq!(
        (revision(&clusters), cluster_names(&clusters)),
        ("2", vec![EU.to_owned(), US.to_owned()]),
        "requests may still be in progress on its recent clusters"
    );
    envoy.ack(&clusters).await;
    assert_eq!(revision(&envoy.receive(ECDS).await), "2");
}

/// A service that has lost its database, and the revision that it had before.
async fn without_its_database() -> (TestService, &'static str) {
    let service = TestService::start().await;
    service.create(&common::channel("one")).await;
    service.create(&common::channel("two")).await;
    let dir = Arc::clone(&service.dir);
    service.shutdown().await;
    std::fs::remove_file(dir.path().join("test.db")).unwrap();
    (TestService::start_in(dir, &[]).await, "2")
}

#[tokio::test]
async fn an_envoy_keeps_its_channels_when_the_service_starts_without_any() {
    let (service, version) = without_its_database().await;
    let mut envoy = Envoy::connect(&service, "e1", Service::Aggregated).await;
    envoy.subscribe(CDS, version).await;
    envoy.subscribe(ECDS, version).await;
    let mut alone = Envoy::connect(&service, "e2", Service::Extensions).await;
    alone.subscribe(ECDS, version).await;
    let held = |status: &serde_json::Value| {
        status["envoys"][0]["state"] == "held" && status["envoys"][1]["state"] == "held"
    };
    let status = service.wait_for("held", held).await;
    assert_eq!(status["envoys"][0]["active_revision"], 2);
    let summary = status["summary"].as_str().unwrap();
    assert!(summary.contains("2 of them keep"), "{summary}");
    let metrics = service.get("/metrics").await.text;
    assert!(metrics.contains(r#"config_service_envoys{state="held"} 2"#));
    // One without a configuration has nothing to lose.
    let fresh = Envoy::settled(&service, "e3").await;
    service
        .wait_for("active", |status| status["envoys"][2]["state"] == "active")
        .await;
    drop(fresh);
    // An edit is intentional, so it is the first that they are sent.
    service.create(&common::channel("three")).await;
    let clusters = envoy.receive(CDS).await;
    assert_eq!(
        (revision(&clusters), cluster_names(&clusters)),
        ("1", vec![US.to_owned()])
    );
    envoy.ack(&clusters).await;
    for envoy in [&mut envoy, &mut alone] {
        let plugin = envoy.receive(ECDS).await;
        assert_eq!(plugin_json(&plugin)["channels"][0]["name"], "three");
    }
}

#[tokio::test]
async fn deleted_channels_are_also_removed_after_a_restart() {
    let service = TestService::start().await;
    let id = service.create(&common::channel("one")).await;
    service
        .send(Method::DELETE, &format!("/api/channels/{id}"), "")
        .await;
    let service = service.restart().await;
    let mut envoy = Envoy::connect(&service, "e1", Service::Extensions).await;
    envoy.subscribe(ECDS, "1").await;
    let plugin = envoy.receive(ECDS).await;
    assert_eq!(revision(&plugin), "2");
    assert_eq!(plugin_json(&plugin)["channels"], json!([]));
}
