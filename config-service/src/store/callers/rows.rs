//! Rows of callers and of keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use bedrock_filter::config::KeyDigest;
use serde::de::DeserializeOwned;
use sqlx::{FromRow, Sqlite, Transaction};

use super::NewKey;
use crate::caller::{Caller, CallerBook, StoredCaller, StoredKey, Timestamp};
use crate::store::{Stamp, StoreError, json};

#[derive(FromRow)]
struct Row {
    id: String,
    document: String,
    revision: i64,
    created_at: String,
    updated_at: String,
}

#[derive(FromRow)]
struct KeyRow {
    id: String,
    caller_id: String,
    name: String,
    hash: Vec<u8>,
    hint: String,
    expires_at: Option<i64>,
    created_at: String,
    created_by: String,
    rotated: bool,
}

impl Row {
    fn read(self, keys: Vec<StoredKey>) -> Result<StoredCaller, StoreError> {
        Ok(StoredCaller {
            caller: document(&self.id, &self.document)?,
            id: self.id,
            keys,
            revision: self.revision.unsigned_abs(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

impl KeyRow {
    fn read(self) -> Result<StoredKey, StoreError> {
        let digest = KeyDigest::try_from(self.hash.as_slice());
        let digest = digest.map_err(|_| StoreError::CorruptCaller {
            id: self.caller_id,
            path: format!("keys.{}.hash", self.id),
        })?;
        let seconds = self.expires_at.map(i64::unsigned_abs);
        Ok(StoredKey {
            id: self.id,
            name: self.name,
            digest,
            hint: self.hint,
            expires_at: seconds.map(Timestamp::from_seconds),
            created_at: self.created_at,
            created_by: self.created_by,
            is_rotated: self.rotated,
        })
    }
}

fn document<T: DeserializeOwned>(id: &str, text: &str) -> Result<T, StoreError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| StoreError::CorruptCaller {
        id: id.to_owned(),
        path: error.path().to_string(),
    })
}

/// The last revision that changed callers.
pub(super) async fn callers_revision(
    transaction: &mut Transaction<'_, Sqlite>,
) -> Result<i64, StoreError> {
    let revision = sqlx::query_scalar("SELECT callers_revision FROM meta WHERE id = 1");
    Ok(revision.fetch_one(&mut **transaction).await?)
}

/// Notes that the present revision changed callers.
pub(super) async fn changed(
    transaction: &mut Transaction<'_, Sqlite>,
    stamp: &Stamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE meta SET callers_revision = ? WHERE id = 1")
        .bind(stamp.revision)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

pub(super) async fn read_all(
    transaction: &mut Transaction<'_, Sqlite>,
) -> Result<CallerBook, StoreError> {
    let (policy, policy_revision): (String, i64) =
        sqlx::query_as("SELECT document, revision FROM caller_policy WHERE id = 1")
            .fetch_one(&mut **transaction)
            .await?;
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, document, revision, created_at, updated_at FROM callers ORDER BY name",
    )
    .fetch_all(&mut **transaction)
    .await?;
    let key_rows: Vec<KeyRow> = sqlx::query_as(
        "SELECT id, caller_id, name, hash, hint, expires_at, created_at, created_by, rotated \
         FROM caller_keys ORDER BY rowid",
    )
    .fetch_all(&mut **transaction)
    .await?;
    let mut keys = BTreeMap::<String, Vec<StoredKey>>::new();
    for row in key_rows {
        let own = keys.entry(row.caller_id.clone()).or_default();
        own.push(row.read()?);
    }
    let callers = rows.into_iter().map(|row| {
        let own = keys.remove(&row.id).unwrap_or_default();
        row.read(own).map(Arc::new)
    });
    Ok(CallerBook {
        policy: document("policy", &policy)?,
        policy_revision: policy_revision.unsigned_abs(),
        callers: callers.collect::<Result<_, _>>()?,
    })
}

pub(super) async fn read_one(
    transaction: &mut Transaction<'_, Sqlite>,
    id: &str,
) -> Result<StoredCaller, StoreError> {
    let row: Row = sqlx::query_as(
        "SELECT id, document, revision, created_at, updated_at FROM callers WHERE id = ?",
    )
    .bind(id)
    .fetch_one(&mut **transaction)
    .await?;
    let keys: Vec<KeyRow> = sqlx::query_as(
        "SELECT id, caller_id, name, hash, hint, expires_at, created_at, created_by, rotated \
         FROM caller_keys WHERE caller_id = ? ORDER BY rowid",
    )
    .bind(id)
    .fetch_all(&mut **transaction)
    .await?;
    let keys = keys.into_iter().map(KeyRow::read);
    row.read(keys.collect::<Result<_, _>>()?)
}

/// Adds a caller; returns its id.
pub(super) async fn insert(
    transaction: &mut Transaction<'_, Sqlite>,
    caller: &Caller,
    stamp: &Stamp,
) -> Result<String, StoreError> {
    let id = sqlx::query_scalar(
        "INSERT INTO callers (name, document, revision, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?4) RETURNING id",
    )
    .bind(&caller.name)
    .bind(json(caller)?)
    .bind(stamp.revision)
    .bind(&stamp.at)
    .fetch_one(&mut **transaction)
    .await?;
    Ok(id)
}

pub(super) async fn update(
    transaction: &mut Transaction<'_, Sqlite>,
    id: &str,
    caller: &Caller,
    stamp: &Stamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE callers SET name = ?, document = ?, revision = ?, updated_at = ? WHERE id = ?",
    )
    .bind(&caller.name)
    .bind(json(caller)?)
    .bind(stamp.revision)
    .bind(&stamp.at)
    .bind(id)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Deletes a caller and its keys, which are remembered as revoked.
pub(super) async fn delete(
    transaction: &mut Transaction<'_, Sqlite>,
    id: &str,
    stamp: &Stamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT OR IGNORE INTO revoked_keys (fingerprint, revoked_at) \
         SELECT substr(lower(hex(hash)), 1, 12), ?2 FROM caller_keys WHERE caller_id = ?1",
    )
    .bind(id)
    .bind(&stamp.at)
    .execute(&mut **transaction)
    .await?;
    sqlx::query("DELETE FROM callers WHERE id = ?")
        .bind(id)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

pub(super) async fn add_key(
    transaction: &mut Transaction<'_, Sqlite>,
    caller: &str,
    key: &NewKey<'_>,
    (actor, stamp): (&str, &Stamp),
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO caller_keys (caller_id, name, hash, hint, expires_at, created_at, created_by) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(caller)
    .bind(key.name)
    .bind(key.digest.bytes())
    .bind(key.hint)
    .bind(key.expires_at.map(seconds))
    .bind(&stamp.at)
    .bind(actor)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Deletes a key, which is remembered as revoked.
pub(super) async fn remove_key(
    transaction: &mut Transaction<'_, Sqlite>,
    id: &str,
    stamp: &Stamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT OR IGNORE INTO revoked_keys (fingerprint, revoked_at) \
         SELECT substr(lower(hex(hash)), 1, 12), ?2 FROM caller_keys WHERE id = ?1",
    )
    .bind(id)
    .bind(&stamp.at)
    .execute(&mut **transaction)
    .await?;
    sqlx::query("DELETE FROM caller_keys WHERE id = ?")
        .bind(id)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Lets a key end because another has been made in place of it.
pub(super) async fn expire_key(
    transaction: &mut Transaction<'_, Sqlite>,
    id: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE caller_keys SET expires_at = ?, rotated = 1 WHERE id = ?")
        .bind(seconds(at))
        .bind(id)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

fn seconds(time: Timestamp) -> i64 {
    i64::try_from(time.seconds()).unwrap_or(i64::MAX)
}
