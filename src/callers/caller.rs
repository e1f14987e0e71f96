//! A caller, and what it may use.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Refused;
use super::pattern::matches;
use crate::config::{CallerEntry, CallerLimits, CallerRules, KeyDigest, KeyMark, MASTER};
use crate::limits::Account;

/// A caller, as everything behind its identification sees it.
#[derive(Debug, PartialEq, Eq)]
pub struct Caller {
    entry: Arc<CallerEntry>,
    /// Where what it uses is counted, if it has limits.
    account: Option<Arc<Account>>,
    /// The key by which it was recognised in this request.
    key: Option<KeyMark>,
}

impl Caller {
    /// The caller of an entry without faults.
    #[must_use]
    pub fn new(mut entry: CallerEntry) -> Self {
        entry.keys = Vec::new();
        entry.identities = Vec::new();
        entry.channels.sort_unstable();
        let account = (!entry.limits.is_unlimited()).then(|| Arc::new(Account::new(id_of(&entry))));
        Self {
            entry: Arc::new(entry),
            account,
            key: None,
        }
    }

    /// The same caller, recognised by one of its keys.
    pub(super) fn with_key(&self, digest: KeyDigest) -> Self {
        Self {
            entry: Arc::clone(&self.entry),
            account: self.account.clone(),
            key: Some(digest.mark()),
        }
    }

    /// Who has the master key: may use everything, without limits.
    pub(super) fn master() -> Self {
        Self::new(CallerEntry::new(MASTER))
    }

    /// What stays the same when the name changes.
    #[must_use]
    pub fn id(&self) -> &str {
        id_of(&self.entry)
    }

    /// The key by which it was recognised, if it was one.
    #[must_use]
    pub fn key(&self) -> Option<KeyMark> {
        self.key
    }

    /// Its name, which is fit for a label of a metric.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.entry.name
    }

    /// How much it may use.
    #[must_use]
    pub fn limits(&self) -> CallerLimits {
        self.entry.limits
    }

    /// Where what it uses is counted, if it has limits.
    #[must_use]
    pub fn account(&self) -> Option<&Arc<Account>> {
        self.account.as_ref()
    }

    /// What is set for its requests, and what they may not use.
    #[must_use]
    pub fn rules(&self) -> &CallerRules {
        &self.entry.rules
    }

    /// The channels that may serve it, sorted; all if there are none.
    #[must_use]
    pub fn channels(&self) -> &[String] {
        &self.entry.channels
    }

    /// Whether it may use less than everything.
    #[must_use]
    pub fn is_restricted(&self) -> bool {
        !self.entry.models.is_empty() || !self.entry.channels.is_empty()
    }

    /// Whether a channel may serve it.
    #[must_use]
    pub fn may_use_channel(&self, name: &str) -> bool {
        let channels = &self.entry.channels;
        channels.is_empty() || channels.iter().any(|own| own == name)
    }

    /// Whether it may ask for a model by one of these names.
    #[must_use]
    pub fn may_use_model<'n>(&self, mut names: impl Iterator<Item = &'n str>) -> bool {
        let models = &self.entry.models;
        models.is_empty() || names.any(|name| models.iter().any(|own| matches(own, name)))
    }

    /// Why it is not served any more, whatever it asks for. Without a time, whatever expires has expired.
    #[must_use]
    pub fn refusal(&self, now: Option<SystemTime>) -> Option<Refused> {
        let caller = || self.name().to_owned();
        if !self.entry.enabled {
            return Some(Refused::Disabled { caller: caller() });
        }
        has_passed(self.entry.expires_at, now).then(|| Refused::Expired { caller: caller() })
    }
}

fn id_of(entry: &CallerEntry) -> &str {
    if entry.id.is_empty() {
        &entry.name
    } else {
        &entry.id
    }
}

/// Whether a time has passed, in seconds since the epoch.
pub(super) fn has_passed(expires_at: Option<u64>, now: Option<SystemTime>) -> bool {
    let seconds = now.map(|now| now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs());
    expires_at.is_some_and(|expiry| seconds.is_none_or(|seconds| seconds >= expiry))
}
