//! Forgets what is old, now and then.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use crate::store::{Retention, UsageStore};

/// How often. A single deletion takes milliseconds, so that it does not keep anybody waiting.
const EVERY: Duration = Duration::from_secs(600);

/// Deletes what is older than it may be, until the service stops.
pub(crate) async fn keep_pruning(
    store: Option<UsageStore>,
    keep: Retention,
    mut stopped: watch::Receiver<bool>,
) {
    let Some(store) = store else {
        // An error means that the service is gone, which also means to stop.
        let _ = stopped.wait_for(|stopped| *stopped).await;
        return;
    };
    loop {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = since.unwrap_or_default().as_secs();
        let pruned = store.prune(keep, i64::try_from(now).unwrap_or(i64::MAX));
        tokio::select! {
            pruned = pruned => match pruned {
                Ok(pruned) => tracing::debug!(?pruned, "old usage deleted"),
                Err(error) => tracing::error!(%error, "old usage cannot be deleted"),
            },
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}
