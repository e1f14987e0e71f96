//! What an Envoy has from elsewhere than its stream: clusters, and on other streams filters.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;
use tonic::metadata::{KeyAndValueRef, MetadataMap};

use super::super::session::Lack;
use super::Stream;
use crate::cluster::short_name;
use crate::filter_code::FilterCode;
use crate::fleet::CLUSTERS_HEADER;
use crate::publish::Snapshot;

/// Longest headers of a stream, in bytes: those that list clusters have nine for each.
pub(super) const MAX_HEADER_BYTES: u32 = 1024 * 1024;

/// The short names of the clusters that a stream says its Envoy has.
pub(super) fn clusters(metadata: &MetadataMap) -> Option<BTreeSet<String>> {
    let lists = metadata.iter().filter_map(|header| match header {
        KeyAndValueRef::Ascii(key, list) if key.as_str().starts_with(CLUSTERS_HEADER) => {
            list.to_str().ok()
        }
        _ => None,
    });
    let mut lists = lists.peekable();
    lists.peek()?;
    let names = lists.flat_map(|list| list.split(','));
    Some(names.map(|name| name.trim().to_owned()).collect())
}

/// What an Envoy with these clusters lacks of a snapshot and its module, before anything is known of filters: of a
/// snapshot without pools it lacks nothing.
fn lack(clusters: Option<&BTreeSet<String>>, target: &Snapshot, code: &FilterCode) -> Lack {
    if let (Some(named), FilterCode::Served(module)) = (clusters, code)
        && !named.contains(&short_name(&module.cluster))
    {
        return Lack::Module;
    }
    let pools = target.clusters.iter().filter(|own| own.stage.is_some());
    let mut pools = pools.map(|own| short_name(&own.name)).peekable();
    match clusters {
        Some(named) if pools.peek().is_some() => {
            if pools.all(|pool| named.contains(&pool)) {
                Lack::Filter
            } else {
                Lack::Pools
            }
        }
        _ => Lack::Nothing,
    }
}

impl Stream {
    /// Makes a snapshot the one that the Envoy shall run.
    pub(super) fn aim_at(&mut self, target: Arc<Snapshot>) {
        let code = self.server.resources.code();
        self.lack = lack(self.clusters.as_ref(), &target, code);
        self.session.retarget(target);
    }

    /// Warns of what no later snapshot can fix.
    pub(super) fn log_lack(&self) {
        if self.lack == Lack::Module {
            let id = self.entry.as_ref().map_or("", |(_, node)| node.id.as_str());
            tracing::warn!(
                node.id = id,
                "Envoy keeps what it has: its manifest for Istio has no cluster to fetch this service's module from; \
                 start the service with --wasm-path-in-envoy instead of --wasm"
            );
        }
    }

    /// Tells the session what the Envoy lacks now.
    pub(super) fn note_lack(&mut self, now: Instant) {
        if let Some((_, node)) = &self.entry {
            let is_there = || !self.server.fleet.lacks_pools_filter(node);
            let lack = match self.lack {
                Lack::Filter if is_there() => Lack::Nothing,
                lack => lack,
            };
            self.session.lacks(lack, now);
        }
    }
}

/// Waits for a change; without anything to watch, waits forever.
pub(super) async fn change(watched: &mut Option<watch::Receiver<()>>) {
    if let Some(receiver) = watched
        && receiver.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}
