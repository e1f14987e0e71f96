//! The Envoys that are connected, and what each of them runs.
//!
//! An entry is one xDS stream; it disappears when the stream ends.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// All connected Envoys. Clones share one state.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    envoys: BTreeMap<u64, Envoy>,
}

/// Who an Envoy says it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// `node.id`.
    pub id: String,
    /// `node.cluster`.
    pub cluster: String,
    /// Version of Envoy, when it says so.
    pub version: String,
}

/// What an Envoy acknowledged and refused on one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The plugin configuration.
    pub plugin: Delivery,
    /// The clusters.
    pub clusters: Delivery,
}

/// How far one type of resource got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Whether the Envoy asks for it on this stream.
    pub subscribed: bool,
    /// The revision that is in force.
    pub active: Option<u64>,
    /// The last refusal that no later acknowledgement has superseded.
    pub rejected: Option<Rejection>,
}

/// A refusal in an Envoy's own words, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// The revision that was refused.
    pub revision: u64,
    /// Why.
    pub reason: String,
}

/// What `GET /api/status` shows.
#[derive(Debug, Serialize)]
pub struct FleetView {
    envoys: Vec<EnvoyView>,
    summary: String,
}

/// Keeps an Envoy's entry; dropping it removes the entry.
#[derive(Debug)]
pub struct Entry {
    fleet: Fleet,
    key: u64,
}

#[derive(Debug)]
struct Envoy {
    node: Node,
    peer: Option<SocketAddr>,
    connected_at: OffsetDateTime,
    progress: Progress,
}

#[derive(Debug, Serialize)]
struct EnvoyView {
    node_id: String,
    cluster: String,
    version: String,
    connected_at: String,
    peer: Option<String>,
    active_revision: Option<u64>,
    state: EnvoyState,
    rejected: Option<Rejection>,
    clusters: Option<ClustersView>,
}

#[derive(Debug, Serialize)]
struct ClustersView {
    active_revision: Option<u64>,
    rejected: Option<Rejection>,
}

/// Where an Envoy stands with the current revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum EnvoyState {
    /// It acknowledged it.
    Active,
    /// It has not answered yet.
    Pending,
    /// It refused it and keeps what it had.
    Rejected,
}

impl Fleet {
    /// Adds an Envoy that has just connected.
    #[must_use]
    pub fn connect(&self, node: Node, peer: Option<SocketAddr>) -> Entry {
        let mut state = self.lock();
        let key = state.next;
        state.next += 1;
        let envoy = Envoy {
            node,
            peer,
            connected_at: OffsetDateTime::now_utc().truncate_to_millisecond(),
            progress: Progress::default(),
        };
        state.envoys.insert(key, envoy);
        drop(state);
        Entry {
            fleet: self.clone(),
            key,
        }
    }

    /// The fleet as seen from `revision`.
    #[must_use]
    pub fn view(&self, revision: u64) -> FleetView {
        let envoys: Vec<_> = self
            .lock()
            .envoys
            .values()
            .map(|envoy| envoy.view(revision))
            .collect();
        let active = envoys
            .iter()
            .filter(|envoy| envoy.state == EnvoyState::Active)
            .count();
        let summary = format!(
            "revision {revision} is active on {active} of {} Envoys",
            envoys.len()
        );
        FleetView { envoys, summary }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// Records how far the Envoy is.
    pub fn update(&self, progress: &Progress) {
        if let Some(envoy) = self.fleet.lock().envoys.get_mut(&self.key)
            && envoy.progress != *progress
        {
            envoy.progress = progress.clone();
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.fleet.lock().envoys.remove(&self.key);
    }
}

impl Envoy {
    fn view(&self, revision: u64) -> EnvoyView {
        let Progress { plugin, clusters } = &self.progress;
        // On a stream for clusters alone, they are what counts.
        let leading = if plugin.subscribed { plugin } else { clusters };
        let rejected = plugin
            .rejected
            .clone()
            .or_else(|| clusters.rejected.clone());
        EnvoyView {
            node_id: self.node.id.clone(),
            cluster: self.node.cluster.clone(),
            version: self.node.version.clone(),
            connected_at: self.connected_at.format(&Rfc3339).unwrap_or_default(),
            peer: self.peer.map(|peer| peer.to_string()),
            active_revision: plugin.active,
            state: if rejected.as_ref().is_some_and(|it| it.revision == revision) {
                EnvoyState::Rejected
            } else if leading.active == Some(revision) {
                EnvoyState::Active
            } else {
                EnvoyState::Pending
            },
            rejected,
            clusters: clusters.subscribed.then(|| ClustersView {
                active_revision: clusters.active,
                rejected: clusters.rejected.clone(),
            }),
        }
    }
}
