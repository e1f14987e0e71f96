//! What applies to all callers.

use super::{CallerError, Callers, apart};
use crate::caller::{CallerBook, Policy, PolicyEdit};
use crate::channels::Author;
use crate::fault::Fault;

impl Callers {
    /// Whether there is a master key.
    #[must_use]
    pub fn has_master_key(&self) -> bool {
        self.channels.has_master_key()
    }

    /// Changes what applies to all callers; returns it and the revision of its last edit.
    ///
    /// # Errors
    ///
    /// See [`CallerError`]; nothing is changed by any of them.
    pub async fn edit_policy(
        &self,
        author: Author,
        body: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<(Policy, u64), CallerError> {
        let channels = self.channels.clone();
        apart(async move {
            let turn = channels.turn().await?;
            let book = &turn.contents().callers;
            if !author.expects.admits(Some(book.policy_revision)) {
                return Err(CallerError::Outdated(Some(book.policy_revision)));
            }
            let mut faults = Vec::new();
            let edit = PolicyEdit::parse(body.as_ref(), &mut faults)?;
            let after = edit.apply(&book.policy, &mut faults);
            if after.default_request_metadata != book.policy.default_request_metadata {
                faults.extend(crowded(book, &after));
            }
            if !faults.is_empty() {
                return Err(CallerError::Invalid(faults));
            }
            if after == book.policy {
                return Ok((after, book.policy_revision));
            }
            let next = turn.next();
            let both = (&book.policy, &after);
            turn.store().commit_policy(next, &author.name, both).await?;
            tracing::info!(revision = next, actor = author.name, mode = ?after.mode, "settings of callers edited");
            turn.publish();
            Ok((after, next))
        })
        .await
    }
}

/// A caller whose labels have no room beside those for all callers.
fn crowded(book: &CallerBook, policy: &Policy) -> Option<Fault> {
    const LABELS: &str = "request_metadata";
    let mut callers = book.callers.iter().map(|stored| &stored.caller);
    let caller = callers.find(|caller| {
        let faults = caller.served(policy).rules.faults();
        let mut labels = faults.iter().filter(|own| own.pointer.ends_with(LABELS));
        labels.next().is_some()
    })?;
    let message = format!(
        "has more labels than Bedrock takes beside those of the caller `{}`: 16 in all",
        caller.name
    );
    Some(Fault::new(
        format!("/default_{LABELS}"),
        "too_many_labels",
        message,
    ))
}
