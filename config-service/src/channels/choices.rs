//! Editing names that choose a model: checked together with all others and the channels, stored, published.

mod error;

use std::collections::BTreeSet;
use std::sync::Arc;

use bedrock_filter::config::{ModelChoice, escape_pointer};
use bedrock_filter::routes::Routes;

use super::{Author, Channels, Inner};
use crate::fault::Fault;
use crate::history::ChoiceEntry;
use crate::model_choice::{ChoiceEdit, ChoiceView, StoredChoice, merged, named};
use crate::publish::{self, Snapshot};
use crate::store::{ChoiceChange, Contents, StoreError};

pub use error::ChoiceError;

impl Channels {
    /// The names that choose, in their order, and the revision.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn choices(&self) -> Result<(u64, Vec<ChoiceView>), StoreError> {
        let contents = self.list().await?;
        Ok((contents.revision, self.inner.choice_views(&contents)))
    }

    /// One of them.
    ///
    /// # Errors
    ///
    /// When the name does not choose, or the database fails.
    pub async fn choice(&self, name: &str) -> Result<ChoiceView, ChoiceError> {
        let contents = self.list().await?;
        self.inner.choice_view(&contents, name)
    }

    /// Makes a name choose, or replaces what it chooses from; returns it, and whether it is new. An edit that changes
    /// nothing makes no revision.
    ///
    /// # Errors
    ///
    /// See [`ChoiceError`]; nothing is changed by any of them.
    pub async fn put_choice(
        &self,
        author: Author,
        name: String,
        body: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<(ChoiceView, bool), ChoiceError> {
        let inner = Arc::clone(&self.inner);
        // A separate task, as for an edit of a channel.
        let task = async move { inner.put_choice(&author, &name, body.as_ref()).await };
        tokio::spawn(task)
            .await
            .map_err(|_| ChoiceError::Interrupted)?
    }

    /// Ends that a name chooses.
    ///
    /// # Errors
    ///
    /// See [`ChoiceError`]; nothing is changed by any of them.
    pub async fn delete_choice(&self, author: Author, name: String) -> Result<(), ChoiceError> {
        let inner = Arc::clone(&self.inner);
        let task = async move { inner.delete_choice(&author, &name).await };
        tokio::spawn(task)
            .await
            .map_err(|_| ChoiceError::Interrupted)?
    }

    /// Restores what a name chose from after `revision`, as a new edit; also if it has been deleted since.
    ///
    /// # Errors
    ///
    /// See [`ChoiceError`]; nothing is changed by any of them.
    pub async fn roll_back_choice(
        &self,
        author: Author,
        name: String,
        revision: u64,
    ) -> Result<ChoiceView, ChoiceError> {
        let inner = Arc::clone(&self.inner);
        let task = async move { inner.roll_back_choice(&author, &name, revision).await };
        tokio::spawn(task)
            .await
            .map_err(|_| ChoiceError::Interrupted)?
    }

    /// The edits of a name before a revision, newest first, at most this many.
    ///
    /// # Errors
    ///
    /// When the name never was edited, or the database fails.
    pub async fn choice_history(
        &self,
        name: &str,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<ChoiceEntry>, ChoiceError> {
        let entries = self.inner.store.choice_audit(name, before, limit).await?;
        if entries.is_empty() && before.is_none() {
            return Err(ChoiceError::NotFound(name.to_owned()));
        }
        Ok(entries.iter().map(ChoiceEntry::from).collect())
    }
}

impl Inner {
    async fn put_choice(
        &self,
        author: &Author,
        name: &str,
        body: &[u8],
    ) -> Result<(ChoiceView, bool), ChoiceError> {
        let publisher = self.publisher.lock().await;
        let contents = self.store.contents().await?;
        let before = self.editable_choice(&contents, author, name)?;
        let mut faults = Vec::new();
        let edit = ChoiceEdit::parse(body, &mut faults)?;
        let after = edit.apply(name, &mut faults);
        let snapshot = self.judge_choice(&contents, name, after.as_ref(), faults)?;
        let change = ChoiceChange {
            name,
            before,
            after: after.as_ref(),
            restored: None,
        };
        let view = match snapshot {
            Some(snapshot) => {
                self.commit_choice(author, change, snapshot.revision)
                    .await?;
                self.publish(&publisher, snapshot).await;
                self.choice_view(&self.store.contents().await?, name)?
            }
            None => self.choice_view(&contents, name)?,
        };
        Ok((view, before.is_none()))
    }

    async fn delete_choice(&self, author: &Author, name: &str) -> Result<(), ChoiceError> {
        let publisher = self.publisher.lock().await;
        let contents = self.store.contents().await?;
        let before = self.editable_choice(&contents, author, name)?;
        let before = before.ok_or_else(|| ChoiceError::NotFound(name.to_owned()))?;
        let next = with(&contents, name, None);
        let snapshot = self.compile(&next).map_err(ChoiceError::Invalid)?;
        let change = ChoiceChange {
            name,
            before: Some(before),
            after: None,
            restored: None,
        };
        self.commit_choice(author, change, snapshot.revision)
            .await?;
        self.publish(&publisher, snapshot).await;
        Ok(())
    }

    async fn roll_back_choice(
        &self,
        author: &Author,
        name: &str,
        revision: u64,
    ) -> Result<ChoiceView, ChoiceError> {
        let publisher = self.publisher.lock().await;
        let contents = self.store.contents().await?;
        let before = self.editable_choice(&contents, author, name)?;
        // The latest entry would do for any later revision, but nobody has seen what that is.
        let then = if revision <= contents.revision {
            self.store.audited_choice(name, revision).await?
        } else {
            None
        };
        let then = then.ok_or(ChoiceError::UnknownRevision(revision))?;
        let mut faults = Vec::new();
        let after = ChoiceEdit::parse(then.as_bytes(), &mut faults)?.apply(name, &mut faults);
        let snapshot = self.judge_choice(&contents, name, after.as_ref(), faults)?;
        let Some(snapshot) = snapshot else {
            return self.choice_view(&contents, name);
        };
        let change = ChoiceChange {
            name,
            before,
            after: after.as_ref(),
            restored: Some(revision),
        };
        self.commit_choice(author, change, snapshot.revision)
            .await?;
        self.publish(&publisher, snapshot).await;
        self.choice_view(&self.store.contents().await?, name)
    }

    /// What is stored of a name, if its author may edit it.
    fn editable_choice<'c>(
        &self,
        contents: &'c Contents,
        author: &Author,
        name: &str,
    ) -> Result<Option<&'c StoredChoice>, ChoiceError> {
        if self.settings.model_choices.0.contains_key(name) {
            return Err(ChoiceError::InFile(name.to_owned()));
        }
        let before = contents.choices.iter().find(|own| own.name == name);
        let revision = before.map(|own| own.revision);
        if author.expects.admits(revision) {
            Ok(before)
        } else {
            Err(ChoiceError::Outdated(revision))
        }
    }

    /// Compiles the configuration as it would be; `None` if nothing would change. Fails with everything that is wrong.
    fn judge_choice(
        &self,
        contents: &Contents,
        name: &str,
        after: Option<&ModelChoice>,
        mut faults: Vec<Fault>,
    ) -> Result<Option<Snapshot>, ChoiceError> {
        let Some(after) = after else {
            return Err(ChoiceError::Invalid(faults));
        };
        let mut stored = contents.choices.iter();
        let is_same = stored.any(|own| own.name == name && own.choice == *after);
        if is_same && faults.is_empty() {
            return Ok(None);
        }
        let compiled = self.compile(&with(contents, name, Some(after)));
        let known = faults.clone();
        let found = compiled.as_ref().err().into_iter().flatten();
        let found = found.map(|fault| as_own(name, fault));
        // What could not be read was left out. That says nothing of the choice as a whole.
        faults.extend(found.filter(|fault| {
            let is_known = known.iter().any(|own| own.touches(&fault.pointer));
            fault.pointer == "/choice" || !is_known
        }));
        match compiled {
            Ok(snapshot) if faults.is_empty() => Ok(Some(snapshot)),
            _ => Err(ChoiceError::Invalid(faults)),
        }
    }

    async fn commit_choice(
        &self,
        author: &Author,
        change: ChoiceChange<'_>,
        next: u64,
    ) -> Result<(), ChoiceError> {
        self.store.commit_choice(next, &author.name, change).await?;
        tracing::info!(
            revision = next,
            action = change.action(),
            model_choice = change.name,
            actor = author.name,
            "model choice edited"
        );
        Ok(())
    }

    fn choice_view(&self, contents: &Contents, name: &str) -> Result<ChoiceView, ChoiceError> {
        let mut all = self.choice_views(contents).into_iter();
        let found = all.find(|own| own.name == name);
        found.ok_or_else(|| ChoiceError::NotFound(name.to_owned()))
    }

    fn choice_views(&self, contents: &Contents) -> Vec<ChoiceView> {
        // What is stored has been compiled before.
        let routes = publish::explained(contents, &self.settings, &BTreeSet::new()).ok();
        let all = merged(&contents.choices, &self.settings.model_choices);
        let views = all.0.iter().map(|(name, choice)| {
            let warnings = warnings(choice, routes.as_ref());
            let in_file = self.settings.model_choices.0.contains_key(name);
            let mut stored = contents.choices.iter();
            let stored = stored.find(|own| own.name == *name && !in_file);
            match stored {
                Some(stored) => stored.view(warnings),
                None => ChoiceView::in_file(name, choice, warnings),
            }
        });
        views.collect()
    }
}

