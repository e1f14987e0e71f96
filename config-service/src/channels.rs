//! Editing channels: check with the filter's own rules, store, publish; one edit at a time.

mod renew;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bedrock_filter::config::{Failover, Limits};
use tokio::sync::Mutex;

use crate::channel::{Channel, ChannelView, StoredChannel};
use crate::credentials::{self, CredentialStatus, keeper::Keeper};
use crate::edit::{Base, Edit, SyntaxError, endpoint};
use crate::fault::Fault;
use crate::publish::{Publisher, Snapshot};
use crate::seal::Sealer;
use crate::store::{Change, Contents, Store, StoreError};

pub use renew::RenewError;

/// How long the start waits for AWS. Channels without credentials by then come later.
const FIRST_ANSWERS: Duration = Duration::from_secs(5);

/// Everything that can be done with channels. Clones share one state.
#[derive(Clone, Debug)]
pub struct Channels {
    inner: Arc<Inner>,
}

/// What holds for all channels.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Sizes that the filter enforces.
    pub limits: Limits,
    /// Settings of failover, where the filter stands on the clusters too.
    pub failover: Option<Failover>,
    /// Seals what is published.
    pub sealer: Sealer,
    /// Whether an endpoint may lead to a link-local address or a metadata service.
    pub allow_link_local_endpoints: bool,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    settings: Settings,
    keeper: Keeper,
    /// Held from reading the current revision until the next one is published.
    publisher: Mutex<Publisher>,
}

/// Which edit a body asks for.
#[derive(Clone, Debug)]
pub enum Request {
    /// A new channel.
    Create,
    /// New content for the channel with this id.
    Replace(String),
    /// Some new fields for the channel with this id.
    Patch(String),
}

