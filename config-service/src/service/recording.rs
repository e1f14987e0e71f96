//! The book of what requests used.

use tokio::sync::watch;

use super::StartError;
use crate::args::{Args, UsageRetention};
use crate::prices::Prices;
use crate::store::{Store, UsageStore};
use crate::usage::{self, Ledger};

/// Opens it, if one is to be kept.
pub(super) async fn open(args: &Args, channels: &Store) -> Result<Option<Ledger>, StartError> {
    let Some(database) = &args.usage.usage_database else {
        return Ok(None);
    };
    let prices = Prices::read(args.usage.prices.as_deref()).await?;
    let store = UsageStore::open(database).await?;
    let store = store.in_zone(args.usage.time_zone.clone());
    let ledger = Ledger::new(store, prices);
    ledger.enforce(channels.budgets().await?).await;
    Ok(Some(ledger))
}

/// Deletes what is old from it, until the stop.
pub(super) async fn prune(
    ledger: Option<Ledger>,
    retention: UsageRetention,
    stopped: watch::Receiver<bool>,
) {
    let store = ledger.map(|own| own.store().clone());
    usage::keep_pruning(store, retention.terms(), stopped).await;
}
