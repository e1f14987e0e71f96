//! Names that choose a model.

use bedrock_filter::config::ModelChoice;
use serde_json::json;
use sqlx::{FromRow, Sqlite, Transaction};

use super::{Stamp, Store, StoreError, json as written, raise, signed};
use crate::model_choice::StoredChoice;

/// What is done to a name; it passed every check.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChoiceChange<'a> {
    /// The name.
    pub(crate) name: &'a str,
    /// What is stored now, if anything.
    pub(crate) before: Option<&'a StoredChoice>,
    /// What it is to choose from; nothing to delete it.
    pub(crate) after: Option<&'a ModelChoice>,
    /// The revision that this rolls back to, if it is a rollback.
    pub(crate) restored: Option<u64>,
}

/// One accepted edit of a name that chooses, as recorded.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ChoiceAuditEntry {
    /// The revision that the edit created.
    pub revision: i64,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// Who.
    pub actor: String,
    /// `create`, `update` or `delete`.
    pub action: String,
    /// What the name chose from before the edit, as an object with `choice`.
    pub before: Option<String>,
    /// What it chose from after the edit, likewise.
    pub after: Option<String>,
    /// The revision that the edit rolled back to.
    pub restored: Option<i64>,
}

#[derive(FromRow)]
struct Row {
    name: String,
    document: String,
    revision: i64,
    created_at: String,
    updated_at: String,
}

impl Store {
    /// Stores an edit as revision `next`; returns what is stored now, or what was until now if it was deleted.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when `next` does not follow the database's revision. An error means that nothing was
    /// changed.
    pub(crate) async fn commit_choice(
        &self,
        next: u64,
        actor: &str,
        change: ChoiceChange<'_>,
    ) -> Result<StoredChoice, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let stamp = raise(&mut transaction, next).await?;
        let row = write(&mut transaction, change, &stamp).await?;
        audit(&mut transaction, actor, change, &stamp).await?;
        transaction.commit().await?;
        row.read()
    }

    /// The edits of a name before a revision, newest first, at most this many.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn choice_audit(
        &self,
        name: &str,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<ChoiceAuditEntry>, StoreError> {
        let entries = sqlx::query_as(
            "SELECT revision, at, actor, action, before, after, restored FROM model_choice_audit \
             WHERE name = ?1 AND revision < ?2 ORDER BY revision DESC LIMIT ?3",
        )
        .bind(name)
        .bind(before.map_or(i64::MAX, signed))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        Ok(entries)
    }

    /// What a name chose from after `at`, as an object with `choice`; `None` when it did not choose.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn audited_choice(
        &self,
        name: &str,
        at: u64,
    ) -> Result<Option<String>, StoreError> {
        let after: Option<Option<String>> = sqlx::query_scalar(
            "SELECT after FROM model_choice_audit WHERE name = ? AND revision <= ? \
             ORDER BY revision DESC LIMIT 1",
        )
        .bind(name)
        .bind(signed(at))
        .fetch_optional(&self.pool)
        .await?;
        Ok(after.flatten())
    }
}

/// All of them, in the order of their names.
pub(super) async fn read_all(
    transaction: &mut Transaction<'_, Sqlite>,
) -> Result<Vec<StoredChoice>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT name, document, revision, created_at, updated_at FROM model_choices ORDER BY name",
    )
    .fetch_all(&mut **transaction)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    change: ChoiceChange<'_>,
    stamp: &Stamp,
) -> Result<Row, StoreError> {
    let row = match change.after {
        Some(after) => sqlx::query_as(
            "INSERT INTO model_choices (name, document, revision, created_at, updated_at) \
             VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT (name) DO UPDATE \
             SET document = ?2, revision = ?3, updated_at = ?4 \
             RETURNING name, document, revision, created_at, updated_at",
        )
        .bind(change.name)
        .bind(written(after)?)
        .bind(stamp.revision)
        .bind(&stamp.at),
        None => sqlx::query_as(
            "DELETE FROM model_choices WHERE name = ? \
             RETURNING name, document, revision, created_at, updated_at",
        )
        .bind(change.name),
    };
    Ok(row.fetch_one(&mut **transaction).await?)
}

async fn audit(
    transaction: &mut Transaction<'_, Sqlite>,
    actor: &str,
    change: ChoiceChange<'_>,
    stamp: &Stamp,
) -> Result<(), StoreError> {
    let shown = |choice: &ModelChoice| json!({ "choice": choice }).to_string();
    sqlx::query(
        "INSERT INTO model_choice_audit \
         (revision, at, actor, action, name, before, after, restored) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(stamp.revision)
    .bind(&stamp.at)
    .bind(actor)
    .bind(change.action())
    .bind(change.name)
    .bind(change.before.map(|own| shown(&own.choice)))
    .bind(change.after.map(shown))
    .bind(change.restored.map(signed))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

impl Row {
    fn read(self) -> Result<StoredChoice, StoreError> {
        let mut deserializer = serde_json::Deserializer::from_str(&self.document);
        let choice = serde_path_to_error::deserialize(&mut deserializer);
        let choice = choice.map_err(|error| StoreError::CorruptChoice {
            name: self.name.clone(),
            path: error.path().to_string(),
        })?;
        Ok(StoredChoice {
            name: self.name,
            choice,
            revision: self.revision.unsigned_abs(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

impl ChoiceChange<'_> {
    /// `create`, `update` or `delete`.
    pub(crate) fn action(self) -> &'static str {
        match (self.before, self.after) {
            (None, _) => "create",
            (Some(_), Some(_)) => "update",
            (Some(_), None) => "delete",
        }
    }
}