/// Why an edit was not made.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The body is not JSON.
    #[error("the body is not valid JSON: {0}")]
    Syntax(#[from] SyntaxError),
    /// The edit breaks rules.
    #[error("the channel is not valid")]
    Invalid(Vec<Fault>),
    /// Another channel has the name.
    #[error("another channel has the name `{0}`")]
    NameTaken(String),
    /// There is no channel with that id.
    #[error("there is no channel with the id `{0}`")]
    NotFound(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The edit was cut short; whether it was made is unknown.
    #[error("the edit was interrupted")]
    Interrupted,
}

/// Stored channels that this version's rules refuse.
#[derive(Debug, thiserror::Error)]
#[error("the stored channels do not compile: {}", list(.0))]
pub struct InvalidContents(Vec<Fault>);

impl Channels {
    /// Starts with what is stored: its snapshot becomes the first one that is published.
    ///
    /// # Errors
    ///
    /// When the database fails, or holds channels that do not compile.
    pub async fn load(store: Store, settings: Settings, keeper: Keeper) -> Result<Self, LoadError> {
        let mut contents = store.contents().await?;
        keeper.sync(&contents);
        keeper.restore(store.issued().await?);
        if keeper.settle(FIRST_ANSWERS).await {
            contents.revision += 1;
            store.renew(contents.revision, &keeper.saved()).await?;
        }
        let snapshot = Snapshot::compile(&contents, &settings, &keeper.issued());
        let snapshot = snapshot.map_err(InvalidContents)?;
        let inner = Inner {
            store,
            settings,
            keeper,
            publisher: Mutex::new(Publisher::new(snapshot)),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// A view of what is published.
    pub async fn subscribe(&self) -> tokio::sync::watch::Receiver<Arc<Snapshot>> {
        self.inner.publisher.lock().await.subscribe()
    }

    /// Everything that is configured.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn list(&self) -> Result<Contents, StoreError> {
        self.inner.store.contents().await
    }

    /// One channel.
    ///
    /// # Errors
    ///
    /// When there is none with that id, or the database fails.
    pub async fn get(&self, id: &str) -> Result<StoredChannel, EditError> {
        let contents = self.list().await?;
        find(&contents, id).cloned()
    }

    /// Makes the edit that `body` describes. An edit that changes nothing makes no revision.
    ///
    /// # Errors
    ///
    /// See [`EditError`]; nothing is changed by any of them.
    pub async fn edit(
        &self,
        actor: &'static str,
        request: Request,
        body: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<StoredChannel, EditError> {
        let inner = Arc::clone(&self.inner);
        // A task of its own: a client that goes away must not leave an edit stored but unpublished.
        let task = async move { inner.edit(actor, request, body.as_ref()).await };
        tokio::spawn(task)
            .await
            .map_err(|_| EditError::Interrupted)?
    }

    /// Removes a channel.
    ///
    /// # Errors
    ///
    /// See [`EditError`]; nothing is changed by any of them.
    pub async fn delete(&self, actor: &'static str, id: String) -> Result<(), EditError> {
        let inner = Arc::clone(&self.inner);
        let task = async move { inner.delete(actor, &id).await };
        tokio::spawn(task)
            .await
            .map_err(|_| EditError::Interrupted)?
    }

    /// How the sources of credentials are doing, by channel id; for metrics.
    #[must_use]
    pub fn credential_status(&self) -> BTreeMap<String, CredentialStatus> {
        self.inner.keeper.status()
    }

    /// What administrators may see of a channel.
    #[must_use]
    pub fn view(&self, stored: &StoredChannel) -> ChannelView {
        let status = self.inner.keeper.status().remove(&stored.id);
        ChannelView::new(stored).with_credential_status(status)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.inner.store.check().await
    }
}

/// Why the service cannot start with what is stored.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stored channels do not compile.
    #[error(transparent)]
    Invalid(#[from] InvalidContents),
}

impl Inner {
    fn compile(&self, contents: &Contents) -> Result<Snapshot, Vec<Fault>> {
        Snapshot::compile(contents, &self.settings, &self.keeper.issued())
    }

    async fn edit(
        &self,
        actor: &str,
        request: Request,
        body: &[u8],
    ) -> Result<StoredChannel, EditError> {
        let mut faults = Vec::new();
        let edit = Edit::parse(body, &mut faults)?;
        let publisher = self.publisher.lock().await;
        let contents = self.store.contents().await?;
        let before = match &request {
            Request::Create => None,
            Request::Replace(id) | Request::Patch(id) => Some(find(&contents, id)?.clone()),
        };
        let base = match (&request, &before) {
            (Request::Replace(_), Some(before)) => Base::Replace(&before.channel),
            (Request::Patch(_), Some(before)) => Base::Patch(&before.channel),
            _ => Base::New,
        };
        let id = before.as_ref().map(|stored| stored.id.as_str());
        edit.check_id(id, &mut faults);
        let after = edit.apply(base, &mut faults);
        if let Some(endpoint) = &after.endpoint
            && !self.settings.allow_link_local_endpoints
        {
            faults.extend(endpoint::check(endpoint));
        }
        faults.extend(credentials::check_channel(&after));
        if let Some(before) = &before
            && faults.is_empty()
            && before.channel == after
        {
            return Ok(before.clone());
        }
        let snapshot = self.check_candidate(&contents, before.as_ref(), &after, faults)?;
        let change = match &before {
            None => Change::Create(&after),
            Some(before) => Change::Update {
                before,
                after: &after,
            },
        };
        self.commit(&publisher, actor, change, snapshot).await
    }

    async fn delete(&self, actor: &str, id: &str) -> Result<(), EditError> {
        let publisher = self.publisher.lock().await;
        let contents = self.store.contents().await?;
        let before = find(&contents, id)?;
        let mut next = contents.clone();
        next.revision += 1;
        next.channels.retain(|stored| stored.id != id);
        let snapshot = self.compile(&next).map_err(EditError::Invalid)?;
        let change = Change::Delete(before);
        self.commit(&publisher, actor, change, snapshot).await?;
        Ok(())
    }

    /// Compiles what would be configured if `after` were stored.
    fn check_candidate(
        &self,
        contents: &Contents,
        before: Option<&StoredChannel>,
        after: &Channel,
        mut faults: Vec<Fault>,
    ) -> Result<Snapshot, EditError> {
        let mut next = contents.clone();
        next.revision += 1;
        let id = before.map(|stored| stored.id.as_str());
        let name_taken = name_taken(contents, id, after);
        if name_taken && !faults.iter().any(|fault| fault.touches("/name")) {
            faults.push(Fault::new(
                "/name",
                "name_taken",
                "another channel has this name",
            ));
        }
        let candidate = candidate(before, after);
        let index = next
            .channels
            .iter()
            .position(|stored| Some(stored.id.as_str()) == id)
            .unwrap_or(next.channels.len());
        match next.channels.get_mut(index) {
            Some(place) => *place = candidate,
            None => next.channels.push(candidate),
        }
        let compiled = self.compile(&next);
        if let Err(found) = &compiled {
            add_own_faults(&mut faults, found, index);
        }
        match (compiled, faults.as_slice()) {
            (Ok(snapshot), []) => Ok(snapshot),
            (Err(found), []) => Err(EditError::Invalid(found)),
            (_, [only]) if only.code == "name_taken" => {
                Err(EditError::NameTaken(after.name.clone()))
            }
            _ => Err(EditError::Invalid(faults)),
        }
    }

    async fn commit(
        &self,
        publisher: &Publisher,
        actor: &str,
        change: Change<'_>,
        snapshot: Snapshot,
    ) -> Result<StoredChannel, EditError> {
        let stored = self.store.commit(snapshot.revision, actor, change).await?;
        tracing::info!(
            revision = snapshot.revision,
            action = change.action(),
            channel.id = stored.id,
            channel.name = stored.channel.name,
            actor,
            "channel edited"
        );
        publisher.publish(snapshot);
        match self.store.contents().await {
            Ok(contents) => self.keeper.sync(&contents),
            // The edit was made; the next one tells.
            Err(error) => tracing::error!(%error, "sources of credentials were not looked at"),
        }
        Ok(stored)
    }
}

fn find<'a>(contents: &'a Contents, id: &str) -> Result<&'a StoredChannel, EditError> {
    contents
        .channels
        .iter()
        .find(|stored| stored.id == id)
        .ok_or_else(|| EditError::NotFound(id.to_owned()))
}

fn name_taken(contents: &Contents, id: Option<&str>, after: &Channel) -> bool {
    contents
        .channels
        .iter()
        .any(|stored| stored.channel.name == after.name && Some(stored.id.as_str()) != id)
}

fn candidate(before: Option<&StoredChannel>, after: &Channel) -> StoredChannel {
    StoredChannel {
        id: before.map(|stored| stored.id.clone()).unwrap_or_default(),
        channel: after.clone(),
        revision: 0,
        created_at: String::new(),
        updated_at: String::new(),
    }
}

/// Adds what the compiler found in the channel at `index` and is not known already.
fn add_own_faults(faults: &mut Vec<Fault>, found: &[Fault], index: usize) {
    let prefix = format!("/channels/{index}");
    let already = faults.clone();
    let region_unknown = already.iter().any(|fault| fault.touches("/region"));
    for fault in found {
        let Some(pointer) = fault.pointer.strip_prefix(&prefix) else {
            continue;
        };
        let about_another = !pointer.is_empty() && !pointer.starts_with('/');
        // Judged against a region that stands in for one that could not be read.
        let spurious = region_unknown && fault.code == "region_mismatch";
        let known = already.iter().any(|known| known.touches(pointer));
        if !(about_another || spurious || known) {
            faults.push(Fault::new(pointer, fault.code, fault.message.clone()));
        }
    }
}

fn list(faults: &[Fault]) -> String {
    let lines: Vec<_> = faults
        .iter()
        .map(|fault| format!("{} {}", fault.pointer, fault.message))
        .collect();
    lines.join("; ")
}
