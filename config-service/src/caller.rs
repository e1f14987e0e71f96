//! A caller as stored, and as shown; its keys, and what applies to all callers.

mod edit;
mod key;
mod last_uses;
mod policy;
mod rules;
mod settings;
mod timestamp;
mod usd;

use std::collections::BTreeMap;
use std::sync::Arc;

use bedrock_filter::config::{
    CallerEntry, CallerLimits, CallerMode, Guardrail, KeyDigest, LimitMode, ServiceTier,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub use edit::{CallerEdit, Fill};
pub(crate) use key::{KeyRequest, KeyRotation, hint_of, is_empty_key, new_key};
pub use key::{KeyView, StoredKey};
pub use last_uses::LastUses;
pub(crate) use policy::{POLICY_SETTINGS, PolicyDocument};
pub use policy::{Policy, PolicyEdit};
pub use rules::Permission;
pub(crate) use settings::{CallerDocument, SETTINGS};
pub use timestamp::Timestamp;
pub use usd::Usd;

/// A caller as administrators configure it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Caller {
    /// Unique name.
    pub name: String,
    /// Whether it is served.
    pub enabled: bool,
    /// From when it is refused.
    pub expires_at: Option<Timestamp>,
    /// What Envoy knows it by besides its keys.
    pub identities: Vec<String>,
    /// The models that it may ask for; all if empty.
    pub models: Vec<String>,
    /// The channels that may serve it; all if empty.
    pub channels: Vec<String>,
    /// Requests a minute.
    pub rpm: Option<u32>,
    /// Tokens a minute.
    pub tpm: Option<u32>,
    /// Requests at the same time.
    pub concurrent_requests: Option<u32>,
    /// Tokens a calendar month.
    pub monthly_tokens: Option<u64>,
    /// Money a calendar month.
    pub monthly_usd: Option<Usd>,
    /// Applied to all of its requests.
    pub guardrail: Option<Guardrail>,
    /// The processing class of requests that do not choose one.
    pub service_tier: Option<ServiceTier>,
    /// Labels of its requests in Bedrock's invocation log.
    pub request_metadata: BTreeMap<String, String>,
    /// Whether its requests may offer tools.
    pub tools: Option<Permission>,
    /// Whether they may ask a model to think.
    pub thinking: Option<Permission>,
    /// Whether they may contain files.
    pub documents: Option<Permission>,
    /// Whether they may mark what a model caches.
    pub prompt_caching: Option<Permission>,
    /// For whoever sorts callers, or bills them.
    pub labels: BTreeMap<String, String>,
    /// For administrators.
    pub notes: Option<String>,
}

impl Default for Caller {
    fn default() -> Self {
        Self {
            name: String::new(),
            enabled: true,
            expires_at: None,
            identities: Vec::new(),
            models: Vec::new(),
            channels: Vec::new(),
            rpm: None,
            tpm: None,
            concurrent_requests: None,
            monthly_tokens: None,
            monthly_usd: None,
            guardrail: None,
            service_tier: None,
            request_metadata: BTreeMap::new(),
            tools: None,
            thinking: None,
            documents: None,
            prompt_caching: None,
            labels: BTreeMap::new(),
            notes: None,
        }
    }
}

/// A caller with what the config-service knows about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCaller {
    /// Id, which does not change with the name.
    pub id: String,
    /// What the administrator wrote.
    pub caller: Caller,
    /// Its keys, oldest first.
    pub keys: Vec<StoredKey>,
    /// Revision of the last edit of the caller or its keys.
    pub revision: u64,
    /// When it was created, RFC 3339 in UTC.
    pub created_at: String,
    /// When it was last edited, RFC 3339 in UTC.
    pub updated_at: String,
}

/// Everybody who may call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallerBook {
    /// What applies to all of them.
    pub policy: Policy,
    /// Revision of the last edit of the policy.
    pub policy_revision: u64,
    /// In the order of their names.
    pub callers: Vec<Arc<StoredCaller>>,
}

/// A caller as administrators read it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Caller)]
pub struct CallerView {
    /// Id, which does not change with the name.
    id: String,
    #[serde(flatten)]
    #[schema(value_type = CallerDocument)]
    content: Map<String, Value>,
    /// Its keys, without the keys themselves.
    keys: Vec<KeyView>,
    /// When it last asked, RFC 3339 in UTC; absent if that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    last_used_at: Option<Timestamp>,
    /// Revision of the last edit of the caller or its keys.
    revision: u64,
    /// When it was created, RFC 3339 in UTC.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was last edited, RFC 3339 in UTC.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl CallerView {
    /// What is shown of a caller.
    pub(crate) fn new(stored: &StoredCaller, uses: &LastUses) -> Self {
        let keys = stored.keys.iter().map(|key| KeyView {
            last_used_at: uses.of_key(key),
            ..KeyView::from(key)
        });
        Self {
            id: stored.id.clone(),
            content: shown(&stored.caller),
            keys: keys.collect(),
            last_used_at: uses.of_caller(stored),
            revision: stored.revision,
            created_at: stored.created_at.clone(),
            updated_at: stored.updated_at.clone(),
        }
    }
}

