//! Credentials that are stored by themselves.

use sqlx::{FromRow, Sqlite, Transaction};

use super::{Stamp, Store, StoreError, json, raise, signed};
use crate::channel::{Credentials, StoredChannel, StoredCredential, masked_credentials};
use crate::seal::CREDENTIAL;

/// What is done to a credential; it passed every check.
#[derive(Clone, Copy, Debug)]
pub enum CredentialChange<'a> {
    /// Creates it, or replaces its content.
    Put {
        /// Its name.
        name: &'a str,
        /// What is stored now, if anything.
        before: Option<&'a StoredCredential>,
        /// What it is to contain.
        after: &'a Credentials,
        /// The revision that this rolls back to, if it is a rollback.
        restored: Option<u64>,
    },
    /// Removes it.
    Delete(&'a StoredCredential),
}

/// One accepted edit of a credential, as recorded. Secrets are masked.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct CredentialAuditEntry {
    /// The revision that the edit created.
    pub revision: i64,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// Who.
    pub actor: String,
    /// `create`, `update` or `delete`.
    pub action: String,
    /// The credential before the edit, as JSON.
    pub before: Option<String>,
    /// The credential after the edit, as JSON.
    pub after: Option<String>,
    /// The revision that the edit rolled back to.
    pub restored: Option<i64>,
}

#[derive(FromRow)]
pub(super) struct Row {
    pub(super) name: String,
    document: String,
    revision: i64,
    created_at: String,
    updated_at: String,
}

impl Store {
    /// All of them, in the order of their names.
    pub(super) async fn credentials(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
    ) -> Result<Vec<StoredCredential>, StoreError> {
        let rows = rows(transaction).await?.into_iter();
        rows.map(|row| self.read_credential(row)).collect()
    }

    /// Stores an edit as revision `next`. What AWS issued for the channels that use the credential is forgotten,
    /// so that a restart does not bring it back.
    ///
    /// Returns the credential as it is now, or as it last was if it was deleted.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when `next` does not follow the database's revision. An error means that
    /// nothing was changed.
    pub(crate) async fn commit_credential(
        &self,
        next: u64,
        actor: &str,
        change: CredentialChange<'_>,
        users: &[&StoredChannel],
    ) -> Result<StoredCredential, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let stamp = raise(&mut transaction, next).await?;
        let row = self
            .write_credential(&mut transaction, change, &stamp)
            .await?;
        audit(&mut transaction, actor, change, &stamp).await?;
        for own in users {
            sqlx::query("DELETE FROM issued_credentials WHERE channel_id = ?")
                .bind(&own.id)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        self.read_credential(row)
    }

    /// The edits of a credential with this name, newest first, at most this many.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn credential_audit(
        &self,
        name: &str,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<CredentialAuditEntry>, StoreError> {
        let entries = sqlx::query_as(
            "SELECT revision, at, actor, action, before, after, restored FROM credential_audit \
             WHERE name = ?1 AND revision < ?2 ORDER BY revision DESC LIMIT ?3",
        )
        .bind(name)
        .bind(before.map_or(i64::MAX, signed))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        Ok(entries)
    }

    /// A credential as it was after `at`, without its secrets, as JSON; `None` when it did not exist.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn audited_credential(
        &self,
        name: &str,
        at: u64,
    ) -> Result<Option<String>, StoreError> {
        let after: Option<Option<String>> = sqlx::query_scalar(
            "SELECT after FROM credential_audit WHERE name = ? AND revision <= ? \
             ORDER BY revision DESC LIMIT 1",
        )
        .bind(name)
        .bind(signed(at))
        .fetch_optional(&self.pool)
        .await?;
        Ok(after.flatten())
    }

    async fn write_credential(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        change: CredentialChange<'_>,
        stamp: &Stamp,
    ) -> Result<Row, StoreError> {
        let row = match change {
            CredentialChange::Put { name, after, .. } => sqlx::query_as(
                "INSERT INTO credentials (name, document, revision, created_at, updated_at) \
                 VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT (name) DO UPDATE \
                 SET document = ?2, revision = ?3, updated_at = ?4 \
                 RETURNING name, document, revision, created_at, updated_at",
            )
            .bind(name)
            .bind(self.credential_document(name, after)?)
            .bind(stamp.revision)
            .bind(&stamp.at),
            CredentialChange::Delete(before) => sqlx::query_as(
                "DELETE FROM credentials WHERE name = ? \
                 RETURNING name, document, revision, created_at, updated_at",
            )
            .bind(&before.name),
        };
        Ok(row.fetch_one(&mut **transaction).await?)
    }

    /// A credential as stored, with its secrets sealed.
    pub(super) fn credential_document(
        &self,
        name: &str,
        credentials: &Credentials,
    ) -> Result<String, StoreError> {
        let mut credentials = credentials.clone();
        self.sealer.seal(&place(name), credentials.secrets_mut())?;
        json(&credentials)
    }

    pub(super) fn read_credential(&self, row: Row) -> Result<StoredCredential, StoreError> {
        let mut credentials = row.sealed()?;
        self.sealer
            .open(&place(&row.name), credentials.secrets_mut())?;
        Ok(StoredCredential {
            name: row.name,
            credentials,
            revision: row.revision.unsigned_abs(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl Row {
    /// Its content with the secrets as stored.
    pub(super) fn sealed(&self) -> Result<Credentials, StoreError> {
        let mut deserializer = serde_json::Deserializer::from_str(&self.document);
        serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            StoreError::CorruptCredential {
                name: self.name.clone(),
                path: error.path().to_string(),
            }
        })
    }
}

pub(super) async fn rows(
    transaction: &mut Transaction<'_, Sqlite>,
) -> Result<Vec<Row>, StoreError> {
    let rows = sqlx::query_as(
        "SELECT name, document, revision, created_at, updated_at FROM credentials ORDER BY name",
    )
    .fetch_all(&mut **transaction)
    .await?;
    Ok(rows)
}

async fn audit(
    transaction: &mut Transaction<'_, Sqlite>,
    actor: &str,
    change: CredentialChange<'_>,
    stamp: &Stamp,
) -> Result<(), StoreError> {
    let shown = |credentials: &Credentials| masked_credentials(credentials).to_string();
    let (name, before, after, restored) = match change {
        CredentialChange::Put {
            name,
            before,
            after,
            restored,
        } => {
            let before = before.map(|own| &own.credentials);
            (name, before, Some(after), restored)
        }
        CredentialChange::Delete(before) => {
            (before.name.as_str(), Some(&before.credentials), None, None)
        }
    };
    sqlx::query(
        "INSERT INTO credential_audit (revision, at, actor, action, name, before, after, restored) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(stamp.revision)
    .bind(&stamp.at)
    .bind(actor)
    .bind(change.action())
    .bind(name)
    .bind(before.map(shown))
    .bind(after.map(shown))
    .bind(restored.map(signed))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

impl CredentialChange<'_> {
    /// `create`, `update` or `delete`.
    pub(crate) fn action(self) -> &'static str {
        match self {
            Self::Put { before: None, .. } => "create",
            Self::Put { .. } => "update",
            Self::Delete(_) => "delete",
        }
    }
}

/// What a credential's secrets are sealed for.
fn place(name: &str) -> String {
    format!("{CREDENTIAL}{name}")
}
