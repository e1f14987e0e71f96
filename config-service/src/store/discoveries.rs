//! What accounts have, according to Bedrock's control plane.

use super::{Store, StoreError, json, raise, signed};
use crate::channel::Discovery;

impl Store {
    /// Keeps what an account has; with `next` as revision `next`, because Envoys have to get it. This is
    /// not an edit, so there is no audit entry.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when `next` does not follow the database's revision; nothing is changed by any
    /// error.
    pub(crate) async fn keep_discovery(
        &self,
        channel_id: &str,
        found: &Discovery,
        next: Option<u64>,
    ) -> Result<(), StoreError> {
        let document = json(found)?;
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        if let Some(next) = next {
            raise(&mut transaction, next).await?;
        }
        // The channel may be gone by now.
        sqlx::query(
            "INSERT OR REPLACE INTO discoveries (channel_id, asked_at, document) \
             SELECT id, ?2, ?3 FROM channels WHERE id = ?1",
        )
        .bind(channel_id)
        .bind(signed(found.asked))
        .bind(document)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// What an account had when it was asked, in seconds since the epoch. What can no longer be read counts as not asked.
pub(super) fn read(asked_at: i64, document: &str) -> Option<Discovery> {
    let found: Discovery = serde_json::from_str(document).ok()?;
    Some(Discovery {
        asked: asked_at.unsigned_abs(),
        ..found
    })
}
