//! Questions about channels that change nothing.

use std::sync::Arc;
use std::time::SystemTime;

use bedrock_filter::config::{SignedBy, lint};
use bedrock_filter::routes::Routes;
use serde_json::Value;

use super::candidate::find;
use super::{Channels, EditError, Request};
use crate::credentials::IssuedCredentials;
use crate::explain::{self, Explanation};
use crate::export::ExportError;
use crate::fault::Fault;
use crate::probe::{Candor, Plan, ProbeError, Report};
use crate::publish::{self, Snapshot};
use crate::settings::Settings;
use crate::store::Contents;

impl Channels {
    /// Judges an edit without making it; gives what is suspicious about the channel that would result.
    ///
    /// # Errors
    ///
    /// What the edit itself would give.
    pub async fn preview(
        &self,
        request: Request,
        body: impl AsRef<[u8]>,
    ) -> Result<Vec<Fault>, EditError> {
        let contents = self.list().await?;
        let candidate = self.inner.read(&contents, &request, body.as_ref())?;
        let warnings = lint::warnings(&candidate.after);
        self.inner.judge(&contents, &candidate)?;
        Ok(warnings)
    }

    /// Where a chat request would go and what Bedrock would get; with `channel`, if that one alone
    /// were there, and enabled.
    ///
    /// # Errors
    ///
    /// When there is no such channel, or the database fails.
    pub async fn explain(
        &self,
        request: &Value,
        channel: Option<&str>,
    ) -> Result<Explanation, EditError> {
        let mut contents = self.list().await?;
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
        Ok(explain::explain(&contents, &Arc::new(routes), request, now))
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
        let inner = &self.inner;
        let mut config = publish::ready(&contents, &inner.settings, &inner.keeper.issued());
        let channel = config
            .channels
            .first_mut()
            .filter(|channel| channel.credentials.are_valid(SystemTime::now()))
            .ok_or(ProbeError::NoCredentials)?;
        // There is no Envoy here to sign.
        channel.signer = SignedBy::Filter;
        let models = plan.models_of(channel)?;
        let candor = Candor::of(channel, &inner.settings.trusted_endpoints);
        let routes = Routes::compile(config).map_err(EditError::Invalid)?;
        let prober = &inner.prober;
        Ok(prober.run(&Arc::new(routes), &models, plan, candor).await)
    }
}

impl Channels {
    /// The enabled channels for an Envoy that is not attached: sealed, signed for by the filter, and without failover.
    ///
    /// # Errors
    ///
    /// When credentials would be in clear or would expire, or the database fails.
    pub async fn copy(&self) -> Result<Snapshot, ExportError> {
        let mut contents = self.list().await.map_err(EditError::from)?;
        contents.channels.retain(|stored| stored.channel.enabled);
        for stored in &mut contents.channels {
            stored.channel.signer = SignedBy::Filter;
        }
        let settings = Settings {
            failover: None,
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

/// Leaves one channel, and enables it.
pub(super) fn keep_only(contents: &mut Contents, id: &str) -> Result<(), EditError> {
    let mut kept = find(contents, id)?.clone();
    kept.channel.enabled = true;
    contents.channels = vec![kept];
    Ok(())
}
