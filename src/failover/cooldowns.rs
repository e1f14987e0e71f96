//! Which channels cool down after a failure, and when they are tried first again.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::health::Trouble;
use crate::routes::Route;

/// Cooldown after a failure; each further failure doubles it.
const MIN_COOLDOWN: Duration = Duration::from_secs(1);

/// Longest cooldown.
const MAX_COOLDOWN: Duration = Duration::from_secs(60);

/// How long a single request has to prove that a channel works again, before another may try.
const PROBE: Duration = Duration::from_secs(10);

/// Throttled answers in a row after which a channel cools down: a single one is nothing unusual.
const THROTTLES: u32 = 3;

/// Most models that are remembered because a channel does not serve them.
const MAX_MODELS: usize = 1_000;

/// How a channel failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It asked for fewer requests; perhaps it said for how long.
    Throttled(Option<Duration>),
    /// No connection, a timeout, a broken or a 5xx answer.
    Unavailable,
    /// It refused the channel's credentials, as it will until an administrator changes them.
    Credentials,
    /// It does not serve the model to this account, in this region or under this id; it may serve others.
    Model,
}

impl Failure {
    /// The failure that trouble is; a throttled channel may have said for how long.
    #[must_use]
    pub fn of(trouble: Trouble, retry_after: Option<Duration>) -> Self {
        match trouble {
            Trouble::Throttled => Self::Throttled(retry_after),
            Trouble::Unavailable => Self::Unavailable,
            Trouble::Credentials => Self::Credentials,
            Trouble::Model => Self::Model,
        }
    }

    /// The same in terms of the channel's health.
    pub(super) fn trouble(self) -> Trouble {
        match self {
            Self::Throttled(_) => Trouble::Throttled,
            Self::Unavailable => Trouble::Unavailable,
            Self::Credentials => Trouble::Credentials,
            Self::Model => Trouble::Model,
        }
    }
}

/// Every channel that failed and has not answered since; of one worker.
#[derive(Debug, Default)]
pub struct Cooldowns {
    channels: BTreeMap<String, Failures>,
    /// Of channels that do not serve a model, by channel and the model's id.
    models: BTreeMap<(String, String), Failures>,
}

/// A channel, and a model that is called through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// Name of the channel.
    pub channel: &'a str,
    /// Model id or ARN.
    pub model: &'a str,
}

#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    /// Failures in a row.
    count: u32,
    cooldown: Cooldown,
}

#[derive(Clone, Copy, Debug, Default)]
enum Cooldown {
    /// None so far.
    #[default]
    None,
    /// Until a time.
    Until(SystemTime),
    /// While this revision is configured.
    Revision(u64),
}

impl Cooldown {
    fn is_on(self, revision: u64, now: SystemTime) -> bool {
        match self {
            Self::None => false,
            Self::Until(time) => now < time,
            Self::Revision(failed) => failed == revision,
        }
    }
}

impl Cooldowns {
    /// Whether a channel should not be tried first for a model.
    #[must_use]
    pub fn is_cooling_down(&self, target: Target<'_>, revision: u64, now: SystemTime) -> bool {
        let channel = self.channels.get(target.channel);
        let model = target
            .key(&self.models)
            .and_then(|key| self.models.get(&key));
        let mut failures = channel.into_iter().chain(model);
        failures.any(|own| own.cooldown.is_on(revision, now))
    }

    /// A channel was picked. If its cooldown has just ended, this request is the probe, and others wait for
    /// what becomes of it.
    pub fn picked(&mut self, target: Target<'_>, now: SystemTime) {
        let channel = self.channels.get_mut(target.channel);
        let model = target.key(&self.models);
        let model = model.and_then(|key| self.models.get_mut(&key));
        for failures in channel.into_iter().chain(model) {
            if let Cooldown::Until(time) = failures.cooldown
                && time <= now
            {
                failures.cooldown = Cooldown::Until(now + PROBE);
            }
        }
    }

