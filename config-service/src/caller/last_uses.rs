//! When callers and their keys were last used.

use std::collections::BTreeMap;

use super::{StoredCaller, StoredKey, Timestamp};

/// When callers and their keys were last used, as far as that is recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastUses {
    callers: BTreeMap<String, Timestamp>,
    keys: BTreeMap<String, Timestamp>,
}

impl LastUses {
    /// Notes when somebody with this name last asked.
    pub(crate) fn note_caller(&mut self, name: String, at: Timestamp) {
        self.callers.insert(name, at);
    }

    /// Notes when a key was last sent, by the start of its hash.
    pub(crate) fn note_key(&mut self, mark: String, at: Timestamp) {
        self.keys.insert(mark, at);
    }

    /// When a key was last sent.
    #[must_use]
    pub fn of_key(&self, key: &StoredKey) -> Option<Timestamp> {
        self.keys.get(&key.mark()).copied()
    }

    /// When a caller last asked. Another one may have had its name before it, and it another name.
    #[must_use]
    pub fn of_caller(&self, stored: &StoredCaller) -> Option<Timestamp> {
        let made = stored.created_at.parse::<Timestamp>().ok();
        let by_name = self.callers.get(&stored.caller.name).copied();
        let by_name = by_name.filter(|at| made.is_none_or(|made| *at >= made));
        let by_key = stored.keys.iter().filter_map(|key| self.of_key(key)).max();
        by_name.max(by_key)
    }
}

#[cfg(test)]
mod tests {
    use bedrock_filter::config::KeyDigest;

    use super::*;
    use crate::caller::Caller;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn stored(key: &[u8]) -> StoredCaller {
        let key = StoredKey {
            id: "k".to_owned(),
            name: String::new(),
            digest: KeyDigest::of(key),
            hint: String::new(),
            expires_at: None,
            created_at: "2027-01-01T00:00:00Z".to_owned(),
            created_by: "admin".to_owned(),
            is_rotated: false,
        };
        StoredCaller {
            id: "c".to_owned(),
            caller: Caller {
                name: "team-a".to_owned(),
                ..Caller::default()
            },
            keys: vec![key],
            revision: 1,
            created_at: "2027-01-01T00:00:00.5Z".to_owned(),
            updated_at: "2027-01-01T00:00:00Z".to_owned(),
        }
    }

    #[test]
    fn a_use_is_found_by_key_and_by_name_unless_somebody_else_had_the_name() {
        let mut uses = LastUses::default();
        let own = stored(b"key");
        assert_eq!(uses.of_caller(&own), None);
        uses.note_caller("team-a".to_owned(), at("2026-12-31"));
        assert_eq!(uses.of_caller(&own), None, "before there was the caller");
        uses.note_caller("team-a".to_owned(), at("2027-01-02"));
        assert_eq!(uses.of_caller(&own), Some(at("2027-01-02")));
        uses.note_key(own.keys[0].mark(), at("2027-01-03"));
        assert_eq!(uses.of_key(&own.keys[0]), Some(at("2027-01-03")));
        assert_eq!(uses.of_caller(&own), Some(at("2027-01-03")));
        assert_eq!(uses.of_key(&stored(b"other").keys[0]), None);
    }
}
