//! One channel: an AWS account, a region and the models that are reached through them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Credentials, Guardrail, unique_string_map};
use crate::catalog::{CrossRegion, ModelFamily};

/// [`Channel::first_byte_timeout_seconds`] of a channel that does not set it.
pub const FIRST_BYTE_TIMEOUT_SECONDS: u32 = 30;

/// [`Channel::request_timeout_seconds`] of a channel that does not set it.
pub const REQUEST_TIMEOUT_SECONDS: u32 = 300;

/// Longest interval at which an account is asked what it has, in hours: thirty days.
pub const MAX_DISCOVERY_HOURS: u32 = 720;

/// Largest weight of a channel.
pub const MAX_WEIGHT: u32 = 1000;

/// Longest timeout of a channel, in seconds: AWS's own limit for the call of a model.
///
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-invoke.html>
pub const MAX_TIMEOUT_SECONDS: u32 = 3600;

/// A way to Bedrock: credentials, region, endpoint and the names under which clients reach models.
///
/// `C` is [`Credentials`] in the plugin configuration; the config-service keeps channels with more
/// kinds of credentials.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Channel<C = Credentials> {
    /// Unique name, shown to administrators and in metrics.
    pub name: String,
    /// A disabled channel is kept but serves no requests.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// AWS region to connect to and to sign for, for example `us-east-1`.
    pub region: String,
    /// Use the region's FIPS 140-3 endpoint. Ignored when `endpoint` is set.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fips: bool,
    /// Origin to use instead of the region's public endpoint, for example a VPC interface endpoint:
    /// `https://host[:port]`, or `http://host[:port]` for local use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// How requests are authenticated at AWS.
    pub credentials: C,
    /// Who computes the signature of a request.
    #[serde(default, skip_serializing_if = "SignedBy::is_filter")]
    pub signer: SignedBy,
    /// Channels with a lower number are tried first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: u32,
    /// Share of the requests among channels of one priority, 1 to 1000.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: u32,
    /// Names that this channel serves; if empty, it serves every name that it maps, and those that `allow_model_ids`
    /// adds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// What clients may ask for besides the names that the channel maps; has no effect next to `models`. A document
    /// without it was written when everything was allowed, and still allows everything.
    #[serde(default = "any", skip_serializing_if = "ModelIds::is_any")]
    pub allow_model_ids: ModelIds,
    /// Which names get the entry of a key in `inference_profile_arn_map`, `model_families` and `model_apis`. A
    /// document without it was written when only exact names matched, and still matches exactly.
    #[serde(default = "exact", skip_serializing_if = "NameMatch::is_exact")]
    pub r#match: NameMatch,
    /// Where the names come from; `None`: from `models`, and from the catalogue where that is empty. The
    /// config-service applies `fallback`; a filter that reads it by itself goes by `models`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models_mode: Option<ModelsMode>,
    /// Hours after which the config-service asks the account again what it has; `0`: only on request.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub discovery_hours: u32,
    /// Alias to name, applied once to the name that the client sent.
    #[serde(
        default,
        deserialize_with = "unique_string_map",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub model_mapping: BTreeMap<String, String>,
    /// Name to inference profile ARN (or any other model ARN or id); wins over the catalogue.
    #[serde(
        default,
        deserialize_with = "unique_string_map",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub inference_profile_arn_map: BTreeMap<String, String>,
    /// Name or ARN to model family, for ARNs that do not say what they serve.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub model_families: BTreeMap<String, ModelFamily>,
    /// What becomes of unknown parameters; `None` leaves it to
    /// [`unknown_parameters`](super::PluginConfig::unknown_parameters).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_parameters: Option<UnknownParameters>,
    /// Which of Bedrock's APIs calls a model, for names that are not in `model_apis`.
    #[serde(default, skip_serializing_if = "Api::is_auto")]
    pub api: Api,
    /// Name to API, for single models.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub model_apis: BTreeMap<String, Api>,
    /// Guardrail for every request that does not name one itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardrail: Option<Guardrail>,
    /// Whether catalogue models are called through a cross-region inference profile.
    #[serde(default)]
    pub cross_region: CrossRegion,
    /// When Bedrock answers that the base model has no on-demand throughput, call it through the
    /// inference profile of the region's geography from then on. Needs failover.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retry_with_inference_profile: bool,
    /// Seconds that a streamed answer may take until it begins. Any other answer has as long, plus the time that its
    /// longest text takes to write.
    #[serde(
        default = "first_byte_timeout",
        skip_serializing_if = "is_first_byte_timeout"
    )]
    pub first_byte_timeout_seconds: u32,
    /// Most seconds that any answer may take until it begins; one that is not a stream begins when it is complete.
    #[serde(
        default = "request_timeout",
        skip_serializing_if = "is_request_timeout"
    )]
    pub request_timeout_seconds: u32,
}

impl<C> Channel<C> {
    /// A channel with the default of every optional setting.
    pub fn new(name: impl Into<String>, region: impl Into<String>, credentials: C) -> Self {
        Self {
            name: name.into(),
            enabled: true,
            region: region.into(),
            fips: false,
            endpoint: None,
            credentials,
            signer: SignedBy::default(),
            priority: 0,
            weight: 1,
            models: Vec::new(),
            models_mode: None,
            discovery_hours: 0,
            allow_model_ids: ModelIds::default(),
            r#match: NameMatch::default(),
            model_mapping: BTreeMap::new(),
            inference_profile_arn_map: BTreeMap::new(),
            model_families: BTreeMap::new(),
            api: Api::default(),
            model_apis: BTreeMap::new(),
            guardrail: None,
            cross_region: CrossRegion::default(),
            retry_with_inference_profile: false,
            unknown_parameters: None,
            first_byte_timeout_seconds: FIRST_BYTE_TIMEOUT_SECONDS,
            request_timeout_seconds: REQUEST_TIMEOUT_SECONDS,
        }
    }

