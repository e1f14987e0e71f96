//! The book of what requests used.

use std::time::Duration;

use tokio::sync::watch;

use super::StartError;
use crate::args::{Args, UsageRetention};
use crate::prices::Prices;
use crate::store::{Store, UsageStore};
use crate::usage::{self, Ledger};

/// After how long budgets are read again that could not be.
const AGAIN: Duration = Duration::from_secs(5);

/// Opens it, if one is to be kept.
pub(super) async fn open(args: &Args, channels: &Store) -> Result<Option<Ledger>, StartError> {
    let Some(database) = &args.usage.usage_database else {
        return Ok(None);
    };
    let prices = Prices::read(args.usage.prices.as_deref()).await?;
    let store = UsageStore::open(database).await?;
    let store = store.in_zone(args.usage.time_zone.clone());
    let ledger = Ledger::new(store, prices);
    ledger.charge_stored(channels).await?;
    ledger.enforce_stored(channels).await?;
    Ok(Some(ledger))
}

/// Deletes what is old from it, and enforces the budgets that callers are given, until the stop.
///
/// `edits` says that something was edited, and where it is stored.
pub(super) async fn keep<T>(
    ledger: Option<Ledger>,
    retention: UsageRetention,
    edits: (Store, watch::Receiver<T>),
    stopped: watch::Receiver<bool>,
) {
    let store = ledger.as_ref().map(|own| own.store().clone());
    let pruning = usage::keep_pruning(store, retention.terms(), stopped.clone());
    tokio::join!(pruning, keep_enforcing(ledger, edits, stopped));
}

/// Callers have budgets as fields, so every edit of one may change some.
async fn keep_enforcing<T>(
    ledger: Option<Ledger>,
    (store, mut published): (Store, watch::Receiver<T>),
    mut stopped: watch::Receiver<bool>,
) {
    let Some(ledger) = ledger else {
        return;
    };
    let mut is_due = false;
    loop {
        tokio::select! {
            () = tokio::time::sleep(AGAIN), if is_due => {}
            changed = published.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
        let done = ledger.enforce_stored(&store).await;
        is_due = done.is_err();
        if let Err(error) = done {
            tracing::error!(%error, "budgets cannot be read; those from before the latest edit apply");
        }
    }
}
