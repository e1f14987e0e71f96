//! Configurations for tests.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "for tests alone"
)]

use serde_json::{Value, json};

use super::Routes;
use crate::config::{Failover, PluginConfig};

/// Channels with these fields, completed by whatever else they need.
pub(crate) fn routes(channels: &[Value], failover: Option<Failover>) -> Routes {
    let channels: Vec<_> = channels
        .iter()
        .enumerate()
        .map(|(index, patch)| {
            let mut channel = json!({
                "name": format!("c{index}"),
                "region": "us-east-1",
                "credentials": {
                    "type": "static",
                    "access_key_id": "AKIDEXAMPLE",
                    "secret_access_key": "secret"
                }
            });
            for (key, value) in patch.as_object().unwrap() {
                channel[key] = value.clone();
            }
            channel
        })
        .collect();
    let config = json!({ "channels": channels }).to_string();
    let mut config = PluginConfig::from_json(config.as_bytes()).unwrap();
    if let Some(failover) = failover {
        let limits = &mut config.limits;
        limits.max_request_bytes = limits.max_request_bytes.min(failover.max_held_bytes / 2);
    }
    config.failover = failover;
    Routes::compile(config).unwrap()
}
