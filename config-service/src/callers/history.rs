//! The history of callers, and rolling back.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{CallerError, Callers, apart, check, find, judge, make};
use crate::caller::{CallerEdit, Fill, StoredCaller};
use crate::channels::Author;
use crate::history::CallerEntry;
use crate::store::{CallerAuditQuery, CallerChange, StoreError};

impl Callers {
    /// Accepted edits, newest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn history(&self, query: &CallerAuditQuery) -> Result<Vec<CallerEntry>, StoreError> {
        let entries = self.channels.store().caller_audit(query).await?;
        Ok(entries.iter().map(CallerEntry::from).collect())
    }

    /// Restores a caller's settings to what they were after `revision`, as a new edit. Its keys stay as they are: what
    /// was revoked stays revoked.
    ///
    /// # Errors
    ///
    /// See [`CallerError`]; nothing is changed by any of them.
    pub async fn roll_back(
        &self,
        author: Author,
        id: String,
        revision: u64,
    ) -> Result<Arc<StoredCaller>, CallerError> {
        let channels = self.channels.clone();
        apart(async move {
            let turn = channels.turn().await?;
            let before = Arc::clone(find(&turn.contents().callers, &id)?);
            check(&author, Some(&before))?;
            // The latest entry would do for any later revision, but nobody has seen what that is.
            let then = if revision <= turn.contents().revision {
                turn.store().audited_caller(&id, revision).await?
            } else {
                None
            };
            let then = then.ok_or(CallerError::UnknownRevision(revision))?;
            let mut faults = Vec::new();
            let edit = CallerEdit::parse(without_keys(&then).as_bytes(), &mut faults)?;
            let after = edit.apply(Fill::Defaults, &mut faults);
            judge(turn.contents(), Some(&before), &after, faults)?;
            let change = CallerChange {
                before: Some(&before),
                after: Some(&after),
                keys: &[],
                restored: Some(revision),
            };
            make(turn, &author, change).await
        })
        .await
    }
}

/// A caller as the history has it, without its keys.
fn without_keys(then: &str) -> String {
    let mut fields: Map<String, Value> = serde_json::from_str(then).unwrap_or_default();
    fields.remove("keys");
    Value::Object(fields).to_string()
}
