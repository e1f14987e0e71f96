//! The health of channels: for each model, when a request was last answered and when one last failed.
//!
//! Clients' requests say most, as far as Envoys report what they used; tests and probes say the rest. It is kept in
//! memory, so it starts anew with the service.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;

/// Most models of a channel that are remembered.
const MAX_MODELS: usize = 200;

/// Most channels that are remembered by the names that Envoys report.
const MAX_CHANNELS: usize = 10_000;

/// The health of all channels. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health {
    inner: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    /// What tests and probes have shown, by channel id, then by model.
    asked: BTreeMap<String, Models>,
    /// What clients' requests have shown, by channel name, then by model.
    traffic: BTreeMap<String, Models>,
}

type Models = BTreeMap<String, State>;

/// What is known about a model of a channel.
#[derive(Clone, Debug)]
struct State {
    latest: Event,
    answered: Option<OffsetDateTime>,
    failed: Option<OffsetDateTime>,
}

/// How a request ended.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// When.
    pub(crate) at: OffsetDateTime,
    /// Where it came from.
    pub(crate) source: HealthSource,
    /// Answered, or failed for a reason.
    pub(crate) result: Result<(), String>,
}

/// Whose health is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'c> {
    /// The channel's id.
    pub(crate) id: &'c str,
    /// Its name.
    pub(crate) name: &'c str,
    /// When it was last edited: what clients' requests showed before need no longer be true.
    pub(crate) edited: Option<OffsetDateTime>,
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
    /// A client sent it, and an Envoy reported what it used.
    Traffic,
    /// Somebody tested the channel.
    Test,
    /// The service probed it.
    Probe,
}

impl Health {
    /// Notes how a test or a probe of a channel ended.
    pub(crate) fn note(&self, id: &str, model: &str, event: Event) {
        let mut known = self.known();
        let models = known.asked.entry(id.to_owned()).or_default();
        note(models, model, event);
    }

    /// Notes how a client's request ended; reports may come late, and in any order.
    pub(crate) fn saw(&self, channel: &str, model: &str, event: Event) {
        let mut known = self.known();
        if known.traffic.len() >= MAX_CHANNELS && !known.traffic.contains_key(channel) {
            return;
        }
        let models = known.traffic.entry(channel.to_owned()).or_default();
        note(models, model, event);
    }

    /// What is known about a channel, sorted by model.
    pub(crate) fn of(&self, channel: Place<'_>) -> Vec<ModelHealth> {
        let known = self.known();
        let mut all = known.asked.get(channel.id).cloned().unwrap_or_default();
        for (model, seen) in known.traffic.get(channel.name).into_iter().flatten() {
            if channel.edited.is_some_and(|edited| seen.latest.at < edited) {
                continue;
            }
            all.entry(model.clone())
                .and_modify(|own| own.merge(seen))
                .or_insert_with(|| seen.clone());
        }
        all.into_iter()
            .map(|(model, state)| state.shown(model))
            .collect()
    }

    /// Whether a client has asked a channel for a model since a time.
    pub(crate) fn has_traffic(
        &self,
        channel: Place<'_>,
        model: &str,
        since: OffsetDateTime,
    ) -> bool {
        let since = channel.edited.map_or(since, |edited| edited.max(since));
        let known = self.known();
        let models = known.traffic.get(channel.name);
        let seen = models.and_then(|own| own.get(model));
        seen.is_some_and(|own| own.latest.at >= since)
    }

