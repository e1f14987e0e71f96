//! Who calls: from the headers of a request to a caller, and what that caller may use.

mod caller;
mod identify;
mod identities;
mod pattern;
mod refused;

pub use caller::Caller;
pub use identify::SERVED;
pub use identities::Property;
pub use refused::Refused;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::config::{CallerMode, CallerRules, CallerSettings, KeyDigest, LimitMode};
use identities::Identities;

/// Everybody who may call, checked once.
#[derive(Debug, Default)]
pub struct Callers {
    mode: CallerMode,
    limit_mode: LimitMode,
    headers: Vec<String>,
    /// Sorted by digest.
    keys: Vec<Key>,
    callers: Vec<Arc<Caller>>,
    identities: Identities,
    /// What Envoy is asked about clients, in the order in which it counts.
    properties: Vec<Property>,
    /// The header in which a filter in front says who calls.
    header: Option<String>,
    /// What goes for requests of nobody in particular.
    nobody: CallerRules,
}

/// A key, and whose it is.
#[derive(Debug)]
struct Key {
    digest: KeyDigest,
    /// From when it is refused, in seconds since the epoch.
    expires_at: Option<u64>,
    /// Position of its caller.
    caller: usize,
}

impl Callers {
    /// Makes settings without faults ready for use.
    #[must_use]
    pub fn new(settings: Option<CallerSettings>) -> Self {
        let settings = settings.unwrap_or_default();
        let count = settings.entries.iter().map(|own| own.keys.len()).sum();
        let mut keys = Vec::with_capacity(count);
        let mut callers = Vec::with_capacity(settings.entries.len() + 1);
        let mut identities = Identities::default();
        for mut entry in settings.entries {
            for identity in entry.identities.drain(..) {
                identities.add(identity, callers.len());
            }
            keys.extend(entry.keys.iter().map(|key| Key {
                digest: key.sha256,
                expires_at: key.expires_at,
                caller: callers.len(),
            }));
            callers.push(Arc::new(Caller::new(entry)));
        }
        if let Some(digest) = settings.master_key {
            keys.push(Key {
                digest,
                expires_at: None,
                caller: callers.len(),
            });
            callers.push(Arc::new(Caller::master()));
        }
        keys.sort_unstable_by_key(|key| key.digest);
        Self {
            mode: settings.mode,
            limit_mode: settings.limit_mode,
            headers: settings.headers.0,
            keys,
            callers,
            identities,
            properties: Property::all(&settings.identities),
            header: settings.identities.header,
            nobody: settings.nobody,
        }
    }

    /// Whether clients are asked who they are.
    #[must_use]
    pub fn are_asked(&self) -> bool {
        self.mode != CallerMode::Off
    }

    /// As whom the gateway itself asks: as nobody where nobody has to say who it is, else like the holder of the master
    /// key.
    #[must_use]
    pub fn operator(&self) -> Option<Arc<Caller>> {
        let needs_caller = self.mode == CallerMode::Required;
        needs_caller.then(|| Arc::new(Caller::master()))
    }

    /// Whether there are keys or identities by which clients can be told apart, even if they are not asked.
    #[must_use]
    pub fn can_be_told_apart(&self) -> bool {
        !self.keys.is_empty() || !self.identities.is_empty()
    }

    /// The refusal of a client that may stay unknown elsewhere, but not where it asks about itself.
    #[must_use]
    pub fn unknown(&self) -> Refused {
        Refused::NoKey {
            headers: self.header_names(),
        }
    }

    /// What Envoy has to say about a client, in the order in which it counts; nothing if nobody is asked.
    #[must_use]
    pub fn properties(&self) -> &[Property] {
        &self.properties
    }

    /// Who counts what callers use, for their limits.
    #[must_use]
    pub fn limit_mode(&self) -> LimitMode {
        self.limit_mode
    }

    /// What goes for the requests of a caller, or of nobody in particular; `None` if they stay as they are.
    #[must_use]
    pub fn rules<'r>(&'r self, caller: Option<&'r Caller>) -> Option<&'r CallerRules> {
        let rules = caller.map_or(&self.nobody, Caller::rules);
        (!rules.is_empty()).then_some(rules)
    }

    /// The lists of channels to which callers are restricted, each once.
    #[must_use]
    pub fn channel_lists(&self) -> BTreeSet<&[String]> {
        let lists = self.callers.iter().map(|own| own.channels());
        lists.filter(|list| !list.is_empty()).collect()
    }
}
