//! Which clusters an Envoy should have: the target's, and for a while those that it no longer needs.
//!
//! All attempts of a request use the clusters that existed when it started. So a cluster stays while the
//! plugin configuration in force may name it, and then until such requests have ended.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::cluster::Cluster;

/// The most clusters kept at once, the latest ones, because each costs an Envoy memory and DNS lookups.
const MAX_LEFT_BEHIND: usize = 512;

/// Clusters that are no longer in the target, by name.
#[derive(Debug, Default)]
pub(super) struct LeftBehind {
    clusters: BTreeMap<String, Leaving>,
    /// A counter that identifies the latest ones.
    next: u64,
}

#[derive(Debug)]
struct Leaving {
    cluster: Cluster,
    since: u64,
    /// `None` while the plugin configuration in force may name it.
    until: Option<Instant>,
}

impl LeftBehind {
    /// Records that the Envoy has `cluster`, but the target does not.
    pub(super) fn keep(&mut self, cluster: &Cluster) {
        self.next += 1;
        let leaving = Leaving {
            cluster: cluster.clone(),
            since: self.next,
            until: None,
        };
        self.clusters.insert(cluster.name.clone(), leaving);
        if self.clusters.len() > MAX_LEFT_BEHIND {
            let oldest = self.clusters.values().min_by_key(|leaving| leaving.since);
            let oldest = oldest.map(|leaving| leaving.cluster.name.clone());
            self.clusters
                .retain(|name, _| Some(name) != oldest.as_ref());
        }
    }

    /// Records that the target again has a cluster with this name.
    pub(super) fn forget(&mut self, name: &str) {
        self.clusters.remove(name);
    }

    /// Records that no plugin configuration in force names any of them.
    pub(super) fn drain(&mut self, now: Instant, time: Duration) {
        for leaving in self.clusters.values_mut() {
            leaving.until.get_or_insert(now + time);
        }
    }

    /// Drops those whose time has passed.
    pub(super) fn expire(&mut self, now: Instant) {
        self.clusters
            .retain(|_, leaving| leaving.until.is_none_or(|until| until > now));
    }

    /// Records that the Envoy refused `sent`. It names the clusters that it does not accept, and accepts the
    /// others, so only those named are dropped: a refusal, such as that of a pool whose module is still being
    /// fetched, must not remove clusters that requests use. If it names none, any may be at fault, first of
    /// all those that only requests in progress need.
    pub(super) fn refused(&mut self, reason: &str, sent: &BTreeSet<Cluster>) {
        if sent.iter().any(|cluster| is_named(&cluster.name, reason)) {
            self.clusters.retain(|name, _| !is_named(name, reason));
        } else if self
            .clusters
            .values()
            .any(|leaving| leaving.until.is_some())
        {
            self.clusters.retain(|_, leaving| leaving.until.is_none());
        } else {
            self.clusters.clear();
        }
    }

    /// When the next one is dropped.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        self.clusters
            .values()
            .filter_map(|leaving| leaving.until)
            .min()
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Cluster> {
        self.clusters.values().map(|leaving| &leaving.cluster)
    }
}

/// Whether Envoy's reason is about this cluster: `Error adding/updating cluster(s) NAME: why, NAME: why`
/// (<https://github.com/envoyproxy/envoy/blob/main/source/common/upstream/cds_api_helper.cc>).
fn is_named(name: &str, reason: &str) -> bool {
    reason.match_indices(name).any(|(at, _)| {
        let (before, after) = (reason.get(..at), reason.get(at + name.len()..));
        before.is_some_and(|text| text.is_empty() || text.ends_with(' '))
            && after.is_some_and(|text| text.starts_with(':'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Transport;

    const TIME: Duration = Duration::from_secs(60);

    fn cluster(name: &str) -> Cluster {
        Cluster {
            name: name.to_owned(),
            hosts: Vec::new(),
            transport: Transport::Plain,
            stage: None,
            signing: None,
        }
    }

    fn names(left: &LeftBehind) -> Vec<&str> {
        left.iter().map(|cluster| cluster.name.as_str()).collect()
    }

    #[test]
    fn clusters_go_when_requests_have_ended() {
        let (mut left, now) = (LeftBehind::default(), Instant::now());
        left.keep(&cluster("a"));
        left.expire(now + 2 * TIME);
        assert_eq!(names(&left), ["a"], "it may be named");
        left.drain(now, TIME);
        left.keep(&cluster("b"));
        left.drain(now + TIME / 2, TIME);
        assert_eq!(left.wakes_at(), Some(now + TIME));
        left.expire(now + TIME);
        assert_eq!(names(&left), ["b"]);
        left.forget("b");
        assert_eq!(left.wakes_at(), None);
    }

    #[test]
    fn of_refused_clusters_only_the_named_ones_are_dropped() {
        let now = Instant::now();
        let left = || {
            let mut left = LeftBehind::default();
            left.keep(&cluster("p|a"));
            left.drain(now, TIME);
            left.keep(&cluster("p|a|b"));
            left
        };
        let sent: BTreeSet<_> = ["p|a", "p|a|b", "new"].map(cluster).into();
        for (reason, expected) in [
            ("cluster(s) new: no module", &["p|a", "p|a|b"][..]),
            ("cluster(s) new: no module, p|a|b: bad", &["p|a"]),
            ("cluster(s) p|a: bad", &["p|a|b"]),
            ("something is wrong", &["p|a|b"]),
        ] {
            let mut left = left();
            left.refused(reason, &sent);
            assert_eq!(names(&left), expected, "{reason}");
        }
        let mut left = left();
        for _ in 0..2 {
            left.refused("something is wrong", &sent);
        }
        assert!(names(&left).is_empty());
    }

    #[test]
    fn only_a_limited_number_stay() {
        let mut left = LeftBehind::default();
        for number in 0..MAX_LEFT_BEHIND + 2 {
            left.keep(&cluster(&format!("{number:04}")));
        }
        assert_eq!(left.iter().count(), MAX_LEFT_BEHIND);
        assert_eq!(names(&left).first(), Some(&"0002"));
    }
}