    /// The names that its maps give to models; one may be in both.
    pub fn mapped_names(&self) -> impl Iterator<Item = &String> {
        let aliases = self.model_mapping.keys();
        aliases.chain(self.inference_profile_arn_map.keys())
    }

    /// Whether its maps give this name to a model.
    pub fn maps(&self, name: &str) -> bool {
        self.model_mapping.contains_key(name) || self.inference_profile_arn_map.contains_key(name)
    }

    /// The names that it writes down for clients: its list or, if that is empty, those that it maps.
    pub fn written_names(&self) -> impl Iterator<Item = &String> {
        let mapped = self.models.is_empty().then(|| self.mapped_names());
        self.models.iter().chain(mapped.into_iter().flatten())
    }

    /// The same channel with other credentials.
    pub fn with_credentials<D>(self, credentials: D) -> Channel<D> {
        Channel {
            credentials,
            name: self.name,
            enabled: self.enabled,
            region: self.region,
            fips: self.fips,
            endpoint: self.endpoint,
            signer: self.signer,
            priority: self.priority,
            weight: self.weight,
            models: self.models,
            models_mode: self.models_mode,
            discovery_hours: self.discovery_hours,
            allow_model_ids: self.allow_model_ids,
            r#match: self.r#match,
            model_mapping: self.model_mapping,
            inference_profile_arn_map: self.inference_profile_arn_map,
            model_families: self.model_families,
            unknown_parameters: self.unknown_parameters,
            api: self.api,
            model_apis: self.model_apis,
            guardrail: self.guardrail,
            cross_region: self.cross_region,
            retry_with_inference_profile: self.retry_with_inference_profile,
            first_byte_timeout_seconds: self.first_byte_timeout_seconds,
            request_timeout_seconds: self.request_timeout_seconds,
        }
    }
}

/// Longest name, in bytes.
const MAX_NAME_LEN: usize = 64;

/// Whether a text can be a name; names become labels of metrics.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME_LEN
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

fn enabled() -> bool {
    true
}

fn one() -> u32 {
    1
}

fn any() -> ModelIds {
    ModelIds::Any
}

fn exact() -> NameMatch {
    NameMatch::Exact
}

fn first_byte_timeout() -> u32 {
    FIRST_BYTE_TIMEOUT_SECONDS
}

fn request_timeout() -> u32 {
    REQUEST_TIMEOUT_SECONDS
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_first_byte_timeout(seconds: &u32) -> bool {
    *seconds == FIRST_BYTE_TIMEOUT_SECONDS
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_request_timeout(seconds: &u32) -> bool {
    *seconds == REQUEST_TIMEOUT_SECONDS
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_one(number: &u32) -> bool {
    *number == 1
}

/// Which model ids clients may ask for, besides the names that a channel maps; each value includes those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelIds {
    /// None: only mapped names.
    None,
    /// Ids, inference profile ids and aliases of the models in the catalogue.
    #[default]
    Catalogue,
    /// Everything that Bedrock takes: custom and imported models and raw ARNs too.
    Any,
}

impl ModelIds {
    /// Whether everything is allowed.
    #[must_use]
    pub fn is_any(&self) -> bool {
        *self == Self::Any
    }
}

/// Which names get the entry of a key in a channel's maps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NameMatch {
    /// The key as it is written.
    Exact,
    /// Every name of the model that the key names: its id, its aliases and the ids of its inference profiles.
    #[default]
    Model,
}

impl NameMatch {
    /// Whether only the key itself counts.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        *self == Self::Exact
    }
}

/// Where the names of a channel come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelsMode {
    /// From its `models` alone, which must not be empty.
    Allowlist,
    /// From what its account has, and from its `models` if the account has not answered yet.
    Fallback,
}

/// What becomes of parameters that the gateway does not know from any API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownParameters {
    /// They are left out, and the answer names them.
    #[default]
    LeaveOut,
    /// The request is refused, so that a misspelt parameter is noticed.
    Refuse,
}

impl UnknownParameters {
    /// Whether they are left out.
    #[must_use]
    pub fn is_leave_out(&self) -> bool {
        *self == Self::LeaveOut
    }
}

/// Who computes the Signature Version 4 of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedBy {
    /// The filter itself.
    #[default]
    Filter,
    /// Envoy's own `aws_request_signing`, behind the filter on a cluster of the channel's own. It hashes with special
    /// instructions of the processor, which Wasm lacks: worth it for large bodies.
    ///
    /// <https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/aws_request_signing_filter>
    Envoy,
}

impl SignedBy {
    /// Whether it is the filter.
    #[must_use]
    pub fn is_filter(&self) -> bool {
        *self == Self::Filter
    }
}

/// Which of Bedrock's APIs calls a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// InvokeModel where the model supports it and it can carry the request, else Converse.
    #[default]
    Auto,
    /// InvokeModel.
    Invoke,
    /// Converse.
    Converse,
}

impl Api {
    /// Whether the gateway chooses.
    #[must_use]
    pub fn is_auto(&self) -> bool {
        *self == Self::Auto
    }
}
