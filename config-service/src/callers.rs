//! Editing callers: check them with the filter's own rules, store them, and have them published.

mod error;
mod history;
mod import;
mod keys;
mod policy;

use std::sync::Arc;

use crate::caller::{Caller, CallerBook, CallerEdit, Fill, StoredCaller};
use crate::channels::{Author, Channels, Turn};
use crate::fault::Fault;
use crate::store::{CallerChange, Contents, StoreError};

pub use error::CallerError;
pub use import::{ImportOrder, ImportReport, ImportedCaller, Origin};
pub(crate) use keys::IssuedKey;

/// Everything that can be done with callers. Clones share one state.
#[derive(Clone, Debug)]
pub struct Callers {
    channels: Channels,
}

/// Which edit a body requests.
#[derive(Clone, Debug)]
pub enum CallerRequest {
    /// A new caller.
    Create,
    /// New content for the caller with this id.
    Replace(String),
    /// Some new fields for the caller with this id.
    Patch(String),
    /// New content for the caller with this name, or a new caller if there is none.
    ReplaceNamed(String),
}

impl Callers {
    /// Callers are published with these channels.
    #[must_use]
    pub fn new(channels: Channels) -> Self {
        Self { channels }
    }

    /// Everybody who may call, and the revision that this belongs to.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn list(&self) -> Result<(u64, Arc<CallerBook>), StoreError> {
        let contents = self.channels.list().await?;
        Ok((contents.revision, contents.callers))
    }

    /// One caller.
    ///
    /// # Errors
    ///
    /// When there is none with that id, or the database fails.
    pub async fn get(&self, id: &str) -> Result<Arc<StoredCaller>, CallerError> {
        let (_, book) = self.list().await?;
        find(&book, id).cloned()
    }

    /// Makes the edit that `body` describes. An edit that changes nothing makes no revision.
    ///
    /// # Errors
    ///
    /// See [`CallerError`]; nothing is changed by any of them.
    pub async fn edit(
        &self,
        author: Author,
        request: CallerRequest,
        body: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<Arc<StoredCaller>, CallerError> {
        let channels = self.channels.clone();
        apart(async move {
            let turn = channels.turn().await?;
            let (before, after) = read(turn.contents(), &author, &request, body.as_ref())?;
            let change = CallerChange {
                before: before.as_deref(),
                after: Some(&after),
                ..CallerChange::default()
            };
            make(turn, &author, change).await
        })
        .await
    }

    /// Removes a caller and its keys.
    ///
    /// # Errors
    ///
    /// See [`CallerError`]; nothing is changed by any of them.
    pub async fn delete(&self, author: Author, id: String) -> Result<(), CallerError> {
        let channels = self.channels.clone();
        apart(async move {
            let turn = channels.turn().await?;
            let before = Arc::clone(find(&turn.contents().callers, &id)?);
            check(&author, Some(&before))?;
            let change = CallerChange {
                before: Some(&before),
                ..CallerChange::default()
            };
            make(turn, &author, change).await
        })
        .await?;
        Ok(())
    }
}

/// Runs an edit as a task of its own, because a client that disconnects must not leave it stored but unpublished.
async fn apart<T: Send + 'static>(
    edit: impl Future<Output = Result<T, CallerError>> + Send + 'static,
) -> Result<T, CallerError> {
    let done = tokio::spawn(edit).await;
    done.map_err(|_| CallerError::Interrupted)?
}

fn find<'b>(book: &'b CallerBook, id: &str) -> Result<&'b Arc<StoredCaller>, CallerError> {
    let found = book.find(id);
    found.ok_or_else(|| CallerError::NotFound(id.to_owned()))
}

/// Refuses if the caller is not in the state that the author knows.
fn check(author: &Author, stored: Option<&Arc<StoredCaller>>) -> Result<(), CallerError> {
    let revision = stored.map(|own| own.revision);
    if author.expects.admits(revision) {
        Ok(())
    } else {
        Err(CallerError::Outdated(revision))
    }
}

/// What is stored, and what an edit makes of it.
type Edited = (Option<Arc<StoredCaller>>, Caller);

