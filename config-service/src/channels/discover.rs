//! Asking accounts what they have.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bedrock_filter::config::{Channel as FilterChannel, Credentials};
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use super::candidate::find;
use super::queries::keep_only;
use super::{Channels, EditError, Inner};
use crate::candor::Candor;
use crate::channel::{Discovery, StoredChannel};
use crate::discovery::{self, Access, Offer};
use crate::fault::{Fault, FaultSchema};
use crate::publish;
use crate::store::{Contents, StoreError};

/// How often to check which accounts are due.
const ROUND: Duration = Duration::from_secs(30);

/// Pause after an attempt that did not find out everything, if the channel's own is not shorter.
const AFTER_TROUBLE: Duration = Duration::from_secs(15 * 60);

/// What an account has, and what follows for its channel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DiscoveryReport)]
pub(crate) struct Report {
    /// What the account has; null when it was never asked.
    #[schema(required)]
    discovery: Option<Discovery>,
    /// Whether it is about another region or host than the channel's, so that it is not used.
    is_outdated: bool,
    /// Names that the channel serves because of it; null if the channel does not go by its account, or the
    /// account reported too little.
    #[schema(required)]
    names: Option<Vec<String>>,
    /// The account's own profiles that the channel does not map yet.
    offers: Vec<Offer>,
    /// What is suspicious about the channel.
    #[schema(value_type = Vec<FaultSchema>)]
    warnings: Vec<Fault>,
}

/// Why an account was not asked.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// There is no such channel, or it cannot be read.
    #[error(transparent)]
    Channel(#[from] EditError),
    /// The source of its credentials has issued none, or none that are still valid.
    #[error("the channel has no valid credentials; its credential_status says why")]
    NoCredentials,
}

impl From<StoreError> for DiscoverError {
    fn from(error: StoreError) -> Self {
        Self::Channel(error.into())
    }
}

impl Report {
    /// What is known of a channel's account.
    pub(crate) fn of(stored: &StoredChannel) -> Self {
        let (channel, found) = (&stored.channel, stored.discovery.as_ref());
        let current = found.filter(|found| found.is_of(channel));
        let serves_it = channel.models_mode == Some(bedrock_filter::config::ModelsMode::Fallback);
        let names = current
            .filter(|_| serves_it)
            .and_then(|found| found.names(channel));
        Self {
            is_outdated: found.is_some() && current.is_none(),
            names,
            offers: current
                .map(|found| discovery::offers(channel, found))
                .unwrap_or_default(),
            warnings: discovery::judged(channel, found),
            discovery: found.cloned(),
        }
    }

    /// What the account has, if it was asked.
    pub(crate) fn discovery(&self) -> Option<&Discovery> {
        self.discovery.as_ref()
    }

    /// Whether it is about another region or host than the channel's.
    pub(crate) fn is_outdated(&self) -> bool {
        self.is_outdated
    }

    /// Names that the channel serves because of it.
    pub(crate) fn names(&self) -> Option<&[String]> {
        self.names.as_deref()
    }

    /// Profiles that the channel could map.
    pub(crate) fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// What is suspicious about the channel.
    pub(crate) fn warnings(&self) -> &[Fault] {
        &self.warnings
    }
}

impl Channels {
    /// What is known of a channel's account.
    ///
    /// # Errors
    ///
    /// When there is no such channel, or the database fails.
    pub(crate) async fn discovery(&self, id: &str) -> Result<Report, EditError> {
        Ok(Report::of(&self.get(id).await?))
    }

