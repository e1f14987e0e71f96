//! Editing channels: check them with the filter's own rules, store them, publish them; one
//! edit at a time.

mod author;
mod beside;
mod candidate;
mod choices;
mod commit;
mod credentials;
mod destination;
mod discover;
mod first;
mod history;
mod probing;
mod queries;
mod renew;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bedrock_filter::config::{CallerMode, SignedBy};
use tokio::sync::{Mutex, Notify, watch};

use crate::channel::{Channel, ChannelView, CredentialStatus, StoredChannel};
use crate::credentials::keeper::Keeper;
use crate::discovery::{self, Asker};
use crate::fault::Fault;
use crate::fleet::Fleet;
use crate::health::Health;
use crate::probe::Prober;
use crate::publish::{self, Publisher, Snapshot};
use crate::settings::Settings;
use crate::store::{Contents, Store, StoreError};

pub use crate::edit::EditError;
pub use author::{Author, Expected};
pub(crate) use beside::Turn;
pub use choices::ChoiceError;
pub use discover::DiscoverError;
pub(crate) use discover::Report;
pub use first::FirstError;
pub(crate) use probing::HealthReport;
pub use renew::RenewError;

use beside::keep_limits;
use candidate::find;

/// How long to wait for AWS at start. Channels without credentials by then follow later.
const FIRST_ANSWERS: Duration = Duration::from_secs(5);

/// What to do about a master key that protects nothing.
pub(crate) const UNASKED_MASTER_KEY: &str = "set the mode of callers to required, with PATCH /api/caller-settings or \
                                             `config-service caller mode required`";

/// What to do about a cluster that gateways lack.
const EXPORT_AGAIN: &str = "export the manifest for Istio again and apply it";

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
    fleet: Fleet,
    prober: Prober,
    asker: Asker,
    health: Health,
    /// Held from the moment the current revision is read until the next one is published.
    publisher: Mutex<Publisher>,
    published: watch::Receiver<Arc<Snapshot>>,
    /// Told when an edit was stored that is still to be published.
    due: Notify,
}

/// Which edit a body requests.
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
    /// Starts with what is stored, whose snapshot is the first to be published.
    ///
    /// # Errors
    ///
    /// When the database fails, or contains channels that do not compile.
    pub async fn load(
        store: Store,
        settings: Settings,
        keeper: Keeper,
        fleet: Fleet,
    ) -> Result<Self, LoadError> {
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
        if settings.master_key.is_some() && contents.callers.policy.mode == CallerMode::Off {
            tracing::warn!(
                "there is a master key, but nobody is asked for a key: {UNASKED_MASTER_KEY}"
            );
        }
        snapshot.remember(store.kept_clusters().await?);
        store.keep_clusters(&snapshot.clusters).await?;
        let rules = &settings.limit_rules;
        rules.remember(store.kept_limits().await?).await;
        let values = rules.cover(&snapshot.limits, snapshot.revision).await;
        keep_limits(&store, values).await;
        let publisher = Publisher::new(snapshot);
        let inner = Inner {
            published: publisher.subscribe(),
            store,
            keeper,
            fleet,
            prober: Prober::new(settings.outbound.clone()),
            asker: Asker::new(settings.outbound.clone()),
            health: Health::default(),
            settings,
            publisher: Mutex::new(publisher),
            due: Notify::new(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// A view of what is published.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.inner.published.clone()
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
        // A separate task, because a client that disconnects must not leave an edit stored but
        // unpublished.
        let task = async move { inner.edit(&author, request, body.as_ref()).await };
        let edited = tokio::spawn(task).await;
        let stored = edited.map_err(|_| EditError::Interrupted)??;
        // What was seen of the channel need no longer be true.
        self.inner.health.forget(&stored.id);
        Ok(stored)
    }

    /// Removes a channel.
    ///
    /// # Errors
    ///
    /// See [`EditError`]; nothing is changed by any of them.
    pub async fn delete(&self, author: Author, id: String) -> Result<(), EditError> {
        let inner = Arc::clone(&self.inner);
        let deleted = id.clone();
        let task = async move { inner.delete(&author, &id).await };
        let ended = tokio::spawn(task).await;
        ended.map_err(|_| EditError::Interrupted)??;
        self.inner.health.forget(&deleted);
        Ok(())
    }

    /// The state of the sources of credentials, by channel id; for metrics.
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
        let mut warnings = discovery::judged(&stored.channel, stored.discovery.as_ref());
        warnings.extend(self.inner.unreached(&stored.channel));
        ChannelView::new(stored, warnings).with_credential_status(status)
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

impl Inner {
    /// A warning if connected Envoys lack a cluster for a channel, which they do not get from here, or a pool.
    fn unreached(&self, channel: &Channel) -> Option<Fault> {
        let (endpoint, pool) = publish::own_clusters(channel, &self.settings)?;
        let lacking = self.fleet.lacking([endpoint.as_str()]);
        if let Some(who) = listed(&lacking) {
            return Some(no_cluster(channel, &who));
        }
        let published = Arc::clone(&self.published.borrow());
        // Without a channel requests fail over by other pools as well.
        let pools = published.clusters.iter().filter(|own| own.stage.is_some());
        let pools = pools.filter(|own| !channel.enabled || own.has(&channel.name));
        let lacking = self.fleet.lacking(pools.map(|own| own.name.as_str()));
        let lack = match listed(&lacking) {
            Some(who) => format!(
                "there is no pool for the channels as they are now in {who}, so requests there do not fail over"
            ),
            None => format!(
                "there is no pool for this channel in {}, so requests there do not fail over while it is enabled",
                listed(&self.fleet.lacking(pool.as_deref()))?
            ),
        };
        Some(Fault::new("", "no_pool", format!("{lack}; {EXPORT_AGAIN}")))
    }
}

/// What an edit is told if gateways have no cluster to which the channel's requests could go.
fn no_cluster(channel: &Channel, who: &str) -> Fault {
    let (place, remedy) = match channel.signer {
        // A manifest holds no keys.
        SignedBy::Envoy => ("/signer", "set `signer` to `filter`"),
        SignedBy::Filter if channel.endpoint.is_some() => ("/endpoint", EXPORT_AGAIN),
        SignedBy::Filter => ("/region", EXPORT_AGAIN),
    };
    let message = format!(
        "there is no cluster for this channel in {who}, so its requests get 503 there; {remedy}"
    );
    Fault::new(place, "no_cluster", message)
}

/// Some names in words.
fn listed(names: &BTreeSet<String>) -> Option<String> {
    let first = names.first()?;
    Some(match names.len() {
        1 => format!("`{first}`"),
        count => format!("`{first}` and {} others", count - 1),
    })
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

/// Channels from versions without `allow_model_ids` let clients name any model, and still do.
fn warn_of_any_model(contents: &Contents) {
    let channels = contents.channels.iter().map(|stored| &stored.channel);
    let open: Vec<_> = channels
        .filter(|channel| channel.models.is_empty() && channel.allow_model_ids.is_any())
        .map(|channel| channel.name.as_str())
        .collect();
    if !open.is_empty() {
        tracing::warn!(
            channels = open.join(", "),
            "through these channels clients can call every model in the account, also by custom model id and raw ARN; \
             set allow_model_ids to catalogue or none"
        );
    }
}

/// A fault of the plugin configuration, with the channel's name instead of its index.
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