fn read(
    contents: &Contents,
    author: &Author,
    request: &CallerRequest,
    body: &[u8],
) -> Result<Edited, CallerError> {
    let book = &contents.callers;
    let mut faults = Vec::new();
    let mut edit = CallerEdit::parse(body, &mut faults)?;
    let before = match request {
        CallerRequest::Create => None,
        CallerRequest::Replace(id) | CallerRequest::Patch(id) => Some(Arc::clone(find(book, id)?)),
        CallerRequest::ReplaceNamed(name) => {
            edit.check_name(name, &mut faults);
            book.named(name).cloned()
        }
    };
    check(author, before.as_ref())?;
    edit.check_id(before.as_ref().map(|own| own.id.as_str()), &mut faults);
    let fill = match (request, &before) {
        (CallerRequest::Patch(_), Some(before)) => Fill::Keep(&before.caller),
        _ => Fill::Defaults,
    };
    let after = edit.apply(fill, &mut faults);
    judge(contents, before.as_deref(), &after, faults)?;
    Ok((before, after))
}

/// Fails with everything that is wrong with a caller.
fn judge(
    contents: &Contents,
    before: Option<&StoredCaller>,
    after: &Caller,
    mut faults: Vec<Fault>,
) -> Result<(), CallerError> {
    let book = &contents.callers;
    let own = after
        .served(&book.policy)
        .faults()
        .into_iter()
        .map(|mut own| {
            for group in ["/limits/", "/rules/"] {
                own.pointer = own.pointer.replacen(group, "/", 1);
            }
            own
        });
    let own = own.chain(unknown_channels(contents, before, after));
    for fault in own.chain(others_identities(contents, before, after)) {
        if !faults.iter().any(|known| known.touches(&fault.pointer)) {
            faults.push(fault);
        }
    }
    if !faults.is_empty() {
        return Err(CallerError::Invalid(faults));
    }
    let namesake = book
        .named(&after.name)
        .filter(|other| before.is_none_or(|before| before.id != other.id));
    match namesake {
        Some(_) => Err(CallerError::NameTaken(after.name.clone())),
        None => Ok(()),
    }
}

/// Channels that do not exist. One that did when it was written may stay, although it serves nothing.
fn unknown_channels(
    contents: &Contents,
    before: Option<&StoredCaller>,
    after: &Caller,
) -> Vec<Fault> {
    let exists = |name: &String| {
        let mut all = contents.channels.iter();
        all.any(|stored| stored.channel.name == *name)
            || before.is_some_and(|own| own.caller.channels.contains(name))
    };
    let named = after.channels.iter().enumerate();
    let unknown = named.filter(|(_, name)| !exists(name));
    unknown
        .map(|(index, _)| {
            let message = "there is no channel of this name; GET /api/channels lists them";
            Fault::new(format!("/channels/{index}"), "unknown_channel", message)
        })
        .collect()
}

/// Identities that are another caller's, or written twice.
fn others_identities(
    contents: &Contents,
    before: Option<&StoredCaller>,
    after: &Caller,
) -> Vec<Fault> {
    let identities = after.identities.iter().enumerate();
    let taken = identities.filter_map(|(index, identity)| {
        let owner = contents.callers.known_by(identity);
        let owner = owner.filter(|own| before.is_none_or(|before| before.id != own.id));
        let mut earlier = after.identities.iter().take(index);
        let message = match owner {
            Some(owner) => format!("is an identity of the caller `{}`", owner.caller.name),
            None if earlier.any(|own| own == identity) => "is written twice".to_owned(),
            None => return None,
        };
        let at = format!("/identities/{index}");
        Some(Fault::new(at, "duplicate_identity", message))
    });
    taken.collect()
}

/// Stores a change and has it published, unless it changes nothing.
async fn make(
    turn: Turn<'_>,
    author: &Author,
    change: CallerChange<'_>,
) -> Result<Arc<StoredCaller>, CallerError> {
    if let (Some(before), Some(after), []) = (change.before, change.after, change.keys)
        && before.caller == *after
    {
        return Ok(Arc::new(before.clone()));
    }
    let (is_new, is_gone) = (change.before.is_none(), change.after.is_none());
    let next = turn.next();
    let stored = turn
        .store()
        .commit_caller(next, &author.name, change)
        .await?;
    let action = match (is_new, is_gone) {
        (true, _) => "create",
        (_, true) => "delete",
        _ => "update",
    };
    tracing::info!(
        revision = next,
        action,
        caller.id = stored.id,
        caller.name = stored.caller.name,
        actor = author.name,
        "caller edited"
    );
    turn.publish();
    Ok(stored)
}
