//! The connected Envoys, and what each of them runs.
//!
//! An entry is one xDS stream, and disappears when the stream ends. Streams with the same node id are
//! one Envoy, because an Envoy may open a stream for each type of resource.

mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use time::OffsetDateTime;
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::cluster::short_name;

pub use view::FleetView;

use view::{EnvoyState, EnvoyView};

/// The header of an xDS stream in which an Envoy that gets its clusters from elsewhere lists them, by short name and
/// comma-separated: the manifests for Istio set it.
///
/// Further lists are in headers whose names begin with it, because Envoy sends only one of each name.
pub const CLUSTERS_HEADER: &str = "x-bedrock-clusters";

/// The value of that header when there are no clusters, which no short name can be.
pub(crate) const NO_CLUSTERS: &str = "none";

/// How long an Envoy may be behind the published configuration before it is reported as stalled.
/// Fetching and compiling a module takes seconds.
pub const STALLED_AFTER: Duration = Duration::from_secs(30);

/// Addresses that are remembered for having asked about limits: more than there are Envoys.
const MAX_ASKERS: usize = 100_000;

/// All connected Envoys. Clones share one state.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    state: Arc<Mutex<State>>,
    /// Tells when an Envoy gets the filter on pools.
    pools_filters: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// By the order in which they were opened.
    streams: BTreeMap<u64, Stream>,
    /// Addresses from which somebody has asked about callers' limits.
    askers: BTreeSet<IpAddr>,
}

/// How an Envoy identifies itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// `node.id`.
    pub id: String,
    /// `node.cluster`.
    pub cluster: String,
    /// Version of Envoy, when it says so.
    pub version: String,
    /// The clusters that it says it has from elsewhere, by short name.
    pub clusters: Option<BTreeSet<String>>,
}

impl Node {
    /// An Envoy as its latest stream that lists clusters has it: only some streams do, and one that gets another manifest
    /// opens others.
    fn of<'s>(streams: &[&'s Stream]) -> Option<&'s Self> {
        let nodes = || streams.iter().map(|stream| &stream.node);
        let lists = |node: &&Self| node.clusters.is_some();
        nodes().rfind(lists).or_else(|| nodes().next())
    }

    /// Whether it reports its clusters and this one is not among them.
    fn lacks(&self, cluster: &str) -> bool {
        let named = self.clusters.as_ref();
        named.is_some_and(|named| !named.contains(&short_name(cluster)))
    }
}

/// What an Envoy acknowledged and refused on one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The plugin configuration.
    pub plugin: Delivery,
    /// The clusters.
    pub clusters: Delivery,
    /// Whether it keeps what it has and is sent nothing, because the service started without
    /// channels.
    pub held: bool,
    /// What it still needs before it runs everything that is published.
    pub waiting_for: Option<WaitingFor>,
    /// Whether it has the current module's filter on pools.
    pub has_pools_filter: bool,
}

/// What keeps an Envoy from running the published revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitingFor {
    /// It has not acknowledged the clusters: it is resolving their names, or waiting for their
    /// filter.
    Clusters,
    /// It has not accepted the filter: it is fetching or compiling the module, or lacks the keys.
    Module,
    /// It has not acknowledged the plugin configuration.
    PluginConfiguration,
}

/// How far one type of resource has got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Whether the Envoy asks for it on this stream.
    pub subscribed: bool,
    /// The revision that it runs.
    pub active: Option<u64>,
    /// Whether it runs exactly what is published, to the last byte.
    pub is_current: bool,
    /// The last refusal that no later acknowledgement has superseded.
    pub rejected: Option<Rejection>,
}

/// A refusal in an Envoy's own words, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Rejection {
    /// The revision that was refused.
    pub revision: u64,
    /// Why.
    pub reason: String,
}

/// Numbers of Envoys, by how they stand with a revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FleetCounts {
    /// They run it.
    pub active: usize,
    /// They have not answered yet.
    pub pending: usize,
    /// They refused it.
    pub rejected: usize,
    /// They keep what they have, because the service started without channels.
    pub held: usize,
    /// They have been behind for longer than [`STALLED_AFTER`], whether they refused the revision
    /// or did not answer.
    pub stalled: usize,
}

/// Keeps a stream's entry; dropping it removes the entry.
#[derive(Debug)]
pub struct Entry {
    fleet: Fleet,
    key: u64,
}

#[derive(Debug)]
struct Stream {
    node: Node,
    peer: Option<SocketAddr>,
    connected_at: OffsetDateTime,
    progress: Progress,
    /// Since when it has been behind what is published.
    behind_since: Option<Instant>,
}

impl Fleet {
    /// Adds a stream that an Envoy has just opened.
    #[must_use]
    pub fn connect(&self, node: Node, peer: Option<SocketAddr>) -> Entry {
        let mut state = self.lock();
        let key = state.next;
        state.next += 1;
        let stream = Stream {
            node,
            peer,
            connected_at: OffsetDateTime::now_utc().truncate_to_millisecond(),
            progress: Progress::default(),
            behind_since: None,
        };
        state.streams.insert(key, stream);
        drop(state);
        Entry {
            fleet: self.clone(),
            key,
        }
    }

    /// Notes that somebody at an address asks about callers' limits. A question does not say which Envoy it is from.
    pub fn asks_about_limits(&self, peer: IpAddr) {
        let mut state = self.lock();
        if state.askers.len() < MAX_ASKERS {
            state.askers.insert(peer);
        }
    }

