//! What an Envoy has from elsewhere than its stream: clusters, and on other streams filters.

use std::collections::BTreeSet;

use tokio::sync::watch;
use tonic::metadata::MetadataMap;

use crate::fleet::CLUSTERS_HEADER;
use crate::publish::Snapshot;

/// The short names of the clusters that a stream says its Envoy has.
pub(super) fn clusters(metadata: &MetadataMap) -> Option<BTreeSet<String>> {
    let list = metadata.get(CLUSTERS_HEADER)?.to_str().ok()?;
    let names = list.split(',').map(str::trim);
    Some(names.map(ToOwned::to_owned).collect())
}

/// Whether a snapshot has pools.
pub(super) fn have_pools(target: &Snapshot) -> bool {
    target.clusters.iter().any(|own| own.stage.is_some())
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
