//! The plugin configuration: what an administrator sets, as the config-service sends it to the filter.
//!
//! These are plain data types. They only parse; [`crate::routes::Routes::compile`] decides whether the content makes
//! sense, and [`lint::warnings`] points out what is legal but suspicious.

mod anthropic_rules;
mod callers;
mod channel;
mod choices;
mod cors_origins;
mod credentials;
mod failover;
mod fault;
mod generation;
mod guardrail;
mod keep_alive;
mod keys;
pub mod lint;
mod maps;
mod matching;
mod open;
mod path_prefixes;
mod protocols;
mod rules;
mod stage;
mod text;
mod usage;

pub use anthropic_rules::{AnthropicRules, Rule};
pub(crate) use callers::MASTER;
pub use callers::{
    CallerEntry, CallerKey, CallerLimits, CallerMode, CallerRules, CallerSettings, CertificateName,
    Feature, IdentitySources, InvalidDigest, JwtSource, KeyDigest, KeyHeaders, KeyMark, LimitMode,
    MAX_REQUEST_LABEL, MAX_REQUEST_LABELS, ServiceTier, is_label_character,
};
pub use channel::{
    Api, Channel, FIRST_BYTE_TIMEOUT_SECONDS, MAX_DISCOVERY_HOURS, MAX_TIMEOUT_SECONDS, MAX_WEIGHT,
    ModelIds, ModelsMode, NameMatch, REQUEST_TIMEOUT_SECONDS, SignedBy, UnknownParameters, is_name,
};
pub use choices::{ChoiceRule, DetailedChoice, ModelChoice, ModelChoices, When};
pub use cors_origins::{CorsOrigin, CorsOrigins, InvalidCorsOrigin};
pub use credentials::Credentials;
pub use failover::Failover;
pub use fault::Fault;
pub use generation::{Generation, InvalidGeneration};
pub use guardrail::{Guardrail, GuardrailTrace};
pub use keep_alive::StreamKeepAlive;
pub use keys::{KeyNotes, looks_like_secret};
pub use maps::unique_string_map;
pub use matching::{by_model, passing_by, shares_entries};
pub use open::KEY_CHECK;
pub use path_prefixes::{BelowPrefix, InvalidPathPrefix, PathPrefix, PathPrefixes};
pub use protocols::{ProtocolName, Protocols, UnknownProtocol};
pub use stage::Stage;
pub use text::{Invisible, TextFault, visible};
pub use usage::{InvalidUsageCluster, UsageReports};

pub use crate::json::escape_pointer;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::json::read_located;
use crate::secret::Secret;

/// The only value of [`PluginConfig::schema`] that this filter reads.
pub const SCHEMA: u32 = 1;

/// The most that [`PluginConfig::caller_metrics`] may be: each caller has up to twelve counters of some 400 bytes.
pub const MAX_CALLER_METRICS: u32 = 10_000;

/// The whole plugin configuration, as JSON in Envoy's `PluginConfig.configuration`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct PluginConfig {
    /// Version of this document's shape; a filter refuses any other than [`SCHEMA`].
    pub schema: u32,
    /// Revision of the config-service that made the document; `0` if it was written by hand.
    pub revision: u64,
    /// Where the filter is.
    #[serde(skip_serializing_if = "is_default")]
    pub stage: Stage,
    /// Something that is sealed like a channel's secrets: a filter that cannot open it could not open those either,
    /// so it refuses the document before they depend on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_check: Option<Secret>,
    /// Channels in the order in which they are tried for a model.
    pub channels: Vec<Channel>,
    /// Who may call; without it, whoever reaches the filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callers: Option<CallerSettings>,
    /// Size limits of the filter.
    pub limits: Limits,
    /// Set where the Bedrock clusters have the filter too; without it a request is tried once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failover: Option<Failover>,
    /// What becomes of unknown parameters, in channels that do not set it themselves.
    #[serde(skip_serializing_if = "UnknownParameters::is_leave_out")]
    pub unknown_parameters: UnknownParameters,
    /// Which APIs clients may speak.
    #[serde(skip_serializing_if = "Protocols::is_default")]
    pub protocols: Protocols,
    /// Where clients find the endpoints, besides `/v1`.
    #[serde(skip_serializing_if = "PathPrefixes::is_empty")]
    pub path_prefixes: PathPrefixes,
    /// Whose pages may call the gateway from a browser.
    #[serde(skip_serializing_if = "CorsOrigins::is_empty")]
    pub cors_origins: CorsOrigins,
    /// Whether `/health` and what is below it are the filter's; they are somebody else's if not.
    #[serde(skip_serializing_if = "is_true")]
    pub health_endpoints: bool,
    /// Exceptions to what of Anthropic's Messages goes on to Bedrock as the client wrote it.
    #[serde(skip_serializing_if = "AnthropicRules::is_default")]
    pub anthropic_rules: AnthropicRules,
    /// Names that choose a model.
    #[serde(skip_serializing_if = "ModelChoices::is_empty")]
    pub model_choices: ModelChoices,
    /// How long the client of a stream is left without a sign of life.
    #[serde(skip_serializing_if = "StreamKeepAlive::is_default")]
    pub stream_keep_alive_seconds: StreamKeepAlive,
    /// How many callers, at most, each worker counts by name; 0 counts none.
    #[serde(skip_serializing_if = "is_zero")]
    pub caller_metrics: u32,
    /// Where it is reported what requests used, if that is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageReports>,
    /// What older filters know of [`Self::protocols`]: Anthropic's Messages, which they serve only if it is
    /// `true`. `false` switches them off here too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anthropic_messages: Option<bool>,
}

