//! Which channels failed lately, and when they are tried first again.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// Pause after a failure; each further failure doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How long a single request has to prove that a channel works again, before another may try.
const PROBE: Duration = Duration::from_secs(10);

/// Throttled answers in a row that make a channel pause: single ones are daily life.
const THROTTLES: u32 = 3;

/// Models that are remembered because a channel does not serve them.
const MAX_REFUSED: usize = 1_000;

/// How a channel failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It asked for fewer requests; perhaps it said for how long.
    Throttled(Option<Duration>),
    /// No connection, a timeout, a broken or a 5xx answer.
    Unavailable,
    /// It refused the channel's credentials, as it will until an administrator changes them.
    Credentials,
    /// It does not serve the model to this account, in this region or under this id; others it may.
    Model,
}

/// The condition of every channel that failed and has not answered since; of one worker.
#[derive(Debug, Default)]
pub struct Health {
    channels: BTreeMap<String, Condition>,
    /// Of channels that do not serve a model, by channel and the model's id.
    models: BTreeMap<(String, String), Condition>,
}

/// A channel, and a model that is called through it.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Name of the channel.
    pub channel: &'a str,
    /// Model id or ARN.
    pub model: &'a str,
}

#[derive(Clone, Copy, Debug, Default)]
struct Condition {
    /// Failures in a row.
    failures: u32,
    pause: Pause,
}

#[derive(Clone, Copy, Debug, Default)]
enum Pause {
    /// None so far.
    #[default]
    None,
    /// Until a time.
    Until(SystemTime),
    /// While this revision is configured.
    Revision(u64),
}

impl Health {
    /// Whether a channel may be tried first for a model.
    #[must_use]
    pub fn is_well(&self, target: Target<'_>, revision: u64, now: SystemTime) -> bool {
        let channel = self.channels.get(target.channel);
        let model = target
            .key(&self.models)
            .and_then(|key| self.models.get(&key));
        let conditions = [channel, model];
        conditions.into_iter().flatten().all(|own| match own.pause {
            Pause::None => true,
            Pause::Until(time) => time <= now,
            Pause::Revision(failed) => failed != revision,
        })
    }

    /// A channel was chosen. If its pause has just ended, this request is the probe, and others wait for
    /// what becomes of it.
    pub fn chosen(&mut self, target: Target<'_>, now: SystemTime) {
        let channel = self.channels.get_mut(target.channel);
        let model = target.key(&self.models);
        let model = model.and_then(|key| self.models.get_mut(&key));
        for condition in channel.into_iter().chain(model) {
            if let Pause::Until(time) = condition.pause
                && time <= now
            {
                condition.pause = Pause::Until(now + PROBE);
            }
        }
    }

    /// Forgets channels that are not configured any more: one that comes later by the same name is another.
    pub fn keep(&mut self, is_configured: impl Fn(&str) -> bool) {
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

    /// A channel failed while a revision was configured; whether it pauses because of that.
    pub fn failed(
        &mut self,
        target: Target<'_>,
        failure: Failure,
        revision: u64,
        now: SystemTime,
    ) -> bool {
        let condition = match failure {
            Failure::Model if !self.has_room(now) => return false,
            Failure::Model => {
                let key = (target.channel.to_owned(), target.model.to_owned());
                self.models.entry(key).or_default()
            }
            _ => self.channels.entry(target.channel.to_owned()).or_default(),
        };
        condition.failures = condition.failures.saturating_add(1);
        condition.pause = match failure {
            Failure::Credentials => Pause::Revision(revision),
            Failure::Unavailable | Failure::Model => Pause::Until(now + pause(condition.failures)),
            Failure::Throttled(Some(time)) => Pause::Until(now + time.min(LONGEST_PAUSE)),
            Failure::Throttled(None) if condition.failures < THROTTLES => condition.pause,
            Failure::Throttled(None) => {
                Pause::Until(now + pause(condition.failures - THROTTLES + 1))
            }
        };
        !matches!(condition.pause, Pause::None)
    }

    /// Whether another model can be remembered. Clients may name any, so their number has a limit.
    fn has_room(&mut self, now: SystemTime) -> bool {
        if self.models.len() >= MAX_REFUSED {
            let is_over = |pause| matches!(pause, Pause::Until(time) if time <= now);
            self.models.retain(|_, own| !is_over(own.pause));
        }
        self.models.len() < MAX_REFUSED
    }
}

impl Target<'_> {
    /// To look it up with, unless there is nothing to find: nearly always.
    fn key<T>(self, models: &BTreeMap<(String, String), T>) -> Option<(String, String)> {
        let key = || (self.channel.to_owned(), self.model.to_owned());
        (!models.is_empty()).then(key)
    }
}

