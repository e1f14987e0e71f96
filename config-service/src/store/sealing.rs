//! Sealing what is already stored: at start what is in clear text, on request everything.

use bedrock_filter::secret::Secret;
use sqlx::{FromRow, Sqlite, Transaction};

use super::{Row, Store, StoreError, credentials};
use crate::channel::Credentials;

/// Which stored channels to seal again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    /// Those with a secret in clear text.
    Clear,
    /// Those with a secret that is not sealed with the first key.
    NotCurrent,
}

impl Store {
    /// Seals every stored secret with the first key. Returns how many channels were changed, and how
    /// many there are.
    ///
    /// # Errors
    ///
    /// When the database fails or a secret cannot be opened; then nothing is changed.
    pub async fn reseal(&self) -> Result<(usize, usize), StoreError> {
        self.rewrite(Which::NotCurrent).await
    }

    pub(super) async fn seal_what_is_clear(&self) -> Result<(), StoreError> {
        if self.sealer.is_active() {
            let (channels, _) = self.rewrite(Which::Clear).await?;
            if channels > 0 {
                tracing::info!(
                    channels,
                    "stored credentials were in clear text and are now sealed"
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
            // Also for those that stay, so that a secret that cannot be opened is noticed now.
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
        let shared = self.rewrite_shared(&mut transaction, which).await?;
        // AWS can issue credentials again, so these need not be sealed again.
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
        if changed > 0 || shared > 0 || dropped.rows_affected() > 0 {
            self.forget_old_pages().await?;
        }
        Ok((changed, all))
    }

    /// The same for credentials that are stored by themselves; returns how many were changed.
    async fn rewrite_shared(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        which: Which,
    ) -> Result<usize, StoreError> {
        let mut changed = 0;
        for row in credentials::rows(transaction).await? {
            let due = self.is_any_due(&row.sealed()?, which);
            let stored = self.read_credential(row)?;
            if !due {
                continue;
            }
            sqlx::query("UPDATE credentials SET document = ? WHERE name = ?")
                .bind(self.credential_document(&stored.name, &stored.credentials)?)
                .bind(&stored.name)
                .execute(&mut **transaction)
                .await?;
            changed += 1;
        }
        Ok(changed)
    }

    fn is_due(&self, row: &Row, which: Which) -> Result<bool, StoreError> {
        Ok(self.is_any_due(&row.channel()?.credentials, which))
    }

    fn is_any_due(&self, credentials: &Credentials, which: Which) -> bool {
        let is_due = |secret: &Secret| match which {
            Which::Clear => !bedrock_filter::seal::is_sealed(secret),
            Which::NotCurrent => !self.sealer.is_current(secret),
        };
        credentials.secrets().iter().any(is_due)
    }

    /// Rewrites the file and empties the write-ahead log, so that neither keeps what the rows
    /// contained before.
    async fn forget_old_pages(&self) -> Result<(), StoreError> {
        sqlx::query("VACUUM").execute(&self.pool).await?;
        let checkpoint: Checkpoint = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&self.pool)
            .await?;
        if checkpoint.busy != 0 {
            tracing::warn!(
                "another process is reading the database, so its write-ahead log still contains \
                 what was stored before; restart the config-service to clear it"
            );
        }
        Ok(())
    }
}

#[derive(FromRow)]
struct Checkpoint {
    busy: i64,
}
