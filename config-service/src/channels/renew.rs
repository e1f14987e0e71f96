//! Publishing what AWS issued: a revision without an edit.

use std::sync::Arc;

use super::{Channels, Inner, InvalidContents};
use crate::store::StoreError;

/// Why renewed credentials were not published.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stored channels do not compile.
    #[error(transparent)]
    Invalid(#[from] InvalidContents),
    /// The service is stopping.
    #[error("the publication was interrupted")]
    Interrupted,
}

impl Channels {
    /// Publishes what AWS has issued meanwhile, as a separate revision: it is not an edit, so
    /// there is no audit entry.
    ///
    /// # Errors
    ///
    /// When the database fails; what is published stays as it was.
    pub async fn renew(&self) -> Result<(), RenewError> {
        let inner = Arc::clone(&self.inner);
        // A separate task, as for an edit, so that it is not interrupted between storing and
        // publishing.
        let task = tokio::spawn(async move { inner.renew().await });
        task.await.map_err(|_| RenewError::Interrupted)?
    }
}

impl Inner {
    async fn renew(&self) -> Result<(), RenewError> {
        let publisher = self.publisher.lock().await;
        let mut contents = self.store.contents().await?;
        contents.revision += 1;
        let snapshot = self
            .compile(&contents)
            .map_err(|faults| InvalidContents::new(&contents, &faults))?;
        self.store
            .renew(snapshot.revision, &self.keeper.saved())
            .await?;
        tracing::info!(
            revision = snapshot.revision,
            "renewed credentials published"
        );
        self.publish(&publisher, snapshot).await;
        Ok(())
    }
}