/// The pause after so many failures in a row.
fn pause(failures: u32) -> Duration {
    let doubled = 1_u32
        .checked_shl(failures.saturating_sub(1))
        .unwrap_or(u32::MAX);
    FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE)
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

    /// Fails at the given seconds; whether the channel is well at others.
    #[track_caller]
    fn check(failure: Failure, failed: &[u64], expected: &[(u64, bool)]) {
        let mut health = Health::default();
        for second in failed {
            health.failed(on("a"), failure, 1, at(*second));
        }
        for (second, well) in expected {
            assert_eq!(
                health.is_well(on("a"), 1, at(*second)),
                *well,
                "at {second}"
            );
            assert!(health.is_well(on("b"), 1, at(*second)));
        }
    }

    #[test]
    fn pauses_double_up_to_a_minute() {
        check(Failure::Unavailable, &[0], &[(0, false), (1, true)]);
        check(Failure::Unavailable, &[0, 0, 0], &[(3, false), (4, true)]);
        check(Failure::Unavailable, &[0; 40], &[(59, false), (60, true)]);
    }

    #[test]
    fn a_throttled_channel_pauses_after_several_times_or_as_it_asked() {
        let asked = Failure::Throttled(Some(Duration::from_secs(7)));
        check(Failure::Throttled(None), &[0, 0], &[(0, true)]);
        check(
            Failure::Throttled(None),
            &[0, 0, 0],
            &[(0, false), (1, true)],
        );
        check(asked, &[0], &[(6, false), (7, true)]);
        let long = Failure::Throttled(Some(Duration::from_secs(86_400)));
        check(long, &[0], &[(59, false), (60, true)]);
    }

    #[test]
    fn wrong_credentials_wait_for_another_revision() {
        check(
            Failure::Credentials,
            &[0],
            &[(0, false), (1_000_000, false)],
        );
        let mut health = Health::default();
        health.failed(on("a"), Failure::Credentials, 1, at(0));
        assert!(health.is_well(on("a"), 2, at(0)));
    }

    #[test]
    fn a_model_that_a_channel_does_not_serve_stops_no_other() {
        check(Failure::Model, &[0], &[(0, false), (1, true)]);
        let mut health = Health::default();
        health.failed(on("a"), Failure::Model, 1, at(0));
        let other = Target {
            channel: "a",
            model: "other",
        };
        assert!(health.is_well(other, 1, at(0)));
        // That it answers for another says nothing of this one.
        health.succeeded(other);
        assert!(!health.is_well(on("a"), 1, at(0)));
        health.succeeded(on("a"));
        assert!(health.is_well(on("a"), 1, at(0)));
    }

    #[test]
    fn names_that_clients_make_up_are_not_all_remembered() {
        let mut health = Health::default();
        let fail = |health: &mut Health, number: usize, second| {
            let (channel, model) = ("a", number.to_string());
            let model = model.as_str();
            health.failed(Target { channel, model }, Failure::Model, 1, at(second))
        };
        for number in 0..2 * MAX_REFUSED {
            fail(&mut health, number, 0);
        }
        assert_eq!(health.models.len(), MAX_REFUSED);
        assert!(!fail(&mut health, 5_000, 0));
        assert!(fail(&mut health, 5_000, 2), "there is room again");
        assert_eq!(health.models.len(), 1);
    }

    #[test]
    fn a_channel_that_is_gone_is_forgotten() {
        let mut health = Health::default();
        for channel in ["a", "b"] {
            health.failed(on(channel), Failure::Unavailable, 1, at(0));
        }
        health.keep(|channel| channel == "b");
        assert!(health.is_well(on("a"), 1, at(0)));
        assert!(!health.is_well(on("b"), 1, at(0)));
    }

    #[test]
    fn one_request_probes_and_its_answer_decides() {
        let mut health = Health::default();
        health.failed(on("a"), Failure::Unavailable, 1, at(0));
        assert!(health.is_well(on("a"), 1, at(1)));
        health.chosen(on("a"), at(1));
        assert!(!health.is_well(on("a"), 1, at(2)), "one probe is under way");
        health.failed(on("a"), Failure::Unavailable, 1, at(2));
        assert!(!health.is_well(on("a"), 1, at(3)));
        assert!(health.is_well(on("a"), 1, at(4)));
        health.chosen(on("a"), at(4));
        health.succeeded(on("a"));
        assert!(health.is_well(on("a"), 1, at(4)));
        // A probe that nobody hears of again does not block the channel for ever.
        health.failed(on("a"), Failure::Unavailable, 1, at(10));
        health.chosen(on("a"), at(11));
        assert!(health.is_well(on("a"), 1, at(21)));
    }
}
