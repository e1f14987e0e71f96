//! Editing channels: check with the filter's own rules, store, publish; one edit at a time.

mod ask;
mod author;
mod candidate;
mod commit;
mod destination;
mod history;
mod renew;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::channel::{ChannelView, CredentialStatus, StoredChannel};
use crate::credentials::keeper::Keeper;
use crate::fault::Fault;
use crate::probe::Prober;
use crate::publish::{Publisher, Snapshot};
use crate::settings::Settings;
use crate::store::{Contents, Store, StoreError};

pub use crate::edit::EditError;
pub use author::{Author, Expected};
pub use renew::RenewError;

use candidate::find;

/// How long the start waits for AWS. Channels without credentials by then come later.
const FIRST_ANSWERS: Duration = Duration::from_secs(5);

/// Everything that can be done with channels. Clones share one state.
#[derive(Clone, Debug)]
pub struct Channels {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    settings: Settings,
    keeper: Keeper,
    prober: Prober,
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
    /// New content for the channel with this name, or a new channel if there is none.
    ReplaceNamed(String),
}

/// Stored channels that this version's rules refuse; each fault in words.
#[derive(Debug, thiserror::Error)]
#[error("the stored channels do not compile: {}", .0.join("; "))]
pub struct InvalidContents(Vec<String>);

impl InvalidContents {
    /// These faults of what is stored.
    fn new(contents: &Contents, faults: &[Fault]) -> Self {
        Self(faults.iter().map(|fault| told(contents, fault)).collect())
    }
}

impl Channels {
    /// Starts with what is stored: its snapshot becomes the first one that is published.
    ///
    /// # Errors
    ///
    /// When the database fails, or holds channels that do not compile.
    pub async fn load(store: Store, settings: Settings, keeper: Keeper) -> Result<Self, LoadError> {
        let mut contents = store.contents().await?;
        destination::warn(&contents, &settings);
        keeper.sync(&contents.channels);
        keeper.restore(store.issued().await?);
        if keeper.settle(FIRST_ANSWERS).await {
            contents.revision += 1;
            store.renew(contents.revision, &keeper.saved()).await?;
        }
        let snapshot = Snapshot::compile(&contents, &settings, &keeper.issued());
        let mut snapshot = snapshot.map_err(|faults| InvalidContents::new(&contents, &faults))?;
        warn_of_any_model(&contents);
        snapshot.remember(store.kept_clusters().await?);
        store.keep_clusters(&snapshot.clusters).await?;
        let inner = Inner {
            store,
            keeper,
            prober: Prober::new(settings.outbound.clone()),
            settings,
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
        author: Author,
        request: Request,
        body: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<StoredChannel, EditError> {
        let inner = Arc::clone(&self.inner);
        // A task of its own: a client that goes away must not leave an edit stored but unpublished.
        let task = async move { inner.edit(&author, request, body.as_ref()).await };
        tokio::spawn(task)
            .await
            .map_err(|_| EditError::Interrupted)?
    }

    /// Removes a channel.
    ///
    /// # Errors
    ///
    /// See [`EditError`]; nothing is changed by any of them.
    pub async fn delete(&self, author: Author, id: String) -> Result<(), EditError> {
        let inner = Arc::clone(&self.inner);
        let task = async move { inner.delete(&author, &id).await };
        tokio::spawn(task)
            .await
            .map_err(|_| EditError::Interrupted)?
    }

    /// How the sources of credentials are doing, by channel id; for metrics.
    #[must_use]
    pub fn credential_status(&self) -> BTreeMap<String, CredentialStatus> {
        self.inner.keeper.status()
    }

    /// The database, for what is not about channels.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
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

/// Channels of versions that had no `allow_model_ids` let clients name everything, and still do.
fn warn_of_any_model(contents: &Contents) {
    let channels = contents.channels.iter().map(|stored| &stored.channel);
    let open: Vec<_> = channels
        .filter(|channel| channel.models.is_empty() && channel.allow_model_ids.is_any())
        .map(|channel| channel.name.as_str())
        .collect();
    if !open.is_empty() {
        tracing::warn!(
            channels = open.join(", "),
            "through these channels clients can call every model of the account, by custom model id and \
             raw ARN too; set allow_model_ids to catalogue or none"
        );
    }
}

/// A fault of the plugin configuration, with the channel by its name: nobody knows its number.
fn told(contents: &Contents, fault: &Fault) -> String {
    let Fault {
        pointer, message, ..
    } = fault;
    let place = pointer.strip_prefix("/channels/").and_then(|rest| {
        let (index, _) = rest.split_once('/')?;
        let stored = contents.channels.get(index.parse::<usize>().ok()?)?;
        Some((&stored.channel.name, rest.strip_prefix(index)?))
    });
    match place {
        Some((name, field)) => format!("channel `{name}`, {field} {message}"),
        None => format!("{pointer} {message}"),
    }
}
