//! The audit trail of callers.

use serde_json::Value;
use sqlx::{FromRow, Sqlite, Transaction};

use super::CallerChange;
use crate::caller::{Policy, StoredCaller};
use crate::store::{Stamp, Store, StoreError, json, signed};

/// Which edits to return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerAuditQuery {
    /// Only those of the caller with this id.
    pub caller: Option<String>,
    /// Only those before this revision.
    pub before: Option<u64>,
    /// At most this many.
    pub limit: u32,
}

/// One accepted edit, as recorded.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct CallerAuditEntry {
    /// The revision that the edit created.
    pub revision: i64,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// Who.
    pub actor: String,
    /// `create`, `update` or `delete`.
    pub action: String,
    /// The caller's id; nothing if the edit was about all callers.
    pub caller_id: Option<String>,
    /// The caller's name after the edit, or its last name.
    pub caller_name: Option<String>,
    /// The caller before the edit, as JSON.
    pub before: Option<String>,
    /// The caller after the edit, as JSON.
    pub after: Option<String>,
    /// The revision that the edit rolled back to.
    pub restored: Option<i64>,
}

impl Store {
    /// The audit trail of callers, newest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn caller_audit(
        &self,
        query: &CallerAuditQuery,
    ) -> Result<Vec<CallerAuditEntry>, StoreError> {
        let entries = sqlx::query_as(
            "SELECT revision, at, actor, action, caller_id, caller_name, before, after, restored \
             FROM caller_audit WHERE revision < ?1 AND (?2 IS NULL OR caller_id = ?2) \
             ORDER BY revision DESC LIMIT ?3",
        )
        .bind(query.before.map_or(i64::MAX, signed))
        .bind(&query.caller)
        .bind(query.limit)
        .fetch_all(&self.pool)
        .await?;
        Ok(entries)
    }

    /// A caller as it was after `at`, as JSON; `None` when it did not exist.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn audited_caller(
        &self,
        caller: &str,
        at: u64,
    ) -> Result<Option<String>, StoreError> {
        let after: Option<Option<String>> = sqlx::query_scalar(
            "SELECT after FROM caller_audit WHERE caller_id = ? AND revision <= ? \
             ORDER BY revision DESC LIMIT 1",
        )
        .bind(caller)
        .bind(signed(at))
        .fetch_optional(&self.pool)
        .await?;
        Ok(after.flatten())
    }
}

pub(super) async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    actor: &str,
    change: &CallerChange<'_>,
    stored: &StoredCaller,
    stamp: &Stamp,
) -> Result<(), StoreError> {
    let action = match (change.before, change.after) {
        (None, _) => "create",
        (Some(_), Some(_)) => "update",
        (Some(_), None) => "delete",
    };
    let shown = |caller: &StoredCaller| Value::Object(caller.audited()).to_string();
    insert(
        transaction,
        CallerAuditEntry {
            revision: stamp.revision,
            at: stamp.at.clone(),
            actor: actor.to_owned(),
            action: action.to_owned(),
            caller_id: Some(stored.id.clone()),
            caller_name: Some(stored.caller.name.clone()),
            before: change.before.map(shown),
            after: change.after.map(|_| shown(stored)),
            restored: change.restored.map(signed),
        },
    )
    .await
}

pub(super) async fn write_policy(
    transaction: &mut Transaction<'_, Sqlite>,
    actor: &str,
    (before, after): (&Policy, &Policy),
    stamp: &Stamp,
) -> Result<(), StoreError> {
    insert(
        transaction,
        CallerAuditEntry {
            revision: stamp.revision,
            at: stamp.at.clone(),
            actor: actor.to_owned(),
            action: "update".to_owned(),
            caller_id: None,
            caller_name: None,
            before: Some(json(before)?),
            after: Some(json(after)?),
            restored: None,
        },
    )
    .await
}

async fn insert(
    transaction: &mut Transaction<'_, Sqlite>,
    entry: CallerAuditEntry,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO caller_audit \
         (revision, at, actor, action, caller_id, caller_name, before, after, restored) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(entry.revision)
    .bind(entry.at)
    .bind(entry.actor)
    .bind(entry.action)
    .bind(entry.caller_id)
    .bind(entry.caller_name)
    .bind(entry.before)
    .bind(entry.after)
    .bind(entry.restored)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