impl Default for PluginConfig {
    fn default() -> Self {
        Self {
            schema: SCHEMA,
            revision: 0,
            stage: Stage::default(),
            key_check: None,
            channels: Vec::new(),
            callers: None,
            limits: Limits::default(),
            failover: None,
            unknown_parameters: UnknownParameters::default(),
            protocols: Protocols::default(),
            path_prefixes: PathPrefixes::default(),
            cors_origins: CorsOrigins::default(),
            health_endpoints: true,
            anthropic_rules: AnthropicRules::default(),
            model_choices: ModelChoices::default(),
            stream_keep_alive_seconds: StreamKeepAlive::default(),
            caller_metrics: 0,
            usage: None,
            anthropic_messages: None,
        }
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn is_true(flag: &bool) -> bool {
    *flag
}

fn is_default(stage: &Stage) -> bool {
    *stage == Stage::default()
}

impl PluginConfig {
    /// Reads a plugin configuration from JSON.
    ///
    /// # Errors
    ///
    /// A [`Fault`] with the JSON pointer of the first fault. It never repeats values inside `credentials`.
    pub fn from_json(json: &[u8]) -> Result<Self, Fault> {
        // Before its values are looked at: what is not JSON has no pointer.
        serde_json::from_slice::<IgnoredAny>(json)
            .map_err(|fault| Fault::of_syntax(fault.to_string()))?;
        let text = str::from_utf8(json).map_err(|fault| Fault::of_syntax(fault.to_string()))?;
        let read = read_located(text);
        read.map(|(config, _)| config)
            .map_err(|fault| Fault::of_value(&fault))
    }
}

/// Size limits of the filter, in bytes.
///
/// Envoy's own buffer limits (`per_connection_buffer_limit_bytes`, `per_request_buffer_limit_bytes`)
/// must be at least twice as large, because translation can make a body longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Longest request body that is accepted; longer ones get a 413.
    pub max_request_bytes: usize,
    /// Longest answer that is held back for translation; longer ones become a 502. Streams are
    /// not held back and have no such limit.
    pub max_response_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_request_bytes: 32 * 1024 * 1024,
            max_response_bytes: 32 * 1024 * 1024,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_fault(json: &str, path: &str, reason: &str) {
        let error = PluginConfig::from_json(json.as_bytes()).unwrap_err();
        assert_eq!(error.pointer, path, "{error}");
        assert!(error.message.contains(reason), "{error}");
    }

    #[test]
    fn an_empty_object_is_the_default() {
        assert_eq!(
            PluginConfig::from_json(b"{}").unwrap(),
            PluginConfig::default()
        );
    }

    #[test]
    fn faults_name_their_path() {
        check_fault("{", "", "EOF");
        check_fault("{} x", "", "trailing");
        check_fault(r#"{"chanels":[]}"#, "/chanels", "unknown field `chanels`");
        check_fault(
            r#"{"channels":[{"name":"a","region":5}]}"#,
            "/channels/0/region",
            "expected a string",
        );
        check_fault(
            r#"{"channels":[{"name":"a","region":"r","inference_profile_arn_map":{"m":"a","m":"b"}}]}"#,
            "/channels/0/inference_profile_arn_map",
            "duplicate key `m`",
        );
    }

    #[test]
    fn faults_in_credentials_hide_the_value() {
        let json = r#"{"channels":[{"name":"a","region":"r","credentials":{"type":"static","access_key_id":"AKIDEXAMPLE","secret_access_key":424242}}]}"#;
        let error = PluginConfig::from_json(json.as_bytes()).unwrap_err();
        assert!(
            error.pointer.starts_with("/channels/0/credentials"),
            "{error}"
        );
        assert!(!error.to_string().contains("424242"), "{error}");
    }
}
