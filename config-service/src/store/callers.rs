//! Callers, their keys as hashes, and what applies to all of them.

mod audit;
mod rows;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use bedrock_filter::config::KeyDigest;
use sqlx::{Sqlite, Transaction};

use super::{Stamp, Store, StoreError, budgets, json, raise};
use crate::caller::{Caller, CallerBook, Policy, StoredCaller, Timestamp};

pub use audit::{CallerAuditEntry, CallerAuditQuery};

/// The callers that were read last, and the revision that changed them last. Reading thousands for every request
/// about a channel would take too long.
#[derive(Clone, Debug, Default)]
pub(super) struct Cache(Arc<Mutex<Option<Cached>>>);

/// The revision that changed the callers last, and the callers.
type Cached = (i64, Arc<CallerBook>);

/// An edit of a caller and its keys that passed every check.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CallerChange<'a> {
    /// What is stored now; nothing for a new caller.
    pub(crate) before: Option<&'a StoredCaller>,
    /// What replaces it; nothing to delete it.
    pub(crate) after: Option<&'a Caller>,
    /// What happens to its keys.
    pub(crate) keys: &'a [KeyChange<'a>],
    /// The revision that this rolls back to, if it is a rollback.
    pub(crate) restored: Option<u64>,
}

/// What happens to a key.
#[derive(Debug)]
pub(crate) enum KeyChange<'a> {
    /// It is new.
    Add(NewKey<'a>),
    /// It is revoked.
    Remove {
        /// Its id.
        id: &'a str,
    },
    /// Another is made in place of it, and it will be refused from a time on.
    Expire {
        /// Its id.
        id: &'a str,
        /// The time.
        at: Timestamp,
    },
}

/// A key that is about to be stored.
#[derive(Debug)]
pub(crate) struct NewKey<'a> {
    /// What administrators call it.
    pub(crate) name: &'a str,
    /// Its hash.
    pub(crate) digest: KeyDigest,
    /// What may be shown of it.
    pub(crate) hint: &'a str,
    /// From when it is refused.
    pub(crate) expires_at: Option<Timestamp>,
}