    /// Forgets channels that are no longer configured: a later one of the same name is another channel.
    pub fn retain_channels(&mut self, is_configured: impl Fn(&str) -> bool) {
        self.channels.retain(|channel, _| is_configured(channel));
        self.models.retain(|(channel, _), _| is_configured(channel));
    }

    /// A channel answered.
    pub fn succeeded(&mut self, target: Target<'_>) {
        self.channels.remove(target.channel);
        if let Some(key) = target.key(&self.models) {
            self.models.remove(&key);
        }
    }

    /// A channel failed while a revision was configured; whether it cools down because of that.
    pub fn failed(
        &mut self,
        target: Target<'_>,
        failure: Failure,
        revision: u64,
        now: SystemTime,
    ) -> bool {
        let failures = match failure {
            Failure::Model if !self.has_room(now) => return false,
            Failure::Model => {
                let key = (target.channel.to_owned(), target.model.to_owned());
                self.models.entry(key).or_default()
            }
            _ => self.channels.entry(target.channel.to_owned()).or_default(),
        };
        failures.count = failures.count.saturating_add(1);
        failures.cooldown = match failure {
            Failure::Credentials => Cooldown::Revision(revision),
            Failure::Unavailable | Failure::Model => {
                Cooldown::Until(now + cooldown_after(failures.count))
            }
            Failure::Throttled(Some(time)) => Cooldown::Until(now + time.min(MAX_COOLDOWN)),
            Failure::Throttled(None) if failures.count < THROTTLES => failures.cooldown,
            Failure::Throttled(None) => {
                Cooldown::Until(now + cooldown_after(failures.count - THROTTLES + 1))
            }
        };
        !matches!(failures.cooldown, Cooldown::None)
    }

    /// Whether another model can be remembered. Clients may name any, so there is a limit.
    fn has_room(&mut self, now: SystemTime) -> bool {
        if self.models.len() >= MAX_MODELS {
            let is_over = |own| matches!(own, Cooldown::Until(time) if time <= now);
            self.models.retain(|_, own| !is_over(own.cooldown));
        }
        self.models.len() < MAX_MODELS
    }
}

impl<'a> Target<'a> {
    /// What a route calls, and through which channel.
    #[must_use]
    pub fn of(route: &'a Route<'_>) -> Self {
        Self {
            channel: &route.channel.channel.name,
            model: &route.model_id,
        }
    }

    /// To look it up with; `None` in the usual case, in which there is nothing to find.
    fn key<T>(self, models: &BTreeMap<(String, String), T>) -> Option<(String, String)> {
        let key = || (self.channel.to_owned(), self.model.to_owned());
        (!models.is_empty()).then(key)
    }
}

