//! Edits of what is published together with the channels.
//!
//! There may be thousands of them in a row, and each changes the whole plugin configuration, so they are published
//! together: the first at once, those that follow in the next second after that second.

use std::collections::BTreeSet;
use std::time::Duration;

use bedrock_filter::config::KeyDigest;
use tokio::sync::{MutexGuard, watch};

use super::{Channels, Inner, InvalidContents, RenewError};
use crate::limit_rules::LimitValue;
use crate::publish::Publisher;
use crate::store::{Contents, Store, StoreError};

/// Least time between two publications.
const PAUSE: Duration = Duration::from_secs(1);

/// Time between looks at the rules of the fleet's rate limit service.
const TIDYING: Duration = Duration::from_secs(60);

/// The turn of one edit: while it lasts, nothing else is edited.
#[derive(Debug)]
pub(crate) struct Turn<'c> {
    inner: &'c Inner,
    contents: Contents,
    _publisher: MutexGuard<'c, Publisher>,
}

impl Turn<'_> {
    /// Everything that is stored.
    pub(crate) fn contents(&self) -> &Contents {
        &self.contents
    }

    /// The revision that the edit makes.
    pub(crate) fn next(&self) -> u64 {
        self.contents.revision + 1
    }

    /// Whether it is the hash of the master key.
    pub(crate) fn is_master_key(&self, digest: KeyDigest) -> bool {
        self.inner.settings.master_key == Some(digest)
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Ends the turn of an edit that was stored; it is published soon.
    pub(crate) fn publish(self) {
        self.inner.due.notify_one();
    }
}

impl Channels {
    /// Waits for the turn of an edit.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn turn(&self) -> Result<Turn<'_>, StoreError> {
        let publisher = self.inner.publisher.lock().await;
        Ok(Turn {
            inner: &self.inner,
            contents: self.inner.store.contents().await?,
            _publisher: publisher,
        })
    }

    /// Whether there is a master key.
    pub(crate) fn has_master_key(&self) -> bool {
        self.inner.settings.master_key.is_some()
    }

    /// Publishes edits until `stopped` turns true.
    pub(crate) async fn keep_publishing(self, mut stopped: watch::Receiver<bool>) {
        let mut tidying = tokio::time::interval(TIDYING);
        loop {
            let is_due = tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => break,
                _ = tidying.tick() => false,
                () = self.inner.due.notified() => true,
            };
            if !is_due {
                self.inner.tidy_rules().await;
                continue;
            }
            if let Err(error) = self.inner.publish_stored().await {
                tracing::error!(%error, "an edit was stored but not published");
            }
            tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => break,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }
}

impl Inner {
    /// Forgets the rules that no Envoy needs any more.
    async fn tidy_rules(&self) {
        let left = self.settings.limit_rules.tidy(self.fleet.oldest()).await;
        keep_limits(&self.store, left).await;
    }

    /// Publishes what is stored, if an edit of a channel has not done so.
    async fn publish_stored(&self) -> Result<(), RenewError> {
        let publisher = self.publisher.lock().await;
        let contents = self.store.contents().await?;
        if contents.revision == publisher.current().revision {
            return Ok(());
        }
        let snapshot = self
            .compile(&contents)
            .map_err(|faults| InvalidContents::new(&contents, &faults))?;
        self.publish(&publisher, snapshot).await;
        Ok(())
    }
}

/// Stores the values of limits that have rules, if they have changed: a restart must not take a rule from an Envoy that
/// still uses its limit.
pub(super) async fn keep_limits(store: &Store, values: Option<BTreeSet<LimitValue>>) {
    if let Some(values) = values
        && let Err(error) = store.keep_limits(&values).await
    {
        // It matters only to Envoys that were away when a limit changed, and after a restart.
        tracing::error!(%error, "limits were not kept");
    }
}