    /// Forgets what tests and probes of a channel have shown: another configuration may change everything.
    pub(crate) fn forget(&self, id: &str) {
        self.known().asked.remove(id);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn note(models: &mut Models, model: &str, event: Event) {
    if let Some(known) = models.get_mut(model) {
        known.merge(&State::of(event));
    } else if models.len() < MAX_MODELS {
        models.insert(model.to_owned(), State::of(event));
    }
}

impl State {
    fn of(event: Event) -> Self {
        let is_answer = event.result.is_ok();
        Self {
            answered: Some(event.at).filter(|_| is_answer),
            failed: Some(event.at).filter(|_| !is_answer),
            latest: event,
        }
    }

    fn merge(&mut self, other: &Self) {
        if other.latest.at >= self.latest.at {
            self.latest = other.latest.clone();
        }
        self.answered = self.answered.max(other.answered);
        self.failed = self.failed.max(other.failed);
    }

    fn shown(self, model: String) -> ModelHealth {
        ModelHealth {
            model,
            healthy: self.latest.result.is_ok(),
            last_answered: self.answered.map(text),
            last_failed: self.failed.map(text),
            reason: self.latest.result.err(),
            source: self.latest.source,
        }
    }
}

/// A time, RFC 3339 in UTC. These can all be written.
fn text(at: OffsetDateTime) -> String {
    let at = at.truncate_to_millisecond();
    at.format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const PLACE: Place<'static> = Place {
        id: "0",
        name: "c",
        edited: None,
    };

    fn event(second: u64, source: HealthSource, reason: Option<&str>) -> Event {
        Event {
            at: OffsetDateTime::UNIX_EPOCH + Duration::from_secs(second),
            source,
            result: reason.map_or(Ok(()), |reason| Err(reason.to_owned())),
        }
    }

    fn only(health: &Health, place: Place<'_>) -> ModelHealth {
        health.of(place).pop().unwrap()
    }

    #[test]
    fn the_latest_request_decides_and_both_times_are_kept() {
        let health = Health::default();
        assert_eq!(health.of(PLACE), []);
        health.note("0", "m", event(0, HealthSource::Test, None));
        health.note("0", "m", event(60, HealthSource::Probe, Some("No access.")));
        let own = only(&health, PLACE);
        let times = (own.last_answered.as_deref(), own.last_failed.as_deref());
        let expected = ("1970-01-01T00:00:00Z", "1970-01-01T00:01:00Z");
        assert_eq!(times, (Some(expected.0), Some(expected.1)));
        assert_eq!(
            (own.healthy, own.reason.as_deref()),
            (false, Some("No access."))
        );
        health.note("0", "m", event(60, HealthSource::Probe, None));
        let own = only(&health, PLACE);
        assert_eq!((own.healthy, own.reason), (true, None));
        health.forget("0");
        assert_eq!(health.of(PLACE), []);
    }

    #[test]
    fn clients_requests_and_probes_are_told_together() {
        let health = Health::default();
        health.note("0", "m", event(10, HealthSource::Probe, None));
        // An older one, reported late.
        health.saw(
            "c",
            "m",
            event(5, HealthSource::Traffic, Some("Throttled.")),
        );
        let own = only(&health, PLACE);
        assert_eq!((own.healthy, own.source), (true, HealthSource::Probe));
        assert_eq!(own.last_failed.as_deref(), Some("1970-01-01T00:00:05Z"));
        health.saw(
            "c",
            "m",
            event(20, HealthSource::Traffic, Some("Throttled.")),
        );
        let own = only(&health, PLACE);
        assert_eq!((own.healthy, own.source), (false, HealthSource::Traffic));
        assert_eq!(own.reason.as_deref(), Some("Throttled."));
        health.saw("c", "n", event(1, HealthSource::Traffic, None));
        assert_eq!(health.of(PLACE).len(), 2);
    }

    #[test]
    fn what_was_seen_before_an_edit_counts_no_more() {
        let health = Health::default();
        health.saw("c", "m", event(5, HealthSource::Traffic, None));
        let at = |second| OffsetDateTime::UNIX_EPOCH + Duration::from_secs(second);
        let edited = |second| Place {
            edited: Some(at(second)),
            ..PLACE
        };
        assert_eq!(health.of(edited(4)).len(), 1);
        assert_eq!(health.of(edited(6)), []);
        assert!(health.has_traffic(PLACE, "m", at(5)));
        assert!(!health.has_traffic(PLACE, "m", at(6)));
        assert!(!health.has_traffic(edited(6), "m", at(0)));
        assert!(!health.has_traffic(PLACE, "n", at(0)));
    }

    #[test]
    fn memory_is_bounded() {
        let health = Health::default();
        for number in 0..2 * MAX_MODELS {
            let model = format!("m{number}");
            health.note("0", &model, event(0, HealthSource::Test, None));
        }
        assert_eq!(health.of(PLACE).len(), MAX_MODELS);
    }
}
