//! The plugin configuration: what an administrator says, as the config-service sends it to the filter.
//!
//! These are plain data types. They only parse; [`crate::routes::Routes::compile`] decides whether
//! the content makes sense, and [`lint::warnings`] points at what is legal but suspicious.

mod channel;
mod credentials;
mod failover;
mod fault;
mod generation;
mod guardrail;
pub mod lint;
mod maps;
mod open;
mod rules;
mod stage;
mod text;

pub use channel::{
    Api, Channel, FIRST_BYTE_TIMEOUT_SECONDS, MAX_TIMEOUT_SECONDS, MAX_WEIGHT, ModelIds,
    REQUEST_TIMEOUT_SECONDS, SignedBy, UnknownParameters, is_name,
};
pub use credentials::Credentials;
pub use failover::Failover;
pub use fault::{Fault, escape_pointer};
pub use generation::{Generation, InvalidGeneration};
pub use guardrail::{Guardrail, GuardrailTrace};
pub use maps::unique_string_map;
pub use open::KEY_CHECK;
pub use stage::Stage;
pub use text::TextFault;

use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// The only value of [`PluginConfig::schema`] that this filter reads.
pub const SCHEMA: u32 = 1;

/// The whole plugin configuration, as JSON in Envoy's `PluginConfig.configuration`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct PluginConfig {
    /// Version of this document's shape; a filter refuses any other than [`SCHEMA`].
    pub schema: u32,
    /// Revision of the config-service that made the document; `0` when written by hand.
    pub revision: u64,
    /// Where the filter stands.
    #[serde(skip_serializing_if = "is_default")]
    pub stage: Stage,
    /// Something that is sealed like a channel's secrets: a filter that cannot open it cannot open those,
    /// and refuses the document before they depend on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_check: Option<Secret>,
    /// Channels in the order in which they are tried for a model.
    pub channels: Vec<Channel>,
    /// Sizes that the filter enforces.
    pub limits: Limits,
    /// Set where the filter stands on the Bedrock clusters too; without it a request is tried once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failover: Option<Failover>,
    /// What becomes of parameters that nobody knows, in channels that do not say.
    #[serde(skip_serializing_if = "UnknownParameters::is_leave_out")]
    pub unknown_parameters: UnknownParameters,
    /// Whether `POST /v1/messages` is served, as far as it goes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub anthropic_messages: bool,
}

impl Default for PluginConfig {
    fn default() -> Self {
        Self {
            schema: SCHEMA,
            revision: 0,
            stage: Stage::default(),
            key_check: None,
            channels: Vec::new(),
            limits: Limits::default(),
            failover: None,
            unknown_parameters: UnknownParameters::default(),
            anthropic_messages: false,
        }
    }
}

fn is_default(stage: &Stage) -> bool {
    *stage == Stage::default()
}

impl PluginConfig {
    /// Reads a plugin configuration from JSON.
    ///
    /// # Errors
    ///
    /// A [`Fault`] with the JSON pointer of the first fault. Values inside `credentials` are
    /// never repeated in the error.
    pub fn from_json(json: &[u8]) -> Result<Self, Fault> {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let config = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|fault| Fault::of_serde(&fault))?;
        deserializer
            .end()
            .map_err(|fault| Fault::new("", "invalid_json", fault.to_string()))?;
        Ok(config)
    }
}

/// Sizes that the filter enforces, in bytes.
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