impl StoredCaller {
    /// The caller and its keys as the history shows them.
    pub(crate) fn audited(&self) -> Map<String, Value> {
        let mut fields = shown(&self.caller);
        let keys = self.keys.iter().map(|key| {
            let view = serde_json::to_value(KeyView::from(key));
            (key.id.clone(), view.unwrap_or_default())
        });
        fields.insert("keys".to_owned(), Value::Object(keys.collect()));
        fields
    }

    /// The key with this id.
    pub(crate) fn key(&self, id: &str) -> Option<&StoredKey> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// The caller as the filter reads it.
    fn served(&self, policy: &Policy) -> CallerEntry {
        CallerEntry {
            id: self.id.clone(),
            keys: self.keys.iter().map(StoredKey::served).collect(),
            ..self.caller.served(policy)
        }
    }
}

impl Caller {
    /// The caller as the filter reads it, without keys.
    pub(crate) fn served(&self, policy: &Policy) -> CallerEntry {
        CallerEntry {
            enabled: self.enabled,
            expires_at: self.expires_at.map(Timestamp::seconds),
            identities: self.identities.clone(),
            models: self.models.clone(),
            channels: self.channels.clone(),
            limits: CallerLimits {
                rpm: self.rpm.or(policy.default_rpm),
                tpm: self.tpm.or(policy.default_tpm),
                concurrent_requests: self
                    .concurrent_requests
                    .or(policy.default_concurrent_requests),
            },
            rules: self.rules(policy),
            ..CallerEntry::new(&self.name)
        }
    }
}

/// Every field of a caller.
pub(crate) fn shown(caller: &Caller) -> Map<String, Value> {
    let fields = SETTINGS.iter();
    let fields = fields.map(|own| (own.name.to_owned(), own.show(caller)));
    fields.collect()
}

impl CallerBook {
    /// The caller with this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Arc<StoredCaller>> {
        self.callers.iter().find(|stored| stored.id == id)
    }

    /// The caller with this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Arc<StoredCaller>> {
        let place = self.place(name);
        place.ok().and_then(|index| self.callers.get(index))
    }

    /// Whether anybody has a key.
    #[must_use]
    pub fn has_keys(&self) -> bool {
        self.callers.iter().any(|own| !own.keys.is_empty())
    }

    /// Whether anybody can be told from others, by a key or by something else.
    #[must_use]
    pub fn knows_anybody(&self) -> bool {
        let is_known =
            |own: &Arc<StoredCaller>| !own.keys.is_empty() || !own.caller.identities.is_empty();
        self.callers.iter().any(is_known)
    }

    /// Whether a rate limit service is to be asked about anybody.
    #[must_use]
    pub fn has_shared_limits(&self) -> bool {
        let is_shared = self.policy.limit_mode == LimitMode::Shared;
        let is_limited = |own: &Arc<StoredCaller>| {
            let limits = own.caller.served(&self.policy).limits;
            limits.rpm.is_some() || limits.tpm.is_some()
        };
        is_shared && self.policy.mode != CallerMode::Off && self.callers.iter().any(is_limited)
    }

    /// Whose key it is.
    pub(crate) fn owner(&self, digest: KeyDigest) -> Option<&Arc<StoredCaller>> {
        let has = |own: &&Arc<StoredCaller>| own.keys.iter().any(|key| key.digest == digest);
        self.callers.iter().find(has)
    }

    /// Whose identity it is.
    pub(crate) fn known_by(&self, identity: &str) -> Option<&Arc<StoredCaller>> {
        let has =
            |own: &&Arc<StoredCaller>| own.caller.identities.iter().any(|one| one == identity);
        self.callers.iter().find(has)
    }

    /// Takes a caller away.
    pub(crate) fn remove(&mut self, id: &str) {
        self.callers.retain(|own| own.id != id);
    }

    /// Adds a caller, or puts it in place of its earlier self.
    pub(crate) fn put(&mut self, stored: Arc<StoredCaller>) {
        self.remove(&stored.id);
        let index = self
            .place(&stored.caller.name)
            .unwrap_or_else(|index| index);
        self.callers.insert(index, stored);
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.callers
            .binary_search_by(|own| own.caller.name.as_str().cmp(name))
    }
}