    /// Asks a channel's account what it has, even if the channel is disabled, and keeps the answer.
    ///
    /// # Errors
    ///
    /// When there is no such channel, it has no credentials yet, or the database fails. What AWS refuses is in the
    /// report.
    pub(crate) async fn discover(&self, id: &str) -> Result<Report, DiscoverError> {
        let mut contents = self.list().await?;
        keep_only(&mut contents, id)?;
        let access = self.inner.access(&contents)?;
        let stored = find(&contents, id)?;
        let before = stored.discovery.clone();
        let found = self.inner.asker.ask(&stored.channel, &access, before).await;
        tracing::info!(
            channel.id = id,
            channel.name = stored.channel.name,
            problems = found.problems.len(),
            "account asked what it has"
        );
        let (inner, id) = (Arc::clone(&self.inner), id.to_owned());
        // A task of its own, like an edit: not to be cut between storing and publishing.
        let task = tokio::spawn(async move { inner.keep_discovery(&id, found).await });
        task.await.map_err(|_| EditError::Interrupted)?
    }

    /// Asks the accounts of channels that want it, each at its interval, until `stopped` turns true.
    pub(crate) async fn keep_discovering(self, mut stopped: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => break,
                () = self.discover_due() => {}
            }
            tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => break,
                () = tokio::time::sleep(ROUND) => {}
            }
        }
    }

    async fn discover_due(&self) {
        let contents = match self.list().await {
            Ok(contents) => contents,
            Err(error) => {
                return tracing::error!(%error, "the channels that are due for discovery cannot be read");
            }
        };
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        for stored in contents
            .channels
            .iter()
            .filter(|stored| is_due(stored, now))
        {
            if let Err(error) = self.discover(&stored.id).await {
                tracing::warn!(channel.name = stored.channel.name, %error, "an account was not asked");
            }
        }
    }
}

/// Whether a channel's account is to be asked; `now` since the epoch.
fn is_due(stored: &StoredChannel, now: Duration) -> bool {
    let channel = &stored.channel;
    if !channel.enabled || channel.discovery_hours == 0 {
        return false;
    }
    let Some(last) = stored.discovery.as_ref().filter(|last| last.is_of(channel)) else {
        return true;
    };
    let own = Duration::from_secs(u64::from(channel.discovery_hours) * 3600);
    let pause = if last.problems.is_empty() {
        own
    } else {
        own.min(AFTER_TROUBLE)
    };
    now >= Duration::from_secs(last.asked) + pause
}

impl Inner {
    /// How the account of the only channel is reached.
    fn access(&self, contents: &Contents) -> Result<Access, DiscoverError> {
        let config = publish::ready(contents, &self.settings, &self.keeper.issued());
        let channel: Option<FilterChannel<Credentials>> = config.channels.into_iter().next();
        let now = SystemTime::now();
        let channel = channel
            .filter(|own| own.credentials.are_valid(now))
            .ok_or(DiscoverError::NoCredentials)?;
        let stored = contents
            .channels
            .first()
            .ok_or(DiscoverError::NoCredentials)?;
        let origin = discovery::origin(&stored.channel).ok_or(DiscoverError::NoCredentials)?;
        Ok(Access {
            origin,
            candor: Candor::of(&channel, &self.settings.trusted_endpoints),
            region: channel.region,
            credentials: channel.credentials,
        })
    }

    /// Stores what an account reported, and publishes it if that changes what Envoys get.
    async fn keep_discovery(&self, id: &str, found: Discovery) -> Result<Report, DiscoverError> {
        let publisher = self.publisher.lock().await;
        let mut contents = self.store.contents().await?;
        contents.revision += 1;
        let stored = contents.channels.iter_mut().find(|stored| stored.id == id);
        let stored = stored.ok_or_else(|| EditError::NotFound(id.to_owned()))?;
        let before = discovery::effective(&stored.channel, stored.discovery.as_ref());
        let after = discovery::effective(&stored.channel, Some(&found));
        stored.discovery = Some(found.clone());
        let report = Report::of(stored);
        if before == after {
            self.store.keep_discovery(id, &found, None).await?;
            return Ok(report);
        }
        let snapshot = self.compile(&contents).map_err(EditError::Invalid)?;
        self.store
            .keep_discovery(id, &found, Some(snapshot.revision))
            .await?;
        tracing::info!(
            revision = snapshot.revision,
            channel.id = id,
            "a change in what an account has was published"
        );
        self.publish(&publisher, snapshot).await;
        Ok(report)
    }
}
