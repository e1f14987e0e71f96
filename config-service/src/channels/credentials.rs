//! Editing credentials that are stored by themselves: checked with every channel that uses them, stored, published.

use std::sync::Arc;

use super::{Author, Channels, EditError, Inner, destination};
use crate::channel::{CredentialView, Credentials, StoredChannel, StoredCredential, resolve};
use crate::credentials;
use crate::edit::CredentialEdit;
use crate::fault::Fault;
use crate::history::CredentialEntry;
use crate::publish::Publisher;
use crate::store::{Contents, CredentialChange, StoreError};

impl Channels {
    /// The credentials that are stored by themselves, without secrets, in the order of their names; and the
    /// revision.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn credentials(&self) -> Result<(u64, Vec<CredentialView>), StoreError> {
        let contents = self.list().await?;
        let all = contents.credentials.iter();
        let views = all.map(|own| own.view(&contents.channels)).collect();
        Ok((contents.revision, views))
    }

    /// One of them.
    ///
    /// # Errors
    ///
    /// When no credential has that name, or the database fails.
    pub async fn credential(&self, name: &str) -> Result<CredentialView, EditError> {
        let contents = self.list().await?;
        Ok(find(&contents, name)?.view(&contents.channels))
    }

    /// Creates a credential, or replaces its content; returns it, and whether it is new.
    ///
    /// # Errors
    ///
    /// See [`EditError`]; nothing is changed by any of them.
    pub async fn put_credential(
        &self,
        author: Author,
        name: String,
        body: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<(CredentialView, bool), EditError> {
        let inner = Arc::clone(&self.inner);
        // A separate task, as for an edit of a channel.
        let task = async move { inner.put_credential(&author, &name, body.as_ref()).await };
        tokio::spawn(task)
            .await
            .map_err(|_| EditError::Interrupted)?
    }

    /// Restores a credential to what it was after `revision`, as a new edit.
    ///
    /// Secrets are not part of the history. One that has been replaced since has to be entered again, which is an edit of
    /// its own.
    ///
    /// # Errors
    ///
    /// See [`EditError`]; nothing is changed by any of them.
    pub async fn roll_back_credential(
        &self,
        author: Author,
        name: String,
        revision: u64,
    ) -> Result<CredentialView, EditError> {
        let inner = Arc::clone(&self.inner);
        let task = async move { inner.roll_back_credential(&author, &name, revision).await };
        tokio::spawn(task)
            .await
            .map_err(|_| EditError::Interrupted)?
    }

    /// Removes a credential that no channel uses.
    ///
    /// # Errors
    ///
    /// See [`EditError`]; nothing is changed by any of them.
    pub async fn delete_credential(&self, author: Author, name: String) -> Result<(), EditError> {
        let inner = Arc::clone(&self.inner);
        let task = async move { inner.delete_credential(&author, &name).await };
        tokio::spawn(task)
            .await
            .map_err(|_| EditError::Interrupted)?
    }

    /// The edits of a credential, newest first, at most this many.
    ///
    /// # Errors
    ///
    /// When there never was one with that name, or the database fails.
    pub async fn credential_history(
        &self,
        name: &str,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<CredentialEntry>, EditError> {
        let found = self.inner.store.credential_audit(name, before, limit);
        let entries = found.await?;
        if entries.is_empty() && before.is_none() {
            return Err(EditError::UnknownCredential(name.to_owned()));
        }
        Ok(entries.iter().map(CredentialEntry::from).collect())
    }
}

impl Inner {
    async fn put_credential(
        &self,
        author: &Author,
        name: &str,
        body: &[u8],
    ) -> Result<(CredentialView, bool), EditError> {
        let publisher = self.publisher.lock().await;
        let contents = self.store.contents().await?;
        let edit = (body, None);
        self.edit_credential((&publisher, &contents), author, name, edit)
            .await
    }

    async fn roll_back_credential(
        &self,
        author: &Author,
        name: &str,
        revision: u64,
    ) -> Result<CredentialView, EditError> {
        let publisher = self.publisher.lock().await;
        let contents = self.store.contents().await?;
        find(&contents, name)?;
        // The latest entry would do for any later revision, but nobody has seen what that is.
        let then = if revision <= contents.revision {
            self.store.audited_credential(name, revision).await?
        } else {
            None
        };
        let then = then.ok_or(EditError::UnknownRevision(revision))?;
        let body = format!("{{\"credentials\":{then}}}");
        let edit = (body.as_bytes(), Some(revision));
        let (view, _) = self
            .edit_credential((&publisher, &contents), author, name, edit)
            .await?;
        Ok(view)
    }

    /// Makes the edit that a body describes, which may be a rollback to a revision.
    async fn edit_credential(
        &self,
        (publisher, contents): (&Publisher, &Contents),
        author: &Author,
        name: &str,
        (body, restored): (&[u8], Option<u64>),
    ) -> Result<(CredentialView, bool), EditError> {
        let before = find(contents, name).ok();
        author.check_revision(
            before.map(|own| own.revision),
            EditError::CredentialOutdated,
        )?;
        let mut faults = Vec::new();
        let edit = CredentialEdit::parse(body, &mut faults)?;
        let after = edit.apply(name, before.map(|own| &own.credentials), &mut faults);
        let Some(after) = after.filter(|_| faults.is_empty()) else {
            return Err(EditError::InvalidCredential(faults));
        };
        if let Some(before) = before.filter(|own| own.credentials == after) {
            return Ok((before.view(&contents.channels), false));
        }
        faults.extend(credentials::check(
            &after,
            &self.settings.file_places,
            "/credentials",
        ));
        let next = with(contents, name, &after);
        let changed = StoredCredential {
            name: name.to_owned(),
            ..placeholder(&after)
        };
        let users: Vec<_> = changed.users(&next.channels).collect();
        faults.extend(users.iter().flat_map(|own| self.faults_of_user(own)));
        let snapshot = match self.compile(&next) {
            Ok(snapshot) if faults.is_empty() => snapshot,
            Ok(_) => return Err(EditError::InvalidCredential(faults)),
            Err(found) => {
                faults.extend(found.iter().map(|own| as_credentials(&next, own)));
                return Err(EditError::InvalidCredential(faults));
            }
        };
        let change = CredentialChange::Put {
            name,
            before,
            after: &after,
            restored,
        };
        let stored = self
            .store
            .commit_credential(snapshot.revision, &author.name, change, &users)
            .await?;
        log(snapshot.revision, change, name, author);
        self.publish(publisher, snapshot).await;
        self.keeper.sync(&next.channels);
        Ok((stored.view(&next.channels), before.is_none()))
    }

    /// What is wrong with a channel once it uses a credential's new content.
    fn faults_of_user(&self, stored: &StoredChannel) -> Vec<Fault> {
        let channel = &stored.channel;
        let mut faults = credentials::check_channel(channel, &self.settings.file_places);
        faults.extend(destination::objection_to(channel, &self.settings));
        let name = &channel.name;
        let own = faults.iter().map(|fault| {
            let message = format!("channel `{name}`, {}: {}", fault.pointer, fault.message);
            Fault::new("/credentials", fault.code, message)
        });
        own.collect()
    }

    async fn delete_credential(&self, author: &Author, name: &str) -> Result<(), EditError> {
        let publisher = self.publisher.lock().await;
        let contents = self.store.contents().await?;
        let before = find(&contents, name)?;
        author.check_revision(Some(before.revision), EditError::CredentialOutdated)?;
        let users = before.users(&contents.channels);
        let channels: Vec<_> = users.map(|own| own.channel.name.clone()).collect();
        if !channels.is_empty() {
            let name = name.to_owned();
            return Err(EditError::CredentialInUse { name, channels });
        }
        let mut next = contents.clone();
        next.revision += 1;
        next.credentials.retain(|own| own.name != name);
        let snapshot = self.compile(&next).map_err(EditError::Invalid)?;
        let change = CredentialChange::Delete(before);
        self.store
            .commit_credential(snapshot.revision, &author.name, change, &[])
            .await?;
        log(snapshot.revision, change, name, author);
        self.publish(&publisher, snapshot).await;
        Ok(())
    }
}

fn log(revision: u64, change: CredentialChange<'_>, name: &str, author: &Author) {
    tracing::info!(
        revision,
        action = change.action(),
        credential = name,
        actor = author.name,
        "credential edited"
    );
}

/// The credential with this name.
fn find<'a>(contents: &'a Contents, name: &str) -> Result<&'a StoredCredential, EditError> {
    let mut all = contents.credentials.iter();
    let found = all.find(|own| own.name == name);
    found.ok_or_else(|| EditError::UnknownCredential(name.to_owned()))
}

/// The configuration with this credential, as the next revision.
fn with(contents: &Contents, name: &str, after: &Credentials) -> Contents {
    let mut next = contents.clone();
    next.revision += 1;
    next.credentials.retain(|own| own.name != name);
    next.credentials.push(StoredCredential {
        name: name.to_owned(),
        ..placeholder(after)
    });
    for stored in &mut next.channels {
        // Every reference led somewhere before, and still does.
        let _ = resolve(&mut stored.channel.credentials, &next.credentials);
    }
    next
}

fn placeholder(credentials: &Credentials) -> StoredCredential {
    StoredCredential {
        name: String::new(),
        credentials: credentials.clone(),
        revision: 0,
        created_at: String::new(),
        updated_at: String::new(),
    }
}

/// A fault of the configuration, as one of the credential that causes it.
fn as_credentials(contents: &Contents, fault: &Fault) -> Fault {
    Fault::new("/credentials", fault.code, super::told(contents, fault))
}
