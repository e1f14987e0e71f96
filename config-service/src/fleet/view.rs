//! The fleet as it is shown.

use serde::Serialize;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;

use super::{Progress, Rejection, STALLED_AFTER, Stream, WaitingFor};

/// What `GET /api/status` shows.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Fleet)]
pub struct FleetView {
    /// Those that are connected.
    pub(super) envoys: Vec<EnvoyView>,
    /// On how many of the connected Envoys the revision is active, in words.
    pub(super) summary: String,
}

impl FleetView {
    /// On how many Envoys the revision is active, in words.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// Node ids of the Envoys that refuse the revision, with their reasons.
    pub fn refusals(&self) -> impl Iterator<Item = (&str, &str)> {
        let refusing = self.envoys.iter();
        let refusing = refusing.filter(|envoy| envoy.state == EnvoyState::Rejected);
        refusing.filter_map(|envoy| {
            let rejection = envoy.rejected.as_ref()?;
            Some((envoy.node_id.as_str(), rejection.reason.as_str()))
        })
    }
}

/// A connected Envoy.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Envoy)]
pub(super) struct EnvoyView {
    /// Its node id.
    node_id: String,
    /// Its cluster, as it says.
    cluster: String,
    /// Of Envoy; empty when it does not say.
    version: String,
    /// Open xDS streams with this node id. More than one for each type of resource means that several
    /// Envoys have the same id.
    streams: usize,
    /// When the oldest of them was opened.
    #[schema(format = DateTime)]
    connected_at: String,
    /// Their other ends.
    peers: Vec<String>,
    /// The plugin configuration that it runs; null when it has none yet.
    #[schema(required)]
    active_revision: Option<u64>,
    /// Where it stands.
    pub(super) state: EnvoyState,
    /// The latest refusal that no acknowledgement has superseded.
    #[schema(required)]
    rejected: Option<Rejection>,
    /// How far the clusters are; null for an Envoy that takes the plugin configuration alone.
    #[schema(required)]
    clusters: Option<ClustersView>,
    /// What has to happen before it runs what is published; null when it does.
    #[schema(required)]
    waiting_for: Option<WaitingFor>,
    /// For how long it has not run what is published, in seconds; null when it does.
    #[schema(required)]
    behind_seconds: Option<u64>,
    /// Whether that is longer than 30 seconds.
    pub(super) stalled: bool,
}

/// How far an Envoy's clusters are.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EnvoyClusters)]
struct ClustersView {
    /// The revision whose clusters it has.
    #[schema(required)]
    active_revision: Option<u64>,
    /// The latest refusal that no acknowledgement has superseded.
    #[schema(required)]
    rejected: Option<Rejection>,
}

/// Where an Envoy stands with the current revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum EnvoyState {
    /// It acknowledged it.
    Active,
    /// It has not answered yet.
    Pending,
    /// It refused it and keeps what it had.
    Rejected,
    /// It is sent nothing and keeps what it has, because the service started without channels.
    Held,
}

impl EnvoyView {
    /// The view of one Envoy; `None` without streams.
    pub(super) fn new(streams: &[&Stream], revision: u64) -> Option<Self> {
        let first = streams.first()?;
        let progress = Progress::merged(streams.iter().map(|stream| &stream.progress));
        let Progress {
            plugin,
            clusters,
            held,
            waiting_for,
        } = progress;
        let since = streams.iter().filter_map(|stream| stream.behind_since);
        let behind = since.min().map(|since| since.elapsed());
        // For an Envoy that asks for clusters alone, they are what counts.
        let leading = if plugin.subscribed {
            &plugin
        } else {
            &clusters
        };
        let rejected = plugin.rejected.clone();
        let rejected = rejected.or_else(|| clusters.rejected.clone());
        let state = if held {
            EnvoyState::Held
        } else if rejected.as_ref().is_some_and(|it| it.revision == revision) {
            EnvoyState::Rejected
        } else if leading.active == Some(revision) && leading.is_current {
            EnvoyState::Active
        } else {
            EnvoyState::Pending
        };
        let peers = streams.iter().filter_map(|stream| stream.peer);
        Some(Self {
            node_id: first.node.id.clone(),
            cluster: first.node.cluster.clone(),
            version: first.node.version.clone(),
            streams: streams.len(),
            connected_at: first.connected_at.format(&Rfc3339).unwrap_or_default(),
            peers: peers.map(|peer| peer.to_string()).collect(),
            active_revision: plugin.active,
            state,
            rejected,
            clusters: clusters.subscribed.then_some(ClustersView {
                active_revision: clusters.active,
                rejected: clusters.rejected,
            }),
            waiting_for,
            behind_seconds: behind.map(|behind| behind.as_secs()),
            stalled: behind.is_some_and(|behind| behind >= STALLED_AFTER),
        })
    }
}
