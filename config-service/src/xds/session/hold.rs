//! Whether an Envoy keeps what it has, because the service started with nothing to give.
//!
//! A database that is new, or older than what an Envoy runs, has no channels because somebody lost them, not
//! because somebody deleted them. To push that would end every request; so it is not pushed to an Envoy that
//! has more, until an edit says what is meant.

use crate::publish::{Origin, Snapshot};

/// The latest revision that an Envoy has told of.
#[derive(Debug, Default)]
pub(super) struct Brought(Option<u64>);

impl Brought {
    /// Takes the version of a request, such as `12-1a2b3c4d`.
    pub(super) fn note(&mut self, version: &str) {
        let revision = version.split('-').next();
        let revision = revision.and_then(|text| text.parse().ok());
        self.0 = self.0.max(revision);
    }

    /// Whether the Envoy keeps what it has in place of `target`.
    pub(super) fn outlives(&self, target: &Snapshot) -> bool {
        let is_unasked = target.origin == Origin::Start && target.channels == 0;
        is_unasked && self.0 > Some(target.revision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::IssuedCredentials;
    use crate::settings::Settings;
    use crate::store::Contents;

    fn started_without_channels(revision: u64) -> Snapshot {
        let contents = Contents {
            revision,
            channels: Vec::new(),
        };
        let issued = IssuedCredentials::new();
        let mut snapshot = Snapshot::compile(&contents, &Settings::default(), &issued).unwrap();
        snapshot.origin = Origin::Start;
        snapshot
    }

    #[track_caller]
    fn check(versions: &[&str], target: &Snapshot, expected: bool) {
        let mut brought = Brought::default();
        for version in versions {
            brought.note(version);
        }
        assert_eq!(brought.outlives(target), expected, "{versions:?}");
    }

    #[test]
    fn what_is_later_than_a_start_without_channels_stays() {
        let new = started_without_channels(0);
        check(&["1"], &new, true);
        check(&["", "12-1a2b3c4d", ""], &new, true);
        check(&[""], &new, false);
        check(&["0"], &new, false);
        check(&["not a revision"], &new, false);
        // An old backup; or the last channel was deleted, and the Envoy may know or not.
        let old = started_without_channels(3);
        check(&["4"], &old, true);
        check(&["3"], &old, false);
        check(&["2"], &old, false);
    }

    #[test]
    fn what_somebody_wants_and_what_has_channels_goes_out() {
        let mut wanted = started_without_channels(0);
        wanted.origin = Origin::Change;
        check(&["1"], &wanted, false);
        let mut with_channels = started_without_channels(0);
        with_channels.channels = 1;
        check(&["1"], &with_channels, false);
    }
}
