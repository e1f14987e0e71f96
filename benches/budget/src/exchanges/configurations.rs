//! Plugin configurations.

use load::variant::Variant;
use serde_json::{Map, Value, json};

/// Channels of the configuration with failover, in the order in which they are tried.
pub(super) const RELAYING: [&str; 2] = ["first", "second"];

/// Names and ARNs that each of many channels has.
const ENTRIES: usize = 40;

/// Models that those ARNs are of.
const MODELS: [&str; 4] = [
    "us.anthropic.claude-sonnet-4-20250514-v1:0",
    "us.amazon.nova-pro-v1:0",
    "us.meta.llama3-3-70b-instruct-v1:0",
    "us.anthropic.claude-3-5-haiku-20241022-v1:0",
];

/// The load bench's channel for a variant.
pub(super) fn of_bench(variant: Variant) -> Vec<u8> {
    let endpoint = "https://bedrock-runtime.us-east-1.amazonaws.com";
    let channels: Vec<Value> = variant.channel(endpoint).into_iter().collect();
    plugin(&channels, &json!({}))
}

/// Two channels that back each other up.
pub(super) fn of_failover() -> Vec<u8> {
    let own = Variant::TwoStage.channel("https://bedrock-runtime.us-east-1.amazonaws.com");
    let channels = RELAYING.iter().zip(0_u32..).map(|(name, priority)| {
        let mut channel = own.clone().unwrap_or_default();
        if let Some(fields) = channel.as_object_mut() {
            fields.insert("name".to_owned(), json!(name));
            fields.insert("priority".to_owned(), json!(priority));
        }
        channel
    });
    let channels: Vec<Value> = channels.collect();
    plugin(&channels, &json!({"failover": {}}))
}

/// So many channels with 40 names each, of their own.
pub(super) fn of_channels(count: usize) -> Vec<u8> {
    let channels: Vec<Value> = (0..count).map(channel).collect();
    plugin(&channels, &json!({}))
}

/// A name that a channel of [`of_channels`] serves.
pub(super) fn model(channel: usize, entry: usize) -> String {
    format!("team-{channel:04}-model-{entry:02}")
}

/// How many names [`of_channels`] has.
pub(super) fn models(channels: usize) -> usize {
    channels * ENTRIES
}

fn channel(number: usize) -> Value {
    let entries = (0..ENTRIES).zip(MODELS.iter().cycle()).map(|(entry, id)| {
        let account = 100_000_000_000 + number;
        let arn = format!("arn:aws:bedrock:us-east-1:{account}:inference-profile/{id}");
        (model(number, entry), json!(arn))
    });
    json!({
        "name": format!("team-{number:04}"),
        "region": "us-east-1",
        "credentials": {
            "type": "static",
            "access_key_id": format!("AKIAEXAMPLE{number:09}"),
            "secret_access_key": format!("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLE{number:04}"),
        },
        "inference_profile_arn_map": entries.collect::<Map<_, _>>(),
        "models": (0..ENTRIES).map(|entry| model(number, entry)).collect::<Vec<_>>(),
    })
}

fn plugin(channels: &[Value], more: &Value) -> Vec<u8> {
    let mut plugin = json!({"schema": 1, "revision": 1, "channels": channels});
    if let (Some(plugin), Some(more)) = (plugin.as_object_mut(), more.as_object()) {
        plugin.extend(more.clone());
    }
    plugin.to_string().into_bytes()
}
