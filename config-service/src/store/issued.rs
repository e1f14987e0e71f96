//! Credentials that AWS issued, kept so that a restart does not need AWS at once. Sealed like those
//! that administrators write.

use std::time::{Duration, SystemTime};

use bedrock_filter::config::Credentials as Issued;
use sqlx::{FromRow, Sqlite, Transaction};

use super::{Store, StoreError};
use crate::credentials::ledger::{Fetched, Saved};

#[derive(FromRow)]
struct Row {
    channel_id: String,
    channel_name: String,
    channel_revision: i64,
    document: String,
    expires_at: Option<i64>,
}

impl Store {
    /// Makes revision `next` for credentials that AWS renewed, and keeps them. No edit is made, so there
    /// is no audit entry.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when `next` does not follow the database's revision; nothing is
    /// changed by any error.
    pub(crate) async fn renew(&self, next: u64, issued: &[Saved]) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let raised = sqlx::query(
            "UPDATE meta SET revision = revision + 1 WHERE id = 1 AND revision + 1 = ?",
        )
        .bind(i64::try_from(next).unwrap_or(i64::MAX))
        .execute(&mut *transaction)
        .await?;
        if raised.rows_affected() != 1 {
            return Err(StoreError::Conflict);
        }
        sqlx::query("DELETE FROM issued_credentials")
            .execute(&mut *transaction)
            .await?;
        for saved in issued {
            self.write_issued(&mut transaction, saved).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// What is kept. What cannot be read any more is left out: AWS will be asked for it.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn issued(&self) -> Result<Vec<Saved>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT channel_id, channels.name AS channel_name, channel_revision, \
             issued_credentials.document, expires_at \
             FROM issued_credentials JOIN channels ON channels.id = channel_id",
        )
        .fetch_all(&self.pool)
        .await?;
        let read = rows.into_iter().filter_map(|row| self.read_issued(row));
        Ok(read.collect())
    }

    async fn write_issued(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        saved: &Saved,
    ) -> Result<(), StoreError> {
        let mut credentials = saved.fetched.credentials.clone();
        self.sealer
            .seal(&saved.channel_name, credentials.secrets_mut())?;
        let document = serde_json::to_string(&credentials)
            .map_err(|error| StoreError::Sqlite(sqlx::Error::Encode(error.into())))?;
        let expires_at = saved.fetched.expires_at.map(milliseconds);
        sqlx::query(
            "INSERT INTO issued_credentials (channel_id, channel_revision, document, expires_at) \
             SELECT id, ?2, ?3, ?4 FROM channels WHERE id = ?1",
        )
        .bind(&saved.channel_id)
        .bind(i64::try_from(saved.channel_revision).unwrap_or(i64::MAX))
        .bind(document)
        .bind(expires_at)
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }

    fn read_issued(&self, row: Row) -> Option<Saved> {
        let mut credentials: Issued = serde_json::from_str(&row.document).ok()?;
        self.sealer
            .open(&row.channel_name, credentials.secrets_mut())
            .ok()?;
        Some(Saved {
            channel_id: row.channel_id,
            channel_revision: row.channel_revision.unsigned_abs(),
            channel_name: row.channel_name,
            fetched: Fetched {
                credentials,
                expires_at: row.expires_at.map(time),
            },
        })
    }
}

pub(super) fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

fn time(milliseconds: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds.unsigned_abs())
}