impl Store {
    /// Stores an edit of a caller as revision `next`; returns the caller as it is now, or as it last was.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when `next` does not follow the database's revision. An error means that nothing was
    /// changed.
    pub(crate) async fn commit_caller(
        &self,
        next: u64,
        actor: &str,
        change: CallerChange<'_>,
    ) -> Result<Arc<StoredCaller>, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let earlier = rows::callers_revision(&mut transaction).await?;
        let stamp = raise(&mut transaction, next).await?;
        let stored = write(&mut transaction, actor, &change, &stamp).await?;
        audit::write(&mut transaction, actor, &change, &stored, &stamp).await?;
        rows::changed(&mut transaction, &stamp).await?;
        transaction.commit().await?;
        let stored = Arc::new(stored);
        self.callers
            .update(earlier, stamp.revision, |book| match change.after {
                Some(_) => book.put(Arc::clone(&stored)),
                None => book.remove(&stored.id),
            });
        Ok(stored)
    }

    /// Stores edits of callers together, as `first` and the revisions that follow.
    ///
    /// # Errors
    ///
    /// See [`Self::commit_caller`].
    pub(crate) async fn commit_callers(
        &self,
        first: u64,
        actor: &str,
        changes: &[CallerChange<'_>],
    ) -> Result<Vec<Arc<StoredCaller>>, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let mut all = Vec::with_capacity(changes.len());
        for (change, revision) in changes.iter().zip(first..) {
            let stamp = raise(&mut transaction, revision).await?;
            let stored = write(&mut transaction, actor, change, &stamp).await?;
            audit::write(&mut transaction, actor, change, &stored, &stamp).await?;
            rows::changed(&mut transaction, &stamp).await?;
            all.push(Arc::new(stored));
        }
        transaction.commit().await?;
        Ok(all)
    }

    /// Stores what applies to all callers as revision `next`.
    ///
    /// # Errors
    ///
    /// See [`Self::commit_caller`].
    pub(crate) async fn commit_policy(
        &self,
        next: u64,
        actor: &str,
        (before, after): (&Policy, &Policy),
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let earlier = rows::callers_revision(&mut transaction).await?;
        let stamp = raise(&mut transaction, next).await?;
        sqlx::query("UPDATE caller_policy SET document = ?, revision = ? WHERE id = 1")
            .bind(json(after)?)
            .bind(stamp.revision)
            .execute(&mut *transaction)
            .await?;
        audit::write_policy(&mut transaction, actor, (before, after), &stamp).await?;
        rows::changed(&mut transaction, &stamp).await?;
        transaction.commit().await?;
        self.callers.update(earlier, stamp.revision, |book| {
            book.policy = after.clone();
            book.policy_revision = stamp.revision.unsigned_abs();
        });
        Ok(())
    }

    /// The starts of the hashes of all keys that were revoked.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn revoked_keys(&self) -> Result<BTreeSet<String>, StoreError> {
        let all = sqlx::query_scalar("SELECT fingerprint FROM revoked_keys");
        let all: Vec<String> = all.fetch_all(&self.pool).await?;
        Ok(all.into_iter().collect())
    }

    /// Whether a key with this hash was revoked.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn is_revoked_key(&self, digest: KeyDigest) -> Result<bool, StoreError> {
        let query = "SELECT EXISTS (SELECT 1 FROM revoked_keys WHERE fingerprint = ?)";
        let found = sqlx::query_scalar(query).bind(digest.mark().to_string());
        Ok(found.fetch_one(&self.pool).await?)
    }

    /// Everybody who may call, as of a transaction.
    pub(super) async fn caller_book(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
    ) -> Result<Arc<CallerBook>, StoreError> {
        let revision = rows::callers_revision(transaction).await?;
        if let Some(book) = self.callers.get(revision) {
            return Ok(book);
        }
        let book = Arc::new(rows::read_all(transaction).await?);
        self.callers.set(revision, Arc::clone(&book));
        Ok(book)
    }
}

/// Writes a caller and its keys; returns what is stored then.
async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    actor: &str,
    change: &CallerChange<'_>,
    stamp: &Stamp,
) -> Result<StoredCaller, StoreError> {
    let id = match (change.before, change.after) {
        (None, after) => {
            rows::insert(transaction, after.unwrap_or(&Caller::default()), stamp).await?
        }
        (Some(before), None) => {
            rows::delete(transaction, &before.id, stamp).await?;
            return Ok(before.clone());
        }
        (Some(before), Some(after)) => {
            rows::update(transaction, &before.id, after, stamp).await?;
            if before.caller.name != after.name {
                let names = (before.caller.name.as_str(), after.name.as_str());
                budgets::rename(transaction, names, actor).await?;
            }
            before.id.clone()
        }
    };
    for key in change.keys {
        match key {
            KeyChange::Add(key) => rows::add_key(transaction, &id, key, (actor, stamp)).await?,
            KeyChange::Remove { id } => rows::remove_key(transaction, id, stamp).await?,
            KeyChange::Expire { id, at } => rows::expire_key(transaction, id, *at).await?,
        }
    }
    rows::read_one(transaction, &id).await
}

impl Cache {
    fn get(&self, revision: i64) -> Option<Arc<CallerBook>> {
        let cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cached = cached.as_ref().filter(|(own, _)| *own == revision);
        cached.map(|(_, book)| Arc::clone(book))
    }

    fn set(&self, revision: i64, book: Arc<CallerBook>) {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A slow reader must not bring back what is older.
        if cached.as_ref().is_none_or(|(own, _)| *own < revision) {
            *cached = Some((revision, book));
        }
    }

    /// Makes the same change as a transaction did, if what it changed is here.
    fn update(&self, earlier: i64, revision: i64, change: impl FnOnce(&mut CallerBook)) {
        if let Some(mut book) = self.get(earlier) {
            change(Arc::make_mut(&mut book));
            self.set(revision, book);
        }
    }
}
