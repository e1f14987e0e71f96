//! Who may call the gateway, and with what.

mod digest;
mod faults;
mod identities;
mod rules;

pub use digest::{InvalidDigest, KeyDigest, KeyMark};
pub(crate) use faults::MASTER;
pub use identities::{CertificateName, IdentitySources, JwtSource};
pub use rules::{
    CallerRules, Feature, MAX_REQUEST_LABEL, MAX_REQUEST_LABELS, ServiceTier, is_label_character,
};

use serde::{Deserialize, Serialize};

/// Who may call the gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallerSettings {
    /// Whether clients have to say who they are.
    pub mode: CallerMode,
    /// Names of the headers that may carry a key, in lower case; the first with a known key counts.
    #[serde(skip_serializing_if = "KeyHeaders::is_default")]
    pub headers: KeyHeaders,
    /// A key that may use everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master_key: Option<KeyDigest>,
    /// Who counts what callers use, for their limits.
    #[serde(skip_serializing_if = "LimitMode::is_default")]
    pub limit_mode: LimitMode,
    /// What else than a key says who calls.
    #[serde(skip_serializing_if = "IdentitySources::is_empty")]
    pub identities: IdentitySources,
    /// What goes for requests without a known key, where none is required.
    #[serde(skip_serializing_if = "CallerRules::is_empty")]
    pub nobody: CallerRules,
    /// The callers.
    pub entries: Vec<CallerEntry>,
}

/// Whether clients have to say who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallerMode {
    /// Nobody is asked.
    #[default]
    Off,
    /// Who sends no known key is served as nobody in particular.
    Optional,
    /// Who sends no known key is refused.
    Required,
}

/// Who counts what callers use, for their limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitMode {
    /// Nobody: there are no limits.
    Off,
    /// Each Envoy by itself.
    Local,
    /// A rate limit service, for all Envoys together.
    #[default]
    Shared,
}

impl LimitMode {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Names of the headers that may carry a key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct KeyHeaders(pub Vec<String>);

/// A caller.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CallerEntry {
    /// What stays the same when the name changes; the name if there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Unique name, which becomes a label of metrics.
    pub name: String,
    /// A disabled caller is known, and refused.
    #[serde(default = "enabled", skip_serializing_if = "is_enabled")]
    pub enabled: bool,
    /// From when it is refused, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
    /// Its keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<CallerKey>,
    /// What Envoy knows it by besides its keys: `jwt:<claim>=<value>`, `certificate:<name>` or `header:<value>`, with
    /// `*` for any text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<String>,
    /// The models that it may ask for, as names in which `*` stands for any text; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// The channels that may serve it, by name; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
    /// How much it may use.
    #[serde(default, skip_serializing_if = "CallerLimits::is_unlimited")]
    pub limits: CallerLimits,
    /// What is set for its requests, and what they may not use.
    #[serde(default, skip_serializing_if = "CallerRules::is_empty")]
    pub rules: CallerRules,
}

/// A key, as its hash.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CallerKey {
    /// SHA-256 of the key.
    pub sha256: KeyDigest,
    /// From when it is refused, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
}

/// How much a caller may use; what is absent has no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallerLimits {
    /// Requests a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpm: Option<u32>,
    /// Tokens a minute, of prompts and answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpm: Option<u32>,
    /// Requests at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrent_requests: Option<u32>,
}

impl CallerLimits {
    /// Whether it limits nothing.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }
}

impl CallerEntry {
    /// A caller without keys that may use everything.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            id: String::new(),
            name: name.into(),
            enabled: true,
            expires_at: None,
            keys: Vec::new(),
            identities: Vec::new(),
            models: Vec::new(),
            channels: Vec::new(),
            limits: CallerLimits::default(),
            rules: CallerRules::default(),
        }
    }
}

impl KeyHeaders {
    /// Those in which the clients of both vendors, and of Azure, send keys.
    const DEFAULT: [&str; 3] = ["authorization", "x-api-key", "api-key"];

    fn is_default(&self) -> bool {
        self.0 == Self::DEFAULT
    }
}

impl Default for KeyHeaders {
    fn default() -> Self {
        Self(Self::DEFAULT.map(str::to_owned).into())
    }
}

fn enabled() -> bool {
    true
}

fn is_enabled(enabled: &bool) -> bool {
    *enabled
}
