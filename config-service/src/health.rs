//! The health of channels: for each model, when a request was last answered and when one last failed.
//!
//! It is kept in memory, so it starts anew with the service.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;

/// Most models of a channel that are remembered.
const MAX_MODELS: usize = 200;

/// The health of all channels. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health {
    /// By channel id, then by model.
    inner: Arc<Mutex<BTreeMap<String, BTreeMap<String, ModelHealth>>>>,
}

/// The health of one model of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ModelHealth {
    /// The model, by the name that was asked for.
    pub(crate) model: String,
    /// Whether the latest request was answered.
    pub(crate) healthy: bool,
    /// When a request was last answered; null if none was.
    #[schema(format = DateTime, required)]
    pub(crate) last_answered: Option<String>,
    /// When a request last failed; null if none did.
    #[schema(format = DateTime, required)]
    pub(crate) last_failed: Option<String>,
    /// Why the latest request failed; absent if it was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub(crate) reason: Option<String>,
    /// Where the latest request came from.
    pub(crate) source: HealthSource,
}

/// Where a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HealthSource {
    /// Somebody tested the channel.
    Test,
    /// The service probed it.
    Probe,
}

impl Health {
    /// Notes how a request ended: answered, or failed for a reason.
    pub(crate) fn note(
        &self,
        channel: &str,
        model: &str,
        (source, result): (HealthSource, Result<(), String>),
        now: OffsetDateTime,
    ) {
        let mut all = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let models = all.entry(channel.to_owned()).or_default();
        if models.len() >= MAX_MODELS && !models.contains_key(model) {
            return;
        }
        // These dates can be written.
        let now = now
            .truncate_to_millisecond()
            .format(&Rfc3339)
            .unwrap_or_default();
        let before = models.remove(model);
        let (answered, failed) =
            before.map_or((None, None), |own| (own.last_answered, own.last_failed));
        let healthy = result.is_ok();
        let (last_answered, last_failed) = if healthy {
            (Some(now), failed)
        } else {
            (answered, Some(now))
        };
        let own = ModelHealth {
            model: model.to_owned(),
            healthy,
            last_answered,
            last_failed,
            reason: result.err(),
            source,
        };
        models.insert(model.to_owned(), own);
    }

    /// What is known about a channel, sorted by model.
    pub(crate) fn of(&self, channel: &str) -> Vec<ModelHealth> {
        let all = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let models = all.get(channel).into_iter().flat_map(BTreeMap::values);
        models.cloned().collect()
    }

    /// Forgets a channel: another configuration may change everything.
    pub(crate) fn forget(&self, channel: &str) {
        let mut all = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(channel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLY: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    #[test]
    fn the_latest_request_decides_and_both_times_are_kept() {
        let late = EARLY + std::time::Duration::from_secs(60);
        let health = Health::default();
        assert_eq!(health.of("c"), []);
        let refused = Err("No access.".to_owned());
        health.note("c", "m", (HealthSource::Test, Ok(())), EARLY);
        health.note("c", "m", (HealthSource::Probe, refused), late);
        let own = health.of("c").pop().unwrap();
        let times = (own.last_answered.as_deref(), own.last_failed.as_deref());
        let expected = ("1970-01-01T00:00:00Z", "1970-01-01T00:01:00Z");
        assert_eq!(times, (Some(expected.0), Some(expected.1)));
        assert_eq!(
            (own.healthy, own.reason.as_deref()),
            (false, Some("No access."))
        );
        health.note("c", "m", (HealthSource::Probe, Ok(())), late);
        let own = health.of("c").pop().unwrap();
        assert_eq!((own.healthy, own.reason), (true, None));
        health.forget("c");
        assert_eq!(health.of("c"), []);
    }

    #[test]
    fn memory_is_bounded() {
        let health = Health::default();
        for number in 0..2 * MAX_MODELS {
            health.note(
                "c",
                &format!("m{number}"),
                (HealthSource::Test, Ok(())),
                EARLY,
            );
        }
        assert_eq!(health.of("c").len(), MAX_MODELS);
    }
}
