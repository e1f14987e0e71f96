//! Manifests on gateways and sidecars with a real `istiod` and a real agent.

mod edits;
mod failover;
mod serves;
mod starts;
mod upgrades;

use bedrock_simulator::Simulator;
use serde_json::{Value, json};

/// A chat request for a channel's model.
fn ask(channel: &Value, text: &str) -> Value {
    json!({
        "model": channel["models"][0],
        "messages": [{"role": "user", "content": text}],
    })
}

/// Checks that Bedrock got nothing that it would refuse.
#[track_caller]
fn check_valid(bedrock: &Simulator) {
    let requests = bedrock.requests();
    assert!(!requests.is_empty());
    assert!(requests.iter().all(|own| own.was_valid()), "{requests:?}");
}
