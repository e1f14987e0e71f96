//! The SQLite database: channels, credentials, the audit trail and the revision. The only place with SQL.
//!
//! Every accepted edit is one transaction that changes the channel's row, adds one audit entry and
//! raises the revision by one.

mod audit;
mod budgets;
mod callers;
mod choices;
mod clusters;
mod credentials;
mod discoveries;
mod error;
mod file;
mod issued;
mod limits;
mod lock;
mod open;
mod prices;
mod private;
mod sealing;
mod tokens;
mod usage;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqlitePool;
use sqlx::{FromRow, Sqlite, Transaction};

use crate::caller::CallerBook;
use crate::channel::{Channel, StoredChannel, StoredCredential, resolve};
use crate::model_choice::StoredChoice;
use crate::seal::Sealer;

pub use audit::{AuditEntry, AuditQuery};
pub use budgets::{Budget, BudgetEdit, CallerRename};
pub use callers::{CallerAuditEntry, CallerAuditQuery};
pub(crate) use callers::{CallerChange, KeyChange, NewKey};
pub use choices::ChoiceAuditEntry;
pub(crate) use choices::ChoiceChange;
pub(crate) use clusters::KeptCluster;
pub use credentials::{CredentialAuditEntry, CredentialChange};
pub use error::StoreError;
pub use open::Creation;
pub use prices::{DollarRates, PriceEdit};
pub use tokens::TokenEntry;
pub use usage::{
    Dimension, Entry, Latencies, Latency, Line, Order, Pruned, Resolution, Retention, Spent,
    Subject, Sums, Taken, Unserved, UsageQuery, UsageStore,
};

use lock::Lock;

/// How long a statement waits while another process has the database locked.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Handle of the database; clones share its connections.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
    sealer: Sealer,
    callers: callers::Cache,
    /// Held by the only service that may serve from the file.
    lock: Option<Arc<Lock>>,
}

/// Everything that is configured, at one revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents {
    /// Its number.
    pub revision: u64,
    /// Channels in the order in which they are tried.
    pub channels: Vec<StoredChannel>,
    /// Everybody who may call.
    pub callers: Arc<CallerBook>,
    /// Credentials that are stored by themselves, in the order of their names.
    pub credentials: Vec<StoredCredential>,
    /// Names that choose a model, in their order.
    pub choices: Vec<StoredChoice>,
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
        /// The revision that this rolls back to, if it is a rollback.
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
    /// When the database fails or contains a channel that cannot be read.
    pub async fn contents(&self) -> Result<Contents, StoreError> {
        // One transaction, so that revision and channels match.
        let mut transaction = self.pool.begin().await?;
        let revision: i64 = sqlx::query_scalar("SELECT revision FROM meta WHERE id = 1")
            .fetch_one(&mut *transaction)
            .await?;
        let rows: Vec<Known> = sqlx::query_as(
            "SELECT id, channels.document, revision, created_at, updated_at, \
             asked_at, discoveries.document AS discovery \
             FROM channels LEFT JOIN discoveries ON channel_id = id ORDER BY sequence",
        )
        .fetch_all(&mut *transaction)
        .await?;
        let callers = self.caller_book(&mut transaction).await?;
        let credentials = self.credentials(&mut transaction).await?;
        let choices = choices::read_all(&mut transaction).await?;
        transaction.commit().await?;
        let channels = rows.into_iter().map(|row| {
            let mut stored = row.read(&self.sealer)?;
            // One that leads nowhere has no key, like a source without an answer.
            let _ = resolve(&mut stored.channel.credentials, &credentials);
            Ok(stored)
        });
        Ok(Contents {
            callers,
            revision: revision.unsigned_abs(),
            channels: channels.collect::<Result<_, StoreError>>()?,
            credentials,
            choices,
        })
    }

    /// Stores an edit as revision `next`.
    ///
    /// Returns the channel as it is now, or as it last was if it was deleted.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when `next` does not follow the database's revision. An error
    /// means that nothing was changed.
    pub async fn commit(
        &self,
        next: u64,
        actor: &str,
        change: Change<'_>,
    ) -> Result<StoredChannel, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let stored = self.make(&mut transaction, next, actor, change).await?;
        transaction.commit().await?;
        Ok(stored)
    }

    /// Creates channels as revision `first` and the ones after it: all of them, or none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when `first` does not follow the database's revision. An error means that
    /// nothing was changed.
    pub(crate) async fn create_all(
        &self,
        first: u64,
        actor: &str,
        channels: &[Channel],
    ) -> Result<Vec<StoredChannel>, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let mut created = Vec::new();
        for (next, channel) in (first..).zip(channels) {
            let change = Change::Create(channel);
            created.push(self.make(&mut transaction, next, actor, change).await?);
        }
        transaction.commit().await?;
        Ok(created)
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

    /// Closes all connections, which also folds the write-ahead log into the file, and
    /// releases the file for others to serve from.
    pub async fn close(&self) {
        self.pool.close().await;
        if let Some(lock) = &self.lock {
            lock.release();
        }
    }

    async fn make(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        next: u64,
        actor: &str,
        change: Change<'_>,
    ) -> Result<StoredChannel, StoreError> {
        let stamp = raise(transaction, next).await?;
        let stored = self.write_channel(transaction, change, &stamp).await?;
        audit::write(transaction, actor, change, &stored, &stamp).await?;
        Ok(stored)
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
        let discovery = match change {
            Change::Create(_) => None,
            Change::Update { before, .. } | Change::Delete(before) => before.discovery.clone(),
        };
        Ok(StoredChannel {
            discovery,
            ..row.read(&self.sealer)?
        })
    }

    /// A channel as stored, with its secrets sealed.
    fn document(&self, channel: &Channel) -> Result<String, StoreError> {
        let mut channel = channel.clone();
        self.sealer
            .seal(&channel.name, channel.credentials.secrets_mut())?;
        json(&channel)
    }
}

