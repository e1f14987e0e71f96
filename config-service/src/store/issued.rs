//! Credentials that AWS issued, kept so that a restart does not need AWS at once. They are sealed like
//! those that administrators enter.

use std::time::{Duration, SystemTime};

use bedrock_filter::config::Credentials as Issued;
use sqlx::{FromRow, Sqlite, Transaction};

use super::{Store, StoreError, json, raise, signed};
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
    /// Creates revision `next` for credentials that AWS renewed, and keeps them. This is not an edit, so
    /// there is no audit entry.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when `next` does not follow the database's revision. An error means that
    /// nothing was changed.
    pub(crate) async fn renew(&self, next: u64, issued: &[Saved]) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        raise(&mut transaction, next).await?;
        sqlx::query("DELETE FROM issued_credentials")
            .execute(&mut *transaction)
            .await?;
        for saved in issued {
            self.write_issued(&mut transaction, saved).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The credentials that are kept. Those that can no longer be read are left out, and AWS is asked
    /// again.
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
        let document = json(&credentials)?;
        let expires_at = saved.fetched.expires_at.map(milliseconds);
        sqlx::query(
            "INSERT INTO issued_credentials (channel_id, channel_revision, document, expires_at) \
             SELECT id, ?2, ?3, ?4 FROM channels WHERE id = ?1",
        )
        .bind(&saved.channel_id)
        .bind(signed(saved.channel_revision))
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
