//! The health of channels, from clients' requests, from tests, and from probes at an interval.

use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;
use utoipa::ToSchema;

use super::Channels;
use crate::channel::StoredChannel;
use crate::health::{Event, Health, HealthSource, ModelHealth, Place};
use crate::probe::{Plan, ProbeError, Report};
use crate::store::StoreError;

/// The health of all channels.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthReport {
    /// Minutes between probes of a channel; 0 if channels are not probed.
    probe_minutes: u32,
    /// All channels, in the order of their configuration.
    channels: Vec<ChannelHealth>,
}

/// The health of one channel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChannelHealth {
    /// The channel's id.
    id: String,
    /// The channel's name.
    name: String,
    /// Whether it is enabled.
    enabled: bool,
    /// Whether the latest request to each of its models was answered; null if nothing is known.
    #[schema(required)]
    healthy: Option<bool>,
    /// What is known about its models.
    models: Vec<ModelHealth>,
}

impl ChannelHealth {
    fn new(stored: &StoredChannel, models: Vec<ModelHealth>) -> Self {
        let is_healthy = models.iter().all(|own| own.healthy);
        Self {
            id: stored.id.clone(),
            name: stored.channel.name.clone(),
            enabled: stored.channel.enabled,
            healthy: (!models.is_empty()).then_some(is_healthy),
            models,
        }
    }
}

/// Where the health of a channel is kept.
fn place(stored: &StoredChannel) -> Place<'_> {
    Place {
        id: &stored.id,
        name: &stored.channel.name,
        edited: OffsetDateTime::parse(&stored.updated_at, &Rfc3339).ok(),
    }
}

impl Channels {
    /// The health of all channels.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn health(&self) -> Result<HealthReport, StoreError> {
        let contents = self.list().await?;
        let channels = contents.channels.iter();
        let channels = channels.map(|own| ChannelHealth::new(own, self.health_of(own)));
        Ok(HealthReport {
            probe_minutes: self.inner.settings.probe_minutes,
            channels: channels.collect(),
        })
    }

    /// What is known about the models of a channel.
    pub(crate) fn health_of(&self, stored: &StoredChannel) -> Vec<ModelHealth> {
        self.inner.health.of(place(stored))
    }

    /// Where it is noted what requests have shown.
    pub(crate) fn seen(&self) -> Health {
        self.inner.health.clone()
    }

    /// Sends real requests through a channel, as [`Self::probe`] does, and remembers how they ended.
    ///
    /// # Errors
    ///
    /// Those of [`Self::probe`].
    pub(crate) async fn test(&self, id: &str, plan: &Plan) -> Result<Report, ProbeError> {
        self.probe_and_note(id, plan, HealthSource::Test).await
    }

    async fn probe_and_note(
        &self,
        id: &str,
        plan: &Plan,
        source: HealthSource,
    ) -> Result<Report, ProbeError> {
        let report = self.probe(id, plan).await?;
        for own in &report.results {
            let event = Event {
                at: OffsetDateTime::now_utc(),
                source,
                result: own.failure().map_or(Ok(()), Err),
            };
            self.inner.health.note(id, &own.model, event);
        }
        Ok(report)
    }

    /// The plan for the models that no client has asked for since a time; `None` if all were.
    fn without_asked(
        &self,
        stored: &StoredChannel,
        plan: &Plan,
        since: OffsetDateTime,
    ) -> Option<Plan> {
        // What is wrong with the plan is said when it is carried out.
        let Ok(mut models) = plan.models_of(&stored.channel) else {
            return Some(plan.clone());
        };
        let health = &self.inner.health;
        models.retain(|model| !health.has_traffic(place(stored), model, since));
        (!models.is_empty()).then(|| Plan {
            models,
            ..plan.clone()
        })
    }

    /// Probes the enabled channels at the configured interval until `stopped` turns true.
    pub(crate) async fn keep_probing(self, mut stopped: watch::Receiver<bool>) {
        let minutes = self.inner.settings.probe_minutes;
        if minutes == 0 {
            // The result does not matter: either way there is nothing left to do.
            let _ = stopped.wait_for(|stopped| *stopped).await;
            return;
        }
        let interval = Duration::from_secs(u64::from(minutes) * 60);
        loop {
            tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => break,
                () = self.probe_all(interval) => {}
            }
            tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => break,
                () = tokio::time::sleep(interval) => {}
            }
        }
    }

    /// Asks each named model of each enabled channel for one token, unless clients have asked for it.
    async fn probe_all(&self, interval: Duration) {
        let contents = match self.list().await {
            Ok(contents) => contents,
            Err(error) => return tracing::error!(%error, "the channels cannot be read for probing"),
        };
        let plan = Plan {
            stream: Some(false),
            prompt: "Hi".to_owned(),
            max_tokens: 1,
            ..Plan::default()
        };
        let since = OffsetDateTime::now_utc() - interval;
        for stored in contents.channels.iter().filter(|own| own.channel.enabled) {
            let name = &stored.channel.name;
            let Some(plan) = self.without_asked(stored, &plan, since) else {
                tracing::debug!(channel.name = name, "not probed: clients use it");
                continue;
            };
            match self
                .probe_and_note(&stored.id, &plan, HealthSource::Probe)
                .await
            {
                Ok(report) if report.ok => tracing::debug!(channel.name = name, "channel probed"),
                Ok(_) => tracing::warn!(channel.name = name, "a probe of the channel failed"),
                Err(ProbeError::NoModels) => {
                    tracing::debug!(
                        channel.name = name,
                        "not probed: the channel names no models"
                    );
                }
                Err(error) => {
                    tracing::warn!(channel.name = name, %error, "the channel was not probed")
                }
            }
        }
    }
}
