//! A revision on its way to many Envoys at once.

use std::sync::Arc;
use std::time::Instant;

use crate::common::envoy::{ECDS, Envoy, revision};
use crate::common::{ARN, TestService, channel};
use serde_json::json;

/// Envoys that are connected.
const MANY: usize = 200;

#[allow(
    clippy::print_stderr,
    reason = "prints the measured time for whoever runs the test"
)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_envoys_get_an_edit() {
    let service = Arc::new(TestService::start().await);
    let id = service.create(&channel("one")).await;
    let mut envoys = Vec::new();
    for number in 0..MANY {
        envoys.push(Envoy::settled(&service, &format!("e{number}")).await);
    }
    let edit = json!({"inference_profile_arn_map": {"claude-3-haiku": ARN}});
    let start = Instant::now();
    let receivers = envoys.into_iter().map(|mut envoy| {
        tokio::spawn(async move {
            let plugin = envoy.receive(ECDS).await;
            assert_eq!(revision(&plugin), "2");
            let arrived = Instant::now();
            envoy.ack(&plugin).await;
            (envoy, arrived)
        })
    });
    let receivers: Vec<_> = receivers.collect();
    service.patch(&id, &edit).await;
    let mut last = start;
    let mut kept = Vec::new();
    for receiver in receivers {
        let (envoy, arrived) = receiver.await.unwrap();
        last = last.max(arrived);
        kept.push(envoy);
    }
    let summary = format!("revision 2 is active on {MANY} of {MANY} Envoys");
    service
        .wait_for("active", |status| status["summary"] == summary.as_str())
        .await;
    eprintln!(
        "the edit had reached all {MANY} Envoys after {:?}",
        last - start
    );
}