    /// The fleet as seen from `revision`.
    #[must_use]
    pub fn view(&self, revision: u64) -> FleetView {
        let state = self.lock();
        let nodes = state.by_node();
        let envoys = nodes
            .iter()
            .filter_map(|streams| EnvoyView::new(streams, revision, &state.askers));
        let envoys: Vec<_> = envoys.collect();
        drop(nodes);
        drop(state);
        let count = |state| envoys.iter().filter(|envoy| envoy.state == state).count();
        let mut summary = format!(
            "revision {revision} is active on {} of {} Envoys",
            count(EnvoyState::Active),
            envoys.len()
        );
        let held = count(EnvoyState::Held);
        if held > 0 {
            summary.push_str(&format!(
                "; because the service started without channels, {held} of them {} the channels of \
                 an earlier database until somebody makes an edit",
                if held == 1 { "keeps" } else { "keep" }
            ));
        }
        let stalled = envoys.iter().filter(|envoy| envoy.stalled).count();
        if stalled > 0 {
            summary.push_str(&format!("; {stalled} stalled"));
        }
        FleetView { envoys, summary }
    }

    /// Node ids of the Envoys that say which clusters they have, and lack one of these.
    #[must_use]
    pub fn lacking<'c>(&self, clusters: impl IntoIterator<Item = &'c str>) -> BTreeSet<String> {
        let state = self.lock();
        let envoys = state.by_node().into_iter();
        let nodes = envoys.filter_map(|streams| Node::of(&streams));
        let mut nodes: Vec<_> = nodes.filter(|node| node.clusters.is_some()).collect();
        let mut lacking = BTreeSet::new();
        if nodes.is_empty() {
            return lacking;
        }
        for cluster in clusters {
            nodes.retain(|node| {
                let lacks = node.lacks(cluster);
                if lacks {
                    lacking.insert(node.id.clone());
                }
                !lacks
            });
        }
        lacking
    }

    /// Whether an Envoy has its clusters from elsewhere, and on no stream the filter on pools.
    #[must_use]
    pub(crate) fn lacks_pools_filter(&self, node: &Node) -> bool {
        if node.clusters.is_none() {
            return false;
        }
        let state = self.lock();
        let mut own = state.streams.values().filter(|own| own.node.id == node.id);
        !own.any(|own| own.progress.has_pools_filter)
    }

    /// Changes whenever an Envoy gets the filter on pools.
    #[must_use]
    pub(crate) fn pools_filters(&self) -> watch::Receiver<()> {
        self.pools_filters.subscribe()
    }

    /// The earliest revision that a connected Envoy runs, 0 for one that runs none yet; nothing without Envoys.
    #[must_use]
    pub fn oldest(&self) -> Option<u64> {
        let state = self.lock();
        let envoys = state.by_node().into_iter();
        let running = envoys.filter_map(|streams| {
            let progress = Progress::merged(streams.iter().map(|stream| &stream.progress));
            // One that takes no plugin configuration runs none.
            let plugin = progress.plugin;
            plugin.subscribed.then(|| plugin.active.unwrap_or(0))
        });
        running.min()
    }

    /// Counts the Envoys by how they stand with `revision`.
    #[must_use]
    pub fn counts(&self, revision: u64) -> FleetCounts {
        let mut counts = FleetCounts::default();
        for envoy in self.view(revision).envoys {
            counts.stalled += usize::from(envoy.stalled);
            match envoy.state {
                EnvoyState::Active => counts.active += 1,
                EnvoyState::Pending => counts.pending += 1,
                EnvoyState::Rejected => counts.rejected += 1,
                EnvoyState::Held => counts.held += 1,
            }
        }
        counts
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// Records how far the Envoy has got, and since when it has been behind what is published.
    pub fn update(&self, progress: &Progress, behind_since: Option<Instant>) {
        let mut state = self.fleet.lock();
        let Some(stream) = state.streams.get_mut(&self.key) else {
            return;
        };
        stream.behind_since = behind_since;
        let gets_filter = progress.has_pools_filter && !stream.progress.has_pools_filter;
        if stream.progress != *progress {
            stream.progress = progress.clone();
        }
        drop(state);
        if gets_filter {
            self.fleet.pools_filters.send_replace(());
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.fleet.lock().streams.remove(&self.key);
    }
}

impl State {
    /// The streams of each Envoy, in the order in which the Envoys connected. Streams that name
    /// no node cannot be told apart, so each counts as an Envoy.
    fn by_node(&self) -> Vec<Vec<&Stream>> {
        let mut envoys: Vec<Vec<&Stream>> = Vec::new();
        let mut places = BTreeMap::new();
        for stream in self.streams.values() {
            let id = stream.node.id.as_str();
            let place = *places.entry(id).or_insert(envoys.len());
            match envoys.get_mut(place) {
                Some(streams) if !id.is_empty() => streams.push(stream),
                _ => envoys.push(vec![stream]),
            }
        }
        envoys
    }
}

impl Progress {
    /// Combines the state of several streams.
    fn merged<'a>(streams: impl Iterator<Item = &'a Self> + Clone) -> Self {
        Self {
            plugin: Delivery::merged(streams.clone().map(|progress| &progress.plugin)),
            clusters: Delivery::merged(streams.clone().map(|progress| &progress.clusters)),
            held: streams.clone().any(|progress| progress.held),
            has_pools_filter: streams.clone().any(|progress| progress.has_pools_filter),
            waiting_for: streams.filter_map(|progress| progress.waiting_for).min(),
        }
    }
}

impl Delivery {
    /// The slowest stream counts, and the latest refusal.
    fn merged<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        all.filter(|delivery| delivery.subscribed)
            .cloned()
            .reduce(|one, other| Self {
                subscribed: true,
                // `None`, for none yet, is less than any revision.
                active: one.active.min(other.active),
                is_current: one.is_current && other.is_current,
                rejected: [one.rejected, other.rejected]
                    .into_iter()
                    .flatten()
                    .max_by_key(|rejection| rejection.revision),
            })
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