/// A number as the database stores it, whose integers have a sign.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Makes `next` the revision, which has to follow the present one.
async fn raise(transaction: &mut Transaction<'_, Sqlite>, next: u64) -> Result<Stamp, StoreError> {
    let stamp = sqlx::query_as(
        "UPDATE meta SET revision = revision + 1 WHERE id = 1 AND revision + 1 = ? \
         RETURNING revision, strftime('%Y-%m-%dT%H:%M:%fZ', 'now') AS at",
    )
    .bind(signed(next))
    .fetch_optional(&mut **transaction)
    .await?;
    stamp.ok_or(StoreError::Conflict)
}

/// A value as it is stored.
fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Sqlite(sqlx::Error::Encode(error.into())))
}

#[derive(FromRow)]
struct Row {
    id: String,
    document: String,
    revision: i64,
    created_at: String,
    updated_at: String,
}

/// A row, with what the channel's account has.
#[derive(FromRow)]
struct Known {
    #[sqlx(flatten)]
    row: Row,
    asked_at: Option<i64>,
    discovery: Option<String>,
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
            discovery: None,
        })
    }

    /// The channel with its secrets as stored.
    fn channel(&self) -> Result<Channel, StoreError> {
        let mut deserializer = serde_json::Deserializer::from_str(&self.document);
        serde_path_to_error::deserialize(&mut deserializer).map_err(|error| StoreError::Corrupt {
            id: self.id.clone(),
            path: error.path().to_string(),
        })
    }
}

impl Known {
    fn read(self, sealer: &Sealer) -> Result<StoredChannel, StoreError> {
        let told = self.asked_at.zip(self.discovery);
        Ok(StoredChannel {
            discovery: told.and_then(|(at, text)| discoveries::read(at, &text)),
            ..self.row.read(sealer)?
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
        // Clients could ask it for everything, and an upgrade takes nothing away.
        assert_eq!(channel.allow_model_ids, ModelIds::Any);
        assert_eq!(channel.model_families.len(), 1);
    }
}
