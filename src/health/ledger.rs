//! What is remembered of a channel.

mod stored;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Seen, Trouble};

/// For how long something is known after it was seen.
const MEMORY: Duration = Duration::from_secs(15 * 60);

/// Most models of a channel that are remembered: clients may name any.
const MAX_MODELS: usize = 200;

/// Longest name of a model that is remembered, in bytes.
const MAX_NAME: usize = 200;

/// What was seen of one channel, on all workers.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The revision with which the channel's credentials were refused, unless a later call was answered.
    refused: Option<u64>,
    models: BTreeMap<String, Record>,
}

/// What was seen of one model. Times are seconds since the epoch.
#[derive(Debug, Default, PartialEq, Eq)]
struct Record {
    answered: Option<u64>,
    failed: Option<u64>,
    /// What is wrong, since the last answer.
    trouble: Option<Trouble>,
}

/// How a channel is doing with a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What is known: `None` where nothing is.
    pub is_healthy: Option<bool>,
    /// What is wrong with it.
    pub trouble: Option<Trouble>,
    /// When the last call was answered, in seconds since the epoch.
    pub answered: Option<u64>,
    /// When the last call failed, likewise.
    pub failed: Option<u64>,
}

impl Ledger {
    /// Reads what was stored; whatever cannot be read counts as nothing.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        stored::read(bytes).unwrap_or_default()
    }

    /// The form in which it is stored.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        stored::write(self)
    }

    /// Adds what was seen; whether what is wrong with the channel or the model has changed by that.
    pub fn note(&mut self, seen: &Seen, now: SystemTime) -> bool {
        let now = seconds(now);
        let refused = match seen.trouble {
            None => None,
            Some(Trouble::Credentials) => Some(seen.revision),
            Some(_) => self.refused,
        };
        let has_changed = std::mem::replace(&mut self.refused, refused) != refused;
        if seen.model.len() > MAX_NAME {
            return has_changed;
        }
        let record = self.record(&seen.model);
        let has_changed = has_changed || record.trouble != seen.trouble;
        match seen.trouble {
            None => record.answered = Some(now),
            Some(_) => record.failed = Some(now),
        }
        record.trouble = seen.trouble;
        has_changed
    }

    /// How the channel is doing with a model while a revision is configured.
    #[must_use]
    pub fn standing(&self, model: &str, revision: u64, now: SystemTime) -> Standing {
        let record = self.models.get(model);
        let (answered, failed) = record.map_or((None, None), |own| (own.answered, own.failed));
        let trouble = record.and_then(|own| own.trouble);
        // An edit may have fixed the credentials.
        let is_refused = self.refused == Some(revision);
        let trouble = match trouble {
            _ if is_refused => Some(Trouble::Credentials),
            Some(Trouble::Credentials) => None,
            other => other,
        };
        let last = if trouble.is_some() { failed } else { answered };
        let oldest = seconds(now).saturating_sub(MEMORY.as_secs());
        let is_known = is_refused || last.is_some_and(|last| last >= oldest);
        Standing {
            is_healthy: is_known.then_some(trouble.is_none()),
            trouble: trouble.filter(|_| is_known),
            answered,
            failed,
        }
    }

    /// The models of which something was seen, by the clients' names.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        self.models.keys().map(String::as_str)
    }

    /// The record of a model; in place of the one that was seen least recently if there are too many.
    fn record(&mut self, model: &str) -> &mut Record {
        if self.models.len() >= MAX_MODELS && !self.models.contains_key(model) {
            let seen = |own: &Record| own.answered.max(own.failed);
            let oldest = self.models.iter().min_by_key(|(_, own)| seen(own));
            let oldest = oldest.map(|(name, _)| name.clone());
            if let Some(name) = oldest {
                self.models.remove(&name);
            }
        }
        self.models.entry(model.to_owned()).or_default()
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_000_000 + second)
    }

    fn seen(model: &str, trouble: Option<Trouble>) -> Seen {
        Seen {
            channel: "a".to_owned(),
            model: model.to_owned(),
            trouble,
            revision: 7,
        }
    }

    /// The ledger after these, one a second, stored and read again after each.
    fn ledger(all: &[(&str, Option<Trouble>)]) -> Ledger {
        let mut ledger = Ledger::default();
        for (second, (model, trouble)) in (0..).zip(all) {
            ledger.note(&seen(model, *trouble), at(second));
            ledger = Ledger::read(&ledger.to_bytes());
        }
        ledger
    }

    #[track_caller]
    fn check(all: &[(&str, Option<Trouble>)], expected: Option<bool>, trouble: Option<Trouble>) {
        let standing = ledger(all).standing("m", 7, at(10));
        assert_eq!(
            (standing.is_healthy, standing.trouble),
            (expected, trouble),
            "{all:?}"
        );
    }

    #[test]
    fn the_last_call_counts() {
        let (fine, down) = (None, Some(Trouble::Unavailable));
        check(&[], None, None);
        check(&[("m", fine)], Some(true), None);
        check(&[("m", fine), ("m", down)], Some(false), down);
        check(&[("m", down), ("m", fine)], Some(true), None);
        check(&[("other", down)], None, None);
        let standing = ledger(&[("m", fine), ("m", down)]).standing("m", 7, at(1));
        assert_eq!(
            (standing.answered, standing.failed),
            (Some(1_000_000), Some(1_000_001))
        );
    }

    #[test]
    fn refused_credentials_are_the_whole_channels_until_an_edit_or_an_answer() {
        let refused = Some(Trouble::Credentials);
        check(&[("other", refused)], Some(false), refused);
        check(&[("m", refused), ("other", None)], None, None);
        check(&[("m", refused), ("m", None)], Some(true), None);
        let ledger = ledger(&[("m", refused)]);
        assert_eq!(ledger.standing("m", 8, at(1)).is_healthy, None);
        assert_eq!(
            ledger.standing("m", 7, at(1_000_000)).is_healthy,
            Some(false)
        );
    }

    #[test]
    fn changes_are_told() {
        let (fine, down, refused) = (None, Some(Trouble::Model), Some(Trouble::Credentials));
        let mut ledger = Ledger::default();
        for (model, trouble, expected) in [
            ("m", fine, false),
            ("m", down, true),
            ("m", down, false),
            ("n", fine, false),
            ("m", fine, true),
            ("n", refused, true),
            ("n", refused, false),
            ("m", fine, true),
        ] {
            let changed = ledger.note(&seen(model, trouble), at(0));
            assert_eq!(changed, expected, "{model} {trouble:?}");
        }
    }

    #[test]
    fn what_is_old_is_not_known_any_more() {
        for trouble in [None, Some(Trouble::Throttled)] {
            let ledger = ledger(&[("m", trouble)]);
            let known = |second| ledger.standing("m", 7, at(second)).is_healthy;
            assert_eq!(known(900), Some(trouble.is_none()));
            assert_eq!(known(901), None);
        }
    }

    #[test]
    fn the_models_that_are_remembered_are_the_last() {
        let names: Vec<_> = (0..=MAX_MODELS)
            .map(|number| format!("m{number}"))
            .collect();
        let all: Vec<_> = names.iter().map(|name| (name.as_str(), None)).collect();
        let ledger = ledger(&all);
        assert_eq!(ledger.models().count(), MAX_MODELS);
        assert!(!ledger.models().any(|own| own == "m0"));
        let mut ledger = Ledger::default();
        ledger.note(&seen(&"x".repeat(MAX_NAME + 1), None), at(0));
        assert_eq!(ledger.models().count(), 0);
    }

    #[test]
    fn what_cannot_be_read_is_nothing() {
        let whole = ledger(&[("m", None), ("n", Some(Trouble::Model))]).to_bytes();
        let ends = [10, 17, 26, 27, whole.len() - 1].map(|end| &whole[..end]);
        let other = [&[1], &whole[1..]].concat();
        let trouble = [&whole[..25], &[9], &whole[26..]].concat();
        let name = [&whole[..27], b"\xff", &whole[28..]].concat();
        let earlier: &[u8] = br#"{"version":1,"refused":7,"models":{}}"#;
        let wrong: [&[u8]; 5] = [b"", earlier, &other, &trouble, &name];
        for bytes in wrong.into_iter().chain(ends) {
            assert_eq!(Ledger::read(bytes), Ledger::default(), "{bytes:?}");
        }
        assert_eq!(Ledger::read(&whole).models().count(), 2);
    }
}
