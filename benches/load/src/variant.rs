//! The paths through Envoy to compare.

use serde_json::{Value, json};

use crate::bootstrap::Ports;
use crate::load::Load;

/// A path through Envoy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Envoy alone; the client's body goes to the upstream unchanged.
    Passthrough,
    /// The filter, signing itself.
    SigV4,
    /// The filter, with Envoy's own `aws_request_signing` behind it.
    Native,
    /// The filter, sending a Bedrock API key.
    Bearer,
    /// The filter on the listener and on the cluster, as for failover, signing itself.
    TwoStage,
    /// As `Bearer`, for a caller whose limits Envoy counts by itself.
    LocalLimits,
    /// As `Bearer`, for a caller whose requests and tokens a rate limit service counts, which Envoy asks at the start and at
    /// the end.
    SharedLimits,
}

impl Variant {
    /// All of them, passthrough first, because the others are compared with it.
    pub const ALL: [Self; 7] = [
        Self::Passthrough,
        Self::SigV4,
        Self::Native,
        Self::Bearer,
        Self::TwoStage,
        Self::LocalLimits,
        Self::SharedLimits,
    ];

    /// Its name, which is also that of its channel, and of the model that clients
    /// request.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Passthrough => "passthrough",
            Self::SigV4 => "sigv4",
            Self::Native => "native",
            Self::Bearer => "bearer",
            Self::TwoStage => "two-stage",
            Self::LocalLimits => "local-limits",
            Self::SharedLimits => "shared-limits",
        }
    }

    /// The channel that makes the filter take this path; passthrough has none.
    #[must_use]
    pub fn channel(self, endpoint: &str) -> Option<Value> {
        let key = json!({
            "type": "static",
            "access_key_id": "AKIDEXAMPLE",
            "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        });
        let credentials = match self {
            Self::Passthrough => return None,
            Self::SigV4 | Self::Native | Self::TwoStage => key,
            Self::Bearer | Self::LocalLimits | Self::SharedLimits => {
                json!({"type": "bedrock_api_key", "api_key": "bedrock-api-key-EXAMPLE"})
            }
        };
        let names: Vec<_> = Load::ALL.iter().map(|load| load.model(self)).collect();
        let mapping: serde_json::Map<_, _> = names
            .iter()
            .map(|name| (name.clone(), json!("claude-sonnet-4-5")))
            .collect();
        // The upstream tells loads apart by the model id in the path.
        let profiles: serde_json::Map<_, _> = Load::ALL
            .iter()
            .map(|load| (load.model(self), json!(load.profile())))
            .collect();
        let mut channel = json!({
            "name": self.name(),
            "region": "us-east-1",
            "endpoint": endpoint,
            "credentials": credentials,
            "models": names,
            "model_mapping": mapping,
            "inference_profile_arn_map": profiles,
            "model_families": names.iter().map(|name| (name.clone(), json!("anthropic")))
                .collect::<serde_json::Map<_, _>>(),
        });
        if self == Self::Native {
            channel["signer"] = json!("envoy");
        }
        Some(channel)
    }

    /// The path that a client calls.
    #[must_use]
    pub fn path(self, load: Load) -> String {
        match self {
            Self::Passthrough => {
                let profile = load.profile().replace(':', "%3A").replace('/', "%2F");
                format!("/model/{profile}/{}", load.operation())
            }
            _ => load.path().to_owned(),
        }
    }

    /// Its port.
    #[must_use]
    pub fn port(self, ports: Ports) -> u16 {
        match self {
            Self::Passthrough => ports.passthrough,
            Self::TwoStage => ports.two_stage,
            Self::LocalLimits => ports.local_limits,
            Self::SharedLimits => ports.shared_limits,
            _ => ports.filter,
        }
    }

    /// Who counts the limits of its client, in the words of a plugin configuration, if it has some.
    #[must_use]
    pub fn limit_mode(self) -> Option<&'static str> {
        match self {
            Self::LocalLimits => Some("local"),
            Self::SharedLimits => Some("shared"),
            _ => None,
        }
    }

    /// The target for the ratio of Envoy's CPU time to the same without limits.
    #[must_use]
    pub fn limits_target(self, load: Load) -> Option<f64> {
        (load == Load::Chat1k && self == Self::SharedLimits).then_some(1.8)
    }

    /// Whether the answer went through the filter.
    #[must_use]
    pub fn is_filtered(self) -> bool {
        self != Self::Passthrough
    }

    /// The target for the ratio of Envoy's CPU time to passthrough.
    #[must_use]
    pub fn target(self, load: Load) -> Option<f64> {
        let [sigv4, native, bearer] = match load {
            Load::Chat1kAlone => return None,
            Load::Chat1k | Load::Responses1k => [2.0, 2.0, 1.9],
            Load::Chat200k | Load::Messages200k => [6.0, 3.2, 2.6],
            Load::Image4m => [6.0, 2.6, 1.7],
            Load::StreamBurst => [7.0, 7.0, 7.0],
            Load::StreamPaced => [1.25, 1.25, 1.25],
        };
        match self {
            // What matters is what it costs more than one stage, or than no limits.
            Self::Passthrough | Self::TwoStage | Self::LocalLimits | Self::SharedLimits => None,
            Self::SigV4 => Some(sigv4),
            Self::Native => Some(native),
            Self::Bearer => Some(bearer),
        }
    }

    /// The target for the latency added to a lone small chat, in microseconds.
    #[must_use]
    pub fn added_latency_target(self, load: Load) -> Option<f64> {
        match (load, self) {
            (Load::Chat1kAlone, Self::Bearer) => Some(120.0),
            (Load::Chat1kAlone, Self::SigV4 | Self::Native) => Some(150.0),
            _ => None,
        }
    }
}
