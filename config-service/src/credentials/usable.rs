//! Whether the filter takes credentials.

use bedrock_filter::config::{Channel, Credentials, PluginConfig};
use bedrock_filter::routes::Routes;

/// Whether the filter takes these credentials.
pub(crate) fn is_usable(credentials: &Credentials) -> bool {
    let channel = serde_json::json!({
        "name": "any",
        "region": "us-east-1",
        "credentials": credentials,
    });
    serde_json::from_value(channel).is_ok_and(|channel: Channel| {
        let channels = vec![channel];
        Routes::compile(PluginConfig {
            channels,
            ..PluginConfig::default()
        })
        .is_ok()
    })
}
