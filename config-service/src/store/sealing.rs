//! Sealing what is stored already: at start what is in clear, on demand everything.

use sqlx::FromRow;

use super::{Row, Store, StoreError};

/// Which stored channels are sealed anew.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    /// Those with a secret in clear.
    Clear,
    /// Those with a secret that is not sealed under the first key.
    NotCurrent,
}

impl Store {
    /// Seals every stored secret under the first key. Gives the number of channels that were changed
    /// and the number of all.
    ///
    /// # Errors
    ///
    /// When the database fails or a secret does not open; nothing is changed then.
    pub async fn reseal(&self) -> Result<(usize, usize), StoreError> {
        self.rewrite(Which::NotCurrent).await
    }

    pub(super) async fn seal_what_is_clear(&self) -> Result<(), StoreError> {
        if self.sealer.is_active() {
            let (channels, _) = self.rewrite(Which::Clear).await?;
            if channels > 0 {
                tracing::info!(
                    channels,
                    "stored credentials were in clear and are sealed now"
                );
            }
        }
        Ok(())
    }

    async fn rewrite(&self, which: Which) -> Result<(usize, usize), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let rows: Vec<Row> =
            sqlx::query_as("SELECT id, document, revision, created_at, updated_at FROM channels")
                .fetch_all(&mut *transaction)
                .await?;
        let all = rows.len();
        let mut changed = 0;
        for row in rows {
            let due = self.is_due(&row, which)?;
            // Also those that stay: what does not open is to be known now.
            let stored = row.read(&self.sealer)?;
            if !due {
                continue;
            }
            sqlx::query("UPDATE channels SET document = ? WHERE id = ?")
                .bind(self.document(&stored.channel)?)
                .bind(stored.id)
                .execute(&mut *transaction)
                .await?;
            changed += 1;
        }
        // What AWS issued can be had again, so it need not be sealed anew.
        let kept = match which {
            Which::Clear => "%\"sealed:v1:%".to_owned(),
            Which::NotCurrent => {
                format!(
                    "%\"sealed:v1:{}:%",
                    self.sealer.key_id().unwrap_or_default()
                )
            }
        };
        let dropped = sqlx::query("DELETE FROM issued_credentials WHERE document NOT LIKE ?")
            .bind(kept)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        if changed > 0 || dropped.rows_affected() > 0 {
            self.forget_old_pages().await?;
        }
        Ok((changed, all))
    }

    fn is_due(&self, row: &Row, which: Which) -> Result<bool, StoreError> {
        let channel = row.channel()?;
        let due = channel
            .credentials
            .secrets()
            .iter()
            .any(|secret| match which {
                Which::Clear => !bedrock_filter::seal::is_sealed(secret),
                Which::NotCurrent => !self.sealer.is_current(secret),
            });
        Ok(due)
    }

    /// Writes the file anew and empties the write-ahead log, so that neither holds what the rows held
    /// before.
    async fn forget_old_pages(&self) -> Result<(), StoreError> {
        sqlx::query("VACUUM").execute(&self.pool).await?;
        let checkpoint: Checkpoint = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&self.pool)
            .await?;
        if checkpoint.busy != 0 {
            tracing::warn!(
                "another process reads the database, so its write-ahead log still holds what was \
                 stored before; it is gone when the config-service has been stopped once"
            );
        }
        Ok(())
    }
}

#[derive(FromRow)]
struct Checkpoint {
    busy: i64,
}
