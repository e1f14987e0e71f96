//! The audit trail.

use sqlx::{FromRow, Sqlite, Transaction};

use super::{Change, Stamp, Store, StoreError, signed};
use crate::channel::{Channel, StoredChannel, masked};

/// Which edits to return.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Only those of the channel with this id.
    pub channel: Option<String>,
    /// Only those of the shared credential with this name.
    pub credential: Option<String>,
    /// Only those before this revision.
    pub before: Option<u64>,
    /// At most this many.
    pub limit: u32,
}

/// One accepted edit, as recorded. Secrets are masked.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AuditEntry {
    /// The revision that the edit created.
    pub revision: i64,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// Who.
    pub actor: String,
    /// `create`, `update` or `delete`.
    pub action: String,
    /// The channel's id; empty if the edit was of a shared credential.
    pub channel_id: String,
    /// The channel's name after the edit, or its last name.
    pub channel_name: String,
    /// The shared credential's name, if the edit was of one.
    pub credential: Option<String>,
    /// What was edited before the edit, as JSON.
    pub before: Option<String>,
    /// The same after it, as JSON.
    pub after: Option<String>,
    /// The revision that the edit rolled back to.
    pub restored: Option<i64>,
}

impl Store {
    /// The audit trail of channels and shared credentials, newest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        let before = query.before.map_or(i64::MAX, signed);
        let entries = sqlx::query_as(
            "SELECT revision, at, actor, action, channel_id, channel_name, NULL AS credential, \
             before, after, restored \
             FROM audit WHERE revision < ?1 AND ?3 IS NULL AND (?2 IS NULL OR channel_id = ?2) \
             UNION ALL \
             SELECT revision, at, actor, action, '', '', name, before, after, restored \
             FROM credential_audit WHERE revision < ?1 AND ?2 IS NULL AND (?3 IS NULL OR name = ?3) \
             ORDER BY revision DESC LIMIT ?4",
        )
        .bind(before)
        .bind(&query.channel)
        .bind(&query.credential)
        .bind(query.limit)
        .fetch_all(&self.pool)
        .await?;
        Ok(entries)
    }

    /// A channel as it was after `at`, without its secrets, as JSON; `None` when it did not exist.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn audited(&self, channel: &str, at: u64) -> Result<Option<String>, StoreError> {
        let after: Option<Option<String>> = sqlx::query_scalar(
            "SELECT after FROM audit WHERE channel_id = ? AND revision <= ? \
             ORDER BY revision DESC LIMIT 1",
        )
        .bind(channel)
        .bind(signed(at))
        .fetch_optional(&self.pool)
        .await?;
        Ok(after.flatten())
    }
}

pub(super) async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    actor: &str,
    change: Change<'_>,
    stored: &StoredChannel,
    stamp: &Stamp,
) -> Result<(), StoreError> {
    let (before, after, restored) = match change {
        Change::Create(after) => (None, Some(after), None),
        Change::Update {
            before,
            after,
            restored,
        } => (Some(&before.channel), Some(after), restored),
        Change::Delete(before) => (Some(&before.channel), None, None),
    };
    let shown = |channel: &Channel| serde_json::Value::Object(masked(channel)).to_string();
    sqlx::query(
        "INSERT INTO audit \
         (revision, at, actor, action, channel_id, channel_name, before, after, restored) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(stamp.revision)
    .bind(&stamp.at)
    .bind(actor)
    .bind(change.action())
    .bind(&stored.id)
    .bind(&stored.channel.name)
    .bind(before.map(shown))
    .bind(after.map(shown))
    .bind(restored.map(signed))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
