//! The SQLite database: channels, the audit trail and the revision. The only place with SQL.
//!
//! Every accepted edit is one transaction that changes the channel's row, adds one audit entry and
//! raises the revision by one.

mod audit;
mod clusters;
mod error;
mod file;
mod issued;
mod lock;
mod open;
mod private;
mod sealing;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::SqlitePool;
use sqlx::{FromRow, Sqlite, Transaction};

use crate::channel::{Channel, StoredChannel};
use crate::seal::Sealer;

pub use audit::{AuditEntry, AuditQuery};
pub(crate) use clusters::KeptCluster;
pub use error::StoreError;
pub use open::Creation;
pub use tokens::TokenEntry;

use lock::Lock;

/// How long a statement waits for another process that holds the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Handle of the database; clones share its connections.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
    sealer: Sealer,
    /// Held by the one service that serves from the file.
    lock: Option<Arc<Lock>>,
}

/// Everything that is configured, at one revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents {
    /// Number of edits that led here.
    pub revision: u64,
    /// Channels in the order in which they are tried.
    pub channels: Vec<StoredChannel>,
}

/// An edit that passed every check.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// Adds a channel after all others.
    Create(&'a Channel),
    /// Replaces the content of a channel.
    Update {
        /// What is stored now.
        before: &'a StoredChannel,
        /// What replaces it.
        after: &'a Channel,
        /// The revision that this goes back to, if it does.
        restored: Option<u64>,
    },
    /// Removes a channel.
    Delete(&'a StoredChannel),
}

impl Store {
    /// Everything that is configured.
    ///
    /// # Errors
    ///
    /// When the database fails or holds a channel that cannot be read.
    pub async fn contents(&self) -> Result<Contents, StoreError> {
        // One transaction, so that revision and channels belong together.
        let mut transaction = self.pool.begin().await?;
        let revision: i64 = sqlx::query_scalar("SELECT revision FROM meta WHERE id = 1")
            .fetch_one(&mut *transaction)
            .await?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, document, revision, created_at, updated_at FROM channels ORDER BY sequence",
        )
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Contents {
            revision: revision.unsigned_abs(),
            channels: rows
                .into_iter()
                .map(|row| row.read(&self.sealer))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Stores an edit as revision `next`.
    ///
    /// Gives the channel as it is now, or as it was when it is gone.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when `next` does not follow the database's revision; nothing is
    /// changed by any error.
    pub async fn commit(
        &self,
        next: u64,
        actor: &str,
        change: Change<'_>,
    ) -> Result<StoredChannel, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let stamp: Stamp = sqlx::query_as(
            "UPDATE meta SET revision = revision + 1 WHERE id = 1 AND revision + 1 = ? \
             RETURNING revision, strftime('%Y-%m-%dT%H:%M:%fZ', 'now') AS at",
        )
        .bind(i64::try_from(next).unwrap_or(i64::MAX))
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or(StoreError::Conflict)?;
        let stored = self.write_channel(&mut transaction, change, &stamp).await?;
        audit::write(&mut transaction, actor, change, &stored, &stamp).await?;
        transaction.commit().await?;
        Ok(stored)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub async fn check(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT revision FROM meta WHERE id = 1")
            .fetch_one(&self.pool)
            .await?;
        Ok(())
    }

    /// Ends all connections, which also folds the write-ahead log into the file, and gives the file up
    /// for others to serve from.
    pub async fn close(&self) {
        self.pool.close().await;
        if let Some(lock) = &self.lock {
            lock.release();
        }
    }

    async fn write_channel(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        change: Change<'_>,
        stamp: &Stamp,
    ) -> Result<StoredChannel, StoreError> {
        let row: Row =
            match change {
                Change::Create(channel) => {
                    sqlx::query_as(
                        "INSERT INTO channels (name, document, revision, created_at, updated_at) \
                     VALUES (?1, ?2, ?3, ?4, ?4) \
                     RETURNING id, document, revision, created_at, updated_at",
                    )
                    .bind(&channel.name)
                    .bind(self.document(channel)?)
                    .bind(stamp.revision)
                    .bind(&stamp.at)
                    .fetch_one(&mut **transaction)
                    .await?
                }
                Change::Update { before, after, .. } => sqlx::query_as(
                    "UPDATE channels SET name = ?1, document = ?2, revision = ?3, updated_at = ?4 \
                     WHERE id = ?5 RETURNING id, document, revision, created_at, updated_at",
                )
                .bind(&after.name)
                .bind(self.document(after)?)
                .bind(stamp.revision)
                .bind(&stamp.at)
                .bind(&before.id)
                .fetch_one(&mut **transaction)
                .await?,
                Change::Delete(before) => {
                    sqlx::query_as(
                        "DELETE FROM channels WHERE id = ? \
                     RETURNING id, document, revision, created_at, updated_at",
                    )
                    .bind(&before.id)
                    .fetch_one(&mut **transaction)
                    .await?
                }
            };
        row.read(&self.sealer)
    }

    /// A channel as it is stored: its secrets sealed.
    fn document(&self, channel: &Channel) -> Result<String, StoreError> {
        let mut channel = channel.clone();
        self.sealer
            .seal(&channel.name, channel.credentials.secrets_mut())?;
        serde_json::to_string(&channel)
            .map_err(|error| StoreError::Sqlite(sqlx::Error::Encode(error.into())))
    }
}

#[derive(FromRow)]
struct Row {
    id: String,
    document: String,
    revision: i64,
    created_at: String,
    updated_at: String,
}

#[derive(FromRow)]
struct Stamp {
    revision: i64,
    at: String,
}

impl Row {
    fn read(self, sealer: &Sealer) -> Result<StoredChannel, StoreError> {
        let mut channel = self.channel()?;
        sealer.open(&channel.name, channel.credentials.secrets_mut())?;
        Ok(StoredChannel {
            id: self.id,
            channel,
            revision: self.revision.unsigned_abs(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }

    /// The channel with its secrets as they are stored.
    fn channel(&self) -> Result<Channel, StoreError> {
        let mut deserializer = serde_json::Deserializer::from_str(&self.document);
        serde_path_to_error::deserialize(&mut deserializer).map_err(|error| StoreError::Corrupt {
            id: self.id.clone(),
            path: error.path().to_string(),
        })
    }
}

impl Change<'_> {
    /// `create`, `update` or `delete`.
    #[must_use]
    pub fn action(self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Update { .. } => "update",
            Self::Delete(_) => "delete",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedrock_filter::config::{Api, ModelIds};

    #[test]
    fn a_document_of_an_earlier_version_gets_defaults_for_newer_fields() {
        let row = Row {
            id: "0123".to_owned(),
            document: r#"{"name":"a","enabled":true,"region":"us-east-1","credentials":
                {"type":"static","access_key_id":"AKIDEXAMPLE","secret_access_key":"s"},
                "model_families":{"m":"anthropic"},"cross_region":"geo"}"#
                .to_owned(),
            revision: 1,
            created_at: String::new(),
            updated_at: String::new(),
        };
        let channel = row.read(&Sealer::default()).unwrap().channel;
        assert_eq!(channel.api, Api::Auto);
        assert!(channel.model_apis.is_empty());
        assert_eq!(channel.guardrail, None);
        // It could be asked for everything, and an upgrade takes nothing away.
        assert_eq!(channel.allow_model_ids, ModelIds::Any);
        assert_eq!(channel.model_families.len(), 1);
    }
}
