//! What is wrong with callers.

use std::collections::BTreeSet;

use http::HeaderName;

use super::identities::identity_fault;
use super::{CallerEntry, CallerLimits, CallerSettings, KeyDigest, KeyHeaders};
use crate::config::{Fault, TextFault, is_name};

/// Longest name of a model, or pattern of names, in bytes.
const MAX_PATTERN: usize = 2048;

/// The name under which the holder of the master key is known.
pub(crate) const MASTER: &str = "master";

impl CallerSettings {
    /// Every fault; pointers are relative to the settings.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = self.headers.faults();
        let sources = self.identities.faults().into_iter();
        faults.extend(sources.map(|fault| fault.below("/identities")));
        let nobody = self.nobody.faults().into_iter();
        faults.extend(nobody.map(|fault| fault.below("/nobody")));
        let (mut names, mut ids) = (BTreeSet::new(), BTreeSet::new());
        let mut keys = BTreeSet::new();
        let mut identities = BTreeSet::new();
        for (index, entry) in self.entries.iter().enumerate() {
            let at = format!("/entries/{index}");
            let mut own = entry.faults();
            if !names.insert(&entry.name) {
                let message = format!("`{}` is already the name of another caller", entry.name);
                own.push(Fault::new("/name", "duplicate_name", message));
            }
            if !entry.id.is_empty() && !ids.insert(&entry.id) {
                own.push(Fault::new("/id", "duplicate_id", "is another caller's"));
            }
            own.extend(entry.repeated(self.master_key, &mut keys));
            for (index, identity) in entry.identities.iter().enumerate() {
                if !identities.insert(identity) {
                    let at = format!("/identities/{index}");
                    let message = "is the identity of another caller, or written twice";
                    own.push(Fault::new(at, "duplicate_identity", message));
                }
            }
            faults.extend(own.into_iter().map(|fault| fault.below(&at)));
        }
        faults
    }
}

impl CallerEntry {
    /// Faults of this caller alone; pointers are relative to it.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if !is_name(&self.name) {
            let message = "must be 1 to 64 letters, digits, `.`, `_` or `-`, starting with a letter or digit (it \
                           becomes a metric label)";
            faults.push(Fault::new("/name", "invalid_name", message));
        } else if self.name == MASTER {
            let message = "is what the holder of the master key is called; choose another";
            faults.push(Fault::new("/name", "reserved_name", message));
        }
        for (index, pattern) in self.models.iter().enumerate() {
            let message = match TextFault::all(pattern).first() {
                Some(TextFault::Blank) => {
                    "is empty; name a model, or leave `models` empty to allow all"
                }
                Some(TextFault::Padded) => "starts or ends with white space",
                Some(TextFault::Control) => "contains a control character",
                None if pattern.len() > MAX_PATTERN => "is longer than 2048 bytes",
                None => continue,
            };
            let at = format!("/models/{index}");
            faults.push(Fault::new(at, "invalid_model_name", message));
        }
        for (index, channel) in self.channels.iter().enumerate() {
            if !is_name(channel) {
                let message = "is not the name of a channel";
                let at = format!("/channels/{index}");
                faults.push(Fault::new(at, "invalid_name", message));
            }
        }
        for (index, identity) in self.identities.iter().enumerate() {
            if let Some(message) = identity_fault(identity) {
                let at = format!("/identities/{index}");
                faults.push(Fault::new(at, "invalid_identity", message));
            }
        }
        faults.extend(self.limits.faults());
        let rules = self.rules.faults().into_iter();
        faults.extend(rules.map(|fault| fault.below("/rules")));
        faults
    }

    /// The keys that somebody has already.
    fn repeated(&self, master: Option<KeyDigest>, known: &mut BTreeSet<KeyDigest>) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (index, key) in self.keys.iter().enumerate() {
            let message = if master == Some(key.sha256) {
                format!(
                    "is the hash of the master key, which the caller `{}` must not have; use another master key \
                     (BEDROCK_MASTER_KEY)",
                    self.name
                )
            } else if known.insert(key.sha256) {
                continue;
            } else {
                "is the hash of a key that is in use; every caller needs a key of its own"
                    .to_owned()
            };
            let at = format!("/keys/{index}/sha256");
            faults.push(Fault::new(at, "duplicate_key", message));
        }
        faults
    }
}

impl CallerLimits {
    /// Faults; pointers are relative to the caller.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let limits = [
            ("rpm", self.rpm),
            ("tpm", self.tpm),
            ("concurrent_requests", self.concurrent_requests),
        ];
        let zero = limits.into_iter().filter(|(_, limit)| *limit == Some(0));
        zero.map(|(name, _)| {
            let message = "must be at least 1; leave it out for no limit, or disable the caller";
            Fault::new(format!("/limits/{name}"), "out_of_range", message)
        })
        .collect()
    }
}

impl KeyHeaders {
    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.0.is_empty() {
            let message =
                "names no header, so that nobody could send a key; leave it out for the usual ones";
            faults.push(Fault::new("/headers", "no_header", message));
        }
        for (index, name) in self.0.iter().enumerate() {
            // Only lower case is found in Envoy's map.
            if HeaderName::from_lowercase(name.as_bytes()).is_err() {
                let message = "must be the name of a header, in lower case";
                let at = format!("/headers/{index}");
                faults.push(Fault::new(at, "invalid_header", message));
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_fault_is_found_at_once() {
        let hash = KeyDigest::of(b"k").to_string();
        let settings: CallerSettings = serde_json::from_value(json!({
            "headers": ["X-Key", "ok"],
            "master_key": hash,
            "identities": {"header": "x-user"},
            "nobody": {"guardrail": {"identifier": "", "version": "1"}},
            "entries": [
                {"name": "a", "id": "1", "models": ["", "ok*"], "limits": {"rpm": 0, "tpm": 1}, "identities": ["a:b"]},
                {"name": "a", "id": "1", "keys": [{"sha256": hash}], "channels": ["x y"], "identities": ["header:a"]},
                {"name": "master", "identities": ["header:a"]},
                {"name": "two words", "rules": {"request_metadata": {"k": "é"}}},
            ]
        }))
        .unwrap();
        let faults = settings.faults();
        let seen: Vec<_> = faults
            .iter()
            .map(|own| format!("{} {}", own.pointer, own.code))
            .collect();
        assert_eq!(
            seen,
            [
                "/headers/0 invalid_header",
                "/identities/header invalid_header",
                "/nobody/guardrail/identifier invalid_guardrail",
                "/entries/0/models/0 invalid_model_name",
                "/entries/0/identities/0 invalid_identity",
                "/entries/0/limits/rpm out_of_range",
                "/entries/1/channels/0 invalid_name",
                "/entries/1/name duplicate_name",
                "/entries/1/id duplicate_id",
                "/entries/1/keys/0/sha256 duplicate_key",
                "/entries/2/name reserved_name",
                "/entries/2/identities/0 duplicate_identity",
                "/entries/3/name invalid_name",
                "/entries/3/rules/request_metadata/k invalid_label",
            ]
        );
        // The service does not start then, so nobody could revoke the key.
        let master = faults.iter().find(|own| own.code == "duplicate_key");
        let message = &master.unwrap().message;
        assert!(message.contains("the master key") && message.contains("BEDROCK_MASTER_KEY"));
    }

    #[test]
    fn somebody_has_to_be_able_to_send_a_key() {
        let settings = CallerSettings {
            headers: KeyHeaders(Vec::new()),
            ..CallerSettings::default()
        };
        assert_eq!(settings.faults().len(), 1);
        assert_eq!(CallerSettings::default().faults(), []);
    }
}
