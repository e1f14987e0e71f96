//! The fleet as it is shown.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::Serialize;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;

use super::{Node, Progress, Rejection, STALLED_AFTER, Stream, WaitingFor};

/// What `GET /api/status` shows.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Fleet)]
pub struct FleetView {
    /// Those that are connected.
    pub(super) envoys: Vec<EnvoyView>,
    /// How many of the connected Envoys run the revision, in words.
    pub(super) summary: String,
}

impl FleetView {
    /// How many Envoys run the revision, in words.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// The view with what Envoys lack of these clusters.
    #[must_use]
    pub fn needing<'c>(mut self, clusters: impl IntoIterator<Item = &'c str>) -> Self {
        for cluster in clusters {
            let lacking = self.envoys.iter_mut();
            for envoy in lacking.filter(|envoy| envoy.node.lacks(cluster)) {
                envoy.missing_clusters.push(cluster.to_owned());
            }
        }
        let lacks = |envoy: &&EnvoyView| !envoy.missing_clusters.is_empty();
        let lacking = self.envoys.iter().filter(lacks).count();
        if lacking > 0 {
            self.summary.push_str(&format!(
                "; {lacking} {} clusters that channels need, so export the manifest for Istio again and apply it",
                if lacking == 1 { "lacks" } else { "lack" }
            ));
        }
        self
    }

    /// How many of the Envoys have not asked about callers' limits yet.
    #[must_use]
    pub fn not_asking_about_limits(&self) -> usize {
        let envoys = self.envoys.iter();
        envoys.filter(|own| !own.asks_about_limits).count()
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
    /// The cluster that it reports.
    cluster: String,
    /// Envoy's version; empty if it does not report one.
    version: String,
    /// Open xDS streams with this node id. More than one for each type of resource means that several
    /// Envoys have the same id.
    streams: usize,
    /// When the oldest of these streams was opened.
    #[schema(format = DateTime)]
    connected_at: String,
    /// Remote addresses of the streams.
    peers: Vec<String>,
    /// The plugin configuration that it runs; null when it has none yet.
    #[schema(required)]
    active_revision: Option<u64>,
    /// How it stands with the published revision.
    pub(super) state: EnvoyState,
    /// The latest refusal that no later acknowledgement has superseded.
    #[schema(required)]
    rejected: Option<Rejection>,
    /// The state of its clusters; null for an Envoy that takes only the plugin configuration.
    #[schema(required)]
    clusters: Option<ClustersView>,
    /// What it still needs before it runs what is published; null when it is up to date.
    #[schema(required)]
    waiting_for: Option<WaitingFor>,
    /// How long it has been behind what is published, in seconds; null when it is up to date.
    #[schema(required)]
    behind_seconds: Option<u64>,
    /// Whether that is longer than 30 seconds.
    pub(super) stalled: bool,
    /// Clusters that channels need and that it does not have, so that their requests get 503 there: export the manifest
    /// for Istio again and apply it. Empty for an Envoy that gets its clusters from here, or does not say.
    missing_clusters: Vec<String>,
    /// Whether anybody at its address has asked this service about callers' limits since it started. If not, although
    /// callers with limits use it and `limit_mode` is `shared`, it lacks the rate limit filter or asks another service.
    pub(super) asks_about_limits: bool,
    #[serde(skip)]
    node: Node,
}

/// The state of an Envoy's clusters.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EnvoyClusters)]
struct ClustersView {
    /// The revision whose clusters it has.
    #[schema(required)]
    active_revision: Option<u64>,
    /// The latest refusal that no later acknowledgement has superseded.
    #[schema(required)]
    rejected: Option<Rejection>,
}

/// How an Envoy stands with the current revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum EnvoyState {
    /// It acknowledged the revision.
    Active,
    /// It has not answered yet.
    Pending,
    /// It refused the revision and keeps what it had.
    Rejected,
    /// It keeps what it has and is sent nothing, because the service started without channels.
    Held,
}

impl EnvoyView {
    /// The view of one Envoy; `None` without streams.
    pub(super) fn new(
        streams: &[&Stream],
        revision: u64,
        askers: &BTreeSet<IpAddr>,
    ) -> Option<Self> {
        let first = streams.first()?;
        let progress = Progress::merged(streams.iter().map(|stream| &stream.progress));
        let Progress {
            plugin,
            clusters,
            held,
            waiting_for,
            has_pools_filter: _,
        } = progress;
        let since = streams.iter().filter_map(|stream| stream.behind_since);
        let behind = since.min().map(|since| since.elapsed());
        // For an Envoy that asks only for clusters, they are what counts.
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
        let asks_about_limits = peers.clone().any(|peer| askers.contains(&peer.ip()));
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
            missing_clusters: Vec::new(),
            asks_about_limits,
            node: Node::of(streams)?.clone(),
        })
    }
}