/// The configuration with this choice, or without it, as the next revision.
fn with(contents: &Contents, name: &str, after: Option<&ModelChoice>) -> Contents {
    let mut next = contents.clone();
    next.revision += 1;
    next.choices.retain(|own| own.name != name);
    next.choices.extend(after.map(|choice| StoredChoice {
        name: name.to_owned(),
        choice: choice.clone(),
        revision: 0,
        created_at: String::new(),
        updated_at: String::new(),
    }));
    next
}

/// A fault of the configuration, as one of the body that causes it.
fn as_own(name: &str, fault: &Fault) -> Fault {
    let own = format!("/model_choices/{}", escape_pointer(name));
    let place = fault.pointer.strip_prefix(&own);
    match place {
        Some("") if fault.code == "invalid_model_name" => {
            Fault::new("/name", fault.code, fault.message.clone())
        }
        Some(inside) if inside.is_empty() || inside.starts_with('/') => Fault::new(
            format!("/choice{inside}"),
            fault.code,
            fault.message.clone(),
        ),
        _ => {
            let place = fault.pointer.replacen("/model_choices", "", 1);
            let message = format!("with it {place} {}", fault.message);
            Fault::new("/choice", fault.code, message)
        }
    }
}

/// Names in a choice that lead nowhere.
fn warnings(choice: &ModelChoice, routes: Option<&Routes>) -> Vec<Fault> {
    let Some(routes) = routes else {
        return Vec::new();
    };
    let leads_nowhere = |name: &str| match choice {
        // Only rules may name what chooses itself; in a list and in weights a name is that of a model.
        ModelChoice::Detailed(own) if own.rules.is_some() && routes.is_choice(name) => false,
        _ => !routes.serves(name),
    };
    let names = named(choice).into_iter();
    let lost = names.filter(|(_, name)| leads_nowhere(name));
    lost.map(|(at, name)| {
        let message = format!("no enabled channel serves `{name}`, so it is passed over");
        Fault::new(format!("/choice{at}"), "unserved_model", message)
    })
    .collect()
}
