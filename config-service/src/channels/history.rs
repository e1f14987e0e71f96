//! The history of channels, and rolling back.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::candidate::{find, unknown_credential};
use super::commit::Candidate;
use super::{Author, Channels, EditError, Inner};
use crate::channel::{StoredChannel, resolve};
use crate::edit::{Base, Edit};
use crate::history::Entry;
use crate::store::{AuditQuery, StoreError};

impl Channels {
    /// Accepted edits, newest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn history(&self, query: &AuditQuery) -> Result<Vec<Entry>, StoreError> {
        let entries = self.inner.store.audit(query).await?;
        Ok(entries.iter().map(Entry::from).collect())
    }

    /// Restores a channel to what it was after `revision`, as a new edit.
    ///
    /// Secrets are not part of the history: where a revision had some, the channel keeps its current
    /// ones.
    ///
    /// # Errors
    ///
    /// See [`EditError`]; nothing is changed by any of them.
    pub async fn roll_back(
        &self,
        author: Author,
        id: String,
        revision: u64,
    ) -> Result<StoredChannel, EditError> {
        let inner = Arc::clone(&self.inner);
        let task = async move { inner.roll_back(&author, &id, revision).await };
        tokio::spawn(task)
            .await
            .map_err(|_| EditError::Interrupted)?
    }
}

impl Inner {
    async fn roll_back(
        &self,
        author: &Author,
        id: &str,
        revision: u64,
    ) -> Result<StoredChannel, EditError> {
        let publisher = self.publisher.lock().await;
        let contents = self.store.contents().await?;
        let before = find(&contents, id)?.clone();
        author.check(Some(&before))?;
        // The latest entry would do for any later revision, but nobody has seen what that is.
        let then = if revision <= contents.revision {
            self.store.audited(id, revision).await?
        } else {
            None
        };
        let then = then.ok_or(EditError::UnknownRevision(revision))?;
        let mut faults = Vec::new();
        let edit = Edit::parse(without_secrets(&then).as_bytes(), &mut faults)?;
        let enters_secrets = edit.enters_secrets();
        let mut after = edit.apply(Base::Replace(&before.channel), &mut faults);
        if let Err((at, name)) = resolve(&mut after.credentials, &contents.credentials) {
            faults.push(unknown_credential(&at, &name));
        }
        let change = Candidate {
            before: Some(before),
            after,
            enters_secrets,
            faults,
            restored: Some(revision),
        };
        self.make(&publisher, &contents, author, &change).await
    }
}

/// A channel as the history has it, without credentials if they had a secret.
fn without_secrets(then: &str) -> String {
    let mut fields: Map<String, Value> = serde_json::from_str(then).unwrap_or_default();
    if fields.get("credentials").is_some_and(has_fingerprint) {
        fields.remove("credentials");
    }
    Value::Object(fields).to_string()
}

/// Whether credentials, or their source, have a secret's fingerprint.
fn has_fingerprint(credentials: &Value) -> bool {
    let own = credentials.get("fingerprint").is_some();
    own || credentials.get("source").is_some_and(has_fingerprint)
}
