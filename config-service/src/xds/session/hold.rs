//! Whether an Envoy keeps what it has, because the service started without channels.
//!
//! If a database is new, or older than what an Envoy runs, and has no channels, they were probably lost, not
//! deleted. Pushing that would end every request, so an Envoy that has a later configuration keeps it until
//! an edit shows what is intended.

use crate::publish::{Origin, Snapshot};

/// The latest revision that an Envoy has reported.
#[derive(Debug, Default)]
pub(super) struct Brought(Option<u64>);

impl Brought {
    /// Records the version in a request, such as `12-1a2b3c4d`.
    pub(super) fn note(&mut self, version: &str) {
        let revision = version.split('-').next();
        let revision = revision.and_then(|text| text.parse().ok());
        self.0 = self.0.max(revision);
    }

    /// Whether the Envoy keeps what it has instead of `target`.
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
            credentials: Vec::new(),
            choices: Vec::new(),
            revision,
            channels: Vec::new(),
            callers: std::sync::Arc::default(),
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
    fn an_envoy_ahead_of_a_start_without_channels_keeps_what_it_has() {
        let new = started_without_channels(0);
        check(&["1"], &new, true);
        check(&["", "12-1a2b3c4d", ""], &new, true);
        check(&[""], &new, false);
        check(&["0"], &new, false);
        check(&["not a revision"], &new, false);
        // An old backup; or the last channel was deleted, which the Envoy may or may not know.
        let old = started_without_channels(3);
        check(&["4"], &old, true);
        check(&["3"], &old, false);
        check(&["2"], &old, false);
    }

    #[test]
    fn edits_and_configurations_with_channels_are_sent() {
        let mut wanted = started_without_channels(0);
        wanted.origin = Origin::Change;
        check(&["1"], &wanted, false);
        let mut with_channels = started_without_channels(0);
        with_channels.channels = 1;
        check(&["1"], &with_channels, false);
    }
}
