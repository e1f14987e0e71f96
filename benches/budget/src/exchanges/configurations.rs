//! Plugin configurations.

use load::canned;
use load::variant::Variant;
use serde_json::{Map, Value, json};

/// The channels in the configuration with failover, in the order in which they are tried.
pub(super) const FAILING_OVER: [&str; 2] = ["first", "second"];

/// Names and ARNs that each of many channels has.
const ENTRIES: usize = 40;

/// The models that those ARNs belong to.
const MODELS: [&str; 4] = [
    "us.anthropic.claude-sonnet-4-20250514-v1:0",
    "us.amazon.nova-pro-v1:0",
    "us.meta.llama3-3-70b-instruct-v1:0",
    "us.anthropic.claude-3-5-haiku-20241022-v1:0",
];

/// The load bench's channel for a variant.
pub(super) fn of_bench(variant: Variant) -> Vec<u8> {
    bench(variant, &json!({}))
}

/// The same, with usage recorded.
pub(super) fn recording(variant: Variant) -> Vec<u8> {
    bench(
        variant,
        &json!({"usage": {"cluster": "config-service-xds"}}),
    )
}

fn bench(variant: Variant, more: &Value) -> Vec<u8> {
    let endpoint = "https://bedrock-runtime.us-east-1.amazonaws.com";
    let channels: Vec<Value> = variant.channel(endpoint).into_iter().collect();
    plugin(&channels, more)
}

/// SHA-256 of the key that the client sends.
const CLIENT_KEY: &str = "cac41691e78076d24eed51871d163478820bb52aa568b5249438ddd5904b3388";

/// The load bench's channel, for callers with a key each, of whom the client is the last.
pub(super) fn of_callers(count: usize) -> Vec<u8> {
    let entries = (1..=count).map(|number| {
        let hash = if number == count {
            CLIENT_KEY.to_owned()
        } else {
            // Spread like real ones.
            format!("{:016x}{number:048x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        };
        json!({"id": format!("{number:016x}"), "name": format!("team-{number:05}"), "keys": [{"sha256": hash}]})
    });
    callers(&entries.collect::<Vec<_>>(), &json!({}), &json!({}))
}

/// The same for the client alone, with usage recorded and callers counted.
pub(super) fn of_everything_seen() -> Vec<u8> {
    let caller = json!({
        "id": format!("{:016x}", 1),
        "name": "team",
        "keys": [{"sha256": CLIENT_KEY}],
    });
    let more = json!({"caller_metrics": 100, "usage": {"cluster": "config-service-xds"}});
    callers(&[caller], &json!({}), &more)
}

/// The same for the client alone, whose requests and tokens each Envoy counts by itself, also those at the same time.
pub(super) fn of_local_limits() -> Vec<u8> {
    let caller = json!({
        "id": format!("{:016x}", 1),
        "name": "team",
        "keys": [{"sha256": CLIENT_KEY}],
        "limits": {"rpm": 1_000_000, "tpm": 1_000_000_000, "concurrent_requests": 1_000},
    });
    callers(&[caller], &json!({"limit_mode": "local"}), &json!({}))
}

/// Callers, with these settings of theirs and these members beside them.
fn callers(entries: &[Value], settings: &Value, more: &Value) -> Vec<u8> {
    let endpoint = "https://bedrock-runtime.us-east-1.amazonaws.com";
    let channels: Vec<Value> = Variant::Bearer.channel(endpoint).into_iter().collect();
    let mut callers = json!({"mode": "required", "entries": entries});
    if let (Some(callers), Some(settings)) = (callers.as_object_mut(), settings.as_object()) {
        callers.extend(settings.clone());
    }
    let mut members = json!({"callers": callers});
    if let (Some(members), Some(more)) = (members.as_object_mut(), more.as_object()) {
        members.extend(more.clone());
    }
    plugin(&channels, &members)
}

/// Two channels that back each other up.
pub(super) fn of_failover() -> Vec<u8> {
    let own = Variant::TwoStage.channel("https://bedrock-runtime.us-east-1.amazonaws.com");
    let channels = FAILING_OVER.iter().zip(0_u32..).map(|(name, priority)| {
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

/// What clients call the Nova of [`of_nova`].
pub(super) const NOVA: &str = "messages-1k";

/// A channel like the load bench's, with a model that does not take Anthropic's bodies.
pub(super) fn of_nova() -> Vec<u8> {
    let own = Variant::Bearer.channel("https://bedrock-runtime.us-east-1.amazonaws.com");
    let mut channel = own.unwrap_or_default();
    let arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/nova";
    if let Some(fields) = channel.as_object_mut() {
        fields.insert("models".to_owned(), json!([NOVA]));
        fields.insert("model_mapping".to_owned(), json!({NOVA: "nova-pro"}));
        fields.insert("inference_profile_arn_map".to_owned(), json!({NOVA: arn}));
        fields.insert("model_families".to_owned(), json!({NOVA: "nova"}));
    }
    plugin(&[channel], &json!({}))
}

/// Its answer: the words and counts of the load bench's.
pub(super) fn nova_answer() -> Vec<u8> {
    let answer: Value = serde_json::from_slice(&canned::answer()).unwrap_or_default();
    let count = |name| answer.pointer("/usage").and_then(|usage| usage.get(name));
    let nova = json!({
        "output": {"message": {
            "role": "assistant",
            "content": [{"text": answer.pointer("/content/0/text")}],
        }},
        "stopReason": "end_turn",
        "usage": {"inputTokens": count("input_tokens"), "outputTokens": count("output_tokens")},
    });
    nova.to_string().into_bytes()
}

/// This many channels, each with its own 40 names.
pub(super) fn of_channels(count: usize) -> Vec<u8> {
    let channels: Vec<Value> = (0..count).map(channel).collect();
    plugin(&channels, &json!({}))
}

/// A name that a channel of [`of_channels`] serves.
pub(super) fn model(channel: usize, entry: usize) -> String {
    format!("team-{channel:04}-model-{entry:02}")
}

/// The number of names in [`of_channels`].
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
