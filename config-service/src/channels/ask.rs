//! Questions about channels that change nothing.

use std::sync::Arc;
use std::time::SystemTime;

use bedrock_filter::config::SignedBy;
use bedrock_filter::routes::Routes;
use serde_json::Value;

use super::candidate::find;
use super::{Channels, EditError, Request};
use crate::channel::{self, Warning};
use crate::explain::{self, Explanation};
use crate::probe::{Plan, ProbeError, Report};
use crate::publish;
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
    ) -> Result<Vec<Warning>, EditError> {
        let contents = self.list().await?;
        let candidate = self.inner.read(&contents, &request, body.as_ref())?;
        let warnings = channel::warnings(&candidate.after);
        let before = candidate.before.as_ref();
        self.inner
            .judge(&contents, before, &candidate.after, candidate.faults)?;
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
        let routes = publish::judge(&contents, &self.inner.settings).map_err(EditError::Invalid)?;
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
            .ok_or(ProbeError::NoCredentials)?;
        // There is no Envoy here to sign.
        channel.signer = SignedBy::Filter;
        let models = plan.models_of(channel)?;
        let routes = Routes::compile(config)
            .map_err(|errors| EditError::Invalid(publish::faults(errors)))?;
        Ok(inner.prober.run(&Arc::new(routes), &models, plan).await)
    }
}

/// Leaves one channel, and enables it.
pub(super) fn keep_only(contents: &mut Contents, id: &str) -> Result<(), EditError> {
    let mut kept = find(contents, id)?.clone();
    kept.channel.enabled = true;
    contents.channels = vec![kept];
    Ok(())
}
