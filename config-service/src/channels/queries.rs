//! Questions about channels that change nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use bedrock_filter::callers::Caller;
use bedrock_filter::config::{Failover, Generation, ProtocolName, SignedBy};
use bedrock_filter::routes::Routes;
use serde_json::Value;

use super::candidate::find;
use super::{Channels, EditError, Request};
use crate::candor::Candor;
use crate::cluster::Cluster;
use crate::credentials::IssuedCredentials;
use crate::discovery;
use crate::explain::{self, Explanation};
use crate::export::ExportError;
use crate::fault::Fault;
use crate::probe::{Plan, ProbeError, Report};
use crate::publish::{self, Snapshot};
use crate::settings::Settings;
use crate::store::Contents;

impl Channels {
    /// Checks an edit without making it; returns the warnings about the channel that would result.
    ///
    /// # Errors
    ///
    /// Those of the edit itself.
    pub async fn preview(
        &self,
        request: Request,
        body: impl AsRef<[u8]>,
    ) -> Result<Vec<Fault>, EditError> {
        let contents = self.list().await?;
        let candidate = self.inner.read(&contents, &request, body.as_ref())?;
        let known = candidate.before.as_ref();
        let known = known.and_then(|stored| stored.discovery.as_ref());
        let mut warnings = discovery::judged(&candidate.after, known);
        warnings.extend(self.inner.unreached(&candidate.after));
        self.inner.judge(&contents, &candidate)?;
        Ok(warnings)
    }

    /// Where a request would go and what Bedrock would get; with `channel`, as if that were the only channel, and
    /// enabled.
    ///
    /// # Errors
    ///
    /// When there is no such channel, or the database fails.
    pub async fn explain(
        &self,
        request: (ProtocolName, &Value),
        channel: Option<&str>,
        caller: Option<&str>,
    ) -> Result<Explanation, EditError> {
        let mut contents = self.list().await?;
        let caller = caller.map(|name| caller_of(&contents, name)).transpose()?;
        if let Some(id) = channel {
            keep_only(&mut contents, id)?;
        }
        if self.inner.settings.failover.is_some() {
            contents.channels.sort_by_key(|own| own.channel.priority);
        }
        let lacking = self.inner.keeper.lacking();
        let routes = publish::explained(&contents, &self.inner.settings, &lacking)
            .map_err(EditError::Invalid)?;
        let now = SystemTime::now();
        let who = (&Arc::new(routes), caller.as_ref());
        Ok(explain::explain(&contents, who, request, now))
    }
}

impl Channels {
    /// Sends real requests through a channel, enabled or not, to see whether it works.
    ///
    /// # Errors
    ///
    /// When there is no such channel, it has no credentials yet, or the database fails.
    pub async fn probe(&self, id: &str, plan: &Plan) -> Result<Report, ProbeError> {
        let mut contents = self.list().await.map_err(EditError::from)?;
        keep_only(&mut contents, id)?;
        let named = contents.channels.first();
        let named = named.map(|stored| plan.models_of(&stored.channel));
        let inner = &self.inner;
        let mut config = publish::ready(&contents, &inner.settings, &inner.keeper.issued());
        let channel = config
            .channels
            .first_mut()
            .filter(|channel| channel.credentials.are_valid(SystemTime::now()))
            .ok_or(ProbeError::NoCredentials)?;
        // There is no Envoy here that could sign.
        channel.signer = SignedBy::Filter;
        let models = named.unwrap_or(Err(ProbeError::NoModels))?;
        let candor = Candor::of(channel, &inner.settings.trusted_endpoints);
        let routes = Routes::compile(config).map_err(EditError::Invalid)?;
        let prober = &inner.prober;
        Ok(prober.run(&Arc::new(routes), &models, plan, candor).await)
    }
}

impl Channels {
    /// The enabled channels for an Envoy that is not connected: sealed, signed by the filter, and with failover only on
    /// the pools of `generation`.
    ///
    /// # Errors
    ///
    /// When credentials would be in clear text or would expire, or the database fails.
    pub async fn copy(&self, generation: Option<Generation>) -> Result<Snapshot, ExportError> {
        let mut contents = self.list().await.map_err(EditError::from)?;
        contents.channels.retain(|stored| stored.channel.enabled);
        for stored in &mut contents.channels {
            stored.channel.signer = SignedBy::Filter;
        }
        let failover = self
            .inner
            .settings
            .failover
            .filter(|_| generation.is_some());
        let settings = Settings {
            failover: failover.map(|own| Failover { generation, ..own }),
            ..self.inner.settings.clone()
        };
        if !settings.sealer.is_active() && !contents.channels.is_empty() {
            return Err(ExportError::Unsealed);
        }
        let renewed = contents.channels.iter();
        let renewed = renewed.filter(|stored| stored.channel.credentials.written().is_none());
        let renewed: Vec<_> = renewed.map(|stored| stored.channel.name.clone()).collect();
        if !renewed.is_empty() {
            return Err(ExportError::Renewed(renewed));
        }
        Ok(Snapshot::compile(
            &contents,
            &settings,
            &IssuedCredentials::default(),
        )?)
    }
}

impl Channels {
    /// The clusters for Envoys that get channels from this service but no clusters, including those of channels that are
    /// disabled as yet.
    ///
    /// # Errors
    ///
    /// When a cluster would need a secret, or the database fails.
    pub async fn foreseen(&self) -> Result<BTreeSet<Cluster>, ExportError> {
        let contents = self.list().await.map_err(EditError::from)?;
        let signed = contents.channels.iter().map(|stored| &stored.channel);
        let signed = signed.filter(|own| own.enabled && own.signer == SignedBy::Envoy);
        let signed: Vec<_> = signed.map(|own| own.name.clone()).collect();
        if !signed.is_empty() {
            return Err(ExportError::SignedByEnvoy(signed));
        }
        let mut clusters = publish::foreseen(&contents, &self.inner.settings)?;
        clusters.retain(|own| own.signing.is_none());
        Ok(clusters)
    }

    /// The clusters that channels do not need any more, as a copy has them. A gateway with an earlier copy uses them until
    /// it gets the next one's configuration, which comes after the clusters.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn left(&self, generation: Option<Generation>) -> Result<Vec<Cluster>, ExportError> {
        let retired = self.inner.store.retired_clusters().await;
        let retired = retired.map_err(EditError::from)?;
        let copied = retired.iter().map(|own| own.cluster.copied(generation));
        Ok(copied.flatten().collect())
    }
}

/// The caller with this name, whether or not anybody is asked who it is.
fn caller_of(contents: &Contents, name: &str) -> Result<Arc<Caller>, EditError> {
    let book = &contents.callers;
    let stored = book.named(name);
    let stored = stored.ok_or_else(|| EditError::UnknownCaller(name.to_owned()))?;
    Ok(Arc::new(Caller::new(stored.caller.served(&book.policy))))
}

/// Keeps only one channel, and enables it.
pub(super) fn keep_only(contents: &mut Contents, id: &str) -> Result<(), EditError> {
    let mut kept = find(contents, id)?.clone();
    kept.channel.enabled = true;
    contents.channels = vec![kept];
    Ok(())
}