/// The cooldown after so many failures in a row.
fn cooldown_after(failures: u32) -> Duration {
    let doubled = 1_u32
        .checked_shl(failures.saturating_sub(1))
        .unwrap_or(u32::MAX);
    MIN_COOLDOWN.saturating_mul(doubled).min(MAX_COOLDOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
    }

    /// A model on a channel.
    fn on(channel: &str) -> Target<'_> {
        let model = "m";
        Target { channel, model }
    }

    /// Fails at the given seconds; whether the channel cools down at others.
    #[track_caller]
    fn check(failure: Failure, failed: &[u64], expected: &[(u64, bool)]) {
        let mut cooldowns = Cooldowns::default();
        for second in failed {
            cooldowns.failed(on("a"), failure, 1, at(*second));
        }
        for (second, cools) in expected {
            assert_eq!(
                cooldowns.is_cooling_down(on("a"), 1, at(*second)),
                *cools,
                "at {second}"
            );
            assert!(!cooldowns.is_cooling_down(on("b"), 1, at(*second)));
        }
    }

    #[test]
    fn cooldowns_double_up_to_a_minute() {
        check(Failure::Unavailable, &[0], &[(0, true), (1, false)]);
        check(Failure::Unavailable, &[0, 0, 0], &[(3, true), (4, false)]);
        check(Failure::Unavailable, &[0; 40], &[(59, true), (60, false)]);
    }

    #[test]
    fn a_throttled_channel_cools_down_after_several_times_or_as_it_asked() {
        let asked = Failure::Throttled(Some(Duration::from_secs(7)));
        check(Failure::Throttled(None), &[0, 0], &[(0, false)]);
        check(
            Failure::Throttled(None),
            &[0, 0, 0],
            &[(0, true), (1, false)],
        );
        check(asked, &[0], &[(6, true), (7, false)]);
        let long = Failure::Throttled(Some(Duration::from_secs(86_400)));
        check(long, &[0], &[(59, true), (60, false)]);
    }

    #[test]
    fn wrong_credentials_wait_for_another_revision() {
        check(Failure::Credentials, &[0], &[(0, true), (1_000_000, true)]);
        let mut cooldowns = Cooldowns::default();
        cooldowns.failed(on("a"), Failure::Credentials, 1, at(0));
        assert!(!cooldowns.is_cooling_down(on("a"), 2, at(0)));
    }

    #[test]
    fn a_model_that_a_channel_does_not_serve_stops_no_other() {
        check(Failure::Model, &[0], &[(0, true), (1, false)]);
        let mut cooldowns = Cooldowns::default();
        cooldowns.failed(on("a"), Failure::Model, 1, at(0));
        let other = Target {
            channel: "a",
            model: "other",
        };
        assert!(!cooldowns.is_cooling_down(other, 1, at(0)));
        // An answer for another model says nothing about this one.
        cooldowns.succeeded(other);
        assert!(cooldowns.is_cooling_down(on("a"), 1, at(0)));
        cooldowns.succeeded(on("a"));
        assert!(!cooldowns.is_cooling_down(on("a"), 1, at(0)));
    }

    #[test]
    fn names_that_clients_make_up_are_not_all_remembered() {
        let mut cooldowns = Cooldowns::default();
        let fail = |cooldowns: &mut Cooldowns, number: usize, second| {
            let (channel, model) = ("a", number.to_string());
            let model = model.as_str();
            cooldowns.failed(Target { channel, model }, Failure::Model, 1, at(second))
        };
        for number in 0..2 * MAX_MODELS {
            fail(&mut cooldowns, number, 0);
        }
        assert_eq!(cooldowns.models.len(), MAX_MODELS);
        assert!(!fail(&mut cooldowns, 5_000, 0));
        assert!(fail(&mut cooldowns, 5_000, 2), "there is room again");
        assert_eq!(cooldowns.models.len(), 1);
    }

    #[test]
    fn a_deleted_channel_is_forgotten() {
        let mut cooldowns = Cooldowns::default();
        for channel in ["a", "b"] {
            cooldowns.failed(on(channel), Failure::Unavailable, 1, at(0));
        }
        cooldowns.retain_channels(|channel| channel == "b");
        assert!(!cooldowns.is_cooling_down(on("a"), 1, at(0)));
        assert!(cooldowns.is_cooling_down(on("b"), 1, at(0)));
    }

    #[test]
    fn one_request_probes_and_its_answer_decides() {
        let mut cooldowns = Cooldowns::default();
        cooldowns.failed(on("a"), Failure::Unavailable, 1, at(0));
        assert!(!cooldowns.is_cooling_down(on("a"), 1, at(1)));
        cooldowns.picked(on("a"), at(1));
        assert!(
            cooldowns.is_cooling_down(on("a"), 1, at(2)),
            "one probe is under way"
        );
        cooldowns.failed(on("a"), Failure::Unavailable, 1, at(2));
        assert!(cooldowns.is_cooling_down(on("a"), 1, at(3)));
        assert!(!cooldowns.is_cooling_down(on("a"), 1, at(4)));
        cooldowns.picked(on("a"), at(4));
        cooldowns.succeeded(on("a"));
        assert!(!cooldowns.is_cooling_down(on("a"), 1, at(4)));
        // A probe whose result never comes does not block the channel for ever.
        cooldowns.failed(on("a"), Failure::Unavailable, 1, at(10));
        cooldowns.picked(on("a"), at(11));
        assert!(!cooldowns.is_cooling_down(on("a"), 1, at(21)));
    }
}
