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

/// How a channel failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It asked for fewer requests; perhaps it said for how long.
    Throttled(Option<Duration>),
    /// No connection, a timeout, a broken or a 5xx answer.
    Unavailable,
    /// It refused the channel's credentials, as it will until an administrator changes them.
    Credentials,
}

/// The condition of every channel that failed and has not answered since; of one worker.
#[derive(Debug, Default)]
pub struct Health {
    ill: BTreeMap<String, Condition>,
}

#[derive(Clone, Copy, Debug)]
struct Condition {
    /// Failures in a row.
    failures: u32,
    pause: Pause,
}

#[derive(Clone, Copy, Debug)]
enum Pause {
    /// None so far.
    None,
    /// Until a time.
    Until(SystemTime),
    /// While this revision is configured.
    Revision(u64),
}

impl Health {
    /// Whether a channel may be tried first.
    #[must_use]
    pub fn is_well(&self, channel: &str, revision: u64, now: SystemTime) -> bool {
        match self.ill.get(channel).map(|condition| condition.pause) {
            None | Some(Pause::None) => true,
            Some(Pause::Until(time)) => time <= now,
            Some(Pause::Revision(failed)) => failed != revision,
        }
    }

    /// A channel was chosen. If its pause has just ended, this request is the probe, and others wait for
    /// what becomes of it.
    pub fn chosen(&mut self, channel: &str, now: SystemTime) {
        if let Some(condition) = self.ill.get_mut(channel)
            && let Pause::Until(time) = condition.pause
            && time <= now
        {
            condition.pause = Pause::Until(now + PROBE);
        }
    }

    /// Forgets channels that are not configured any more: one that comes later by the same name is another.
    pub fn keep(&mut self, is_configured: impl Fn(&str) -> bool) {
        self.ill.retain(|channel, _| is_configured(channel));
    }

    /// A channel answered.
    pub fn succeeded(&mut self, channel: &str) {
        self.ill.remove(channel);
    }

    /// A channel failed while a revision was configured; whether it pauses because of that.
    pub fn failed(
        &mut self,
        channel: &str,
        failure: Failure,
        revision: u64,
        now: SystemTime,
    ) -> bool {
        let condition = self.ill.entry(channel.to_owned()).or_insert(Condition {
            failures: 0,
            pause: Pause::None,
        });
        condition.failures = condition.failures.saturating_add(1);
        condition.pause = match failure {
            Failure::Credentials => Pause::Revision(revision),
            Failure::Unavailable => Pause::Until(now + pause(condition.failures)),
            Failure::Throttled(Some(time)) => Pause::Until(now + time.min(LONGEST_PAUSE)),
            Failure::Throttled(None) if condition.failures < THROTTLES => condition.pause,
            Failure::Throttled(None) => {
                Pause::Until(now + pause(condition.failures - THROTTLES + 1))
            }
        };
        !matches!(condition.pause, Pause::None)
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

    /// Fails at the given seconds; whether the channel is well at others.
    #[track_caller]
    fn check(failure: Failure, failed: &[u64], expected: &[(u64, bool)]) {
        let mut health = Health::default();
        for second in failed {
            health.failed("a", failure, 1, at(*second));
        }
        for (second, well) in expected {
            assert_eq!(health.is_well("a", 1, at(*second)), *well, "at {second}");
            assert!(health.is_well("b", 1, at(*second)));
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
        health.failed("a", Failure::Credentials, 1, at(0));
        assert!(health.is_well("a", 2, at(0)));
    }

    #[test]
    fn a_channel_that_is_gone_is_forgotten() {
        let mut health = Health::default();
        for channel in ["a", "b"] {
            health.failed(channel, Failure::Unavailable, 1, at(0));
        }
        health.keep(|channel| channel == "b");
        assert!(health.is_well("a", 1, at(0)));
        assert!(!health.is_well("b", 1, at(0)));
    }

    #[test]
    fn one_request_probes_and_its_answer_decides() {
        let mut health = Health::default();
        health.failed("a", Failure::Unavailable, 1, at(0));
        assert!(health.is_well("a", 1, at(1)));
        health.chosen("a", at(1));
        assert!(!health.is_well("a", 1, at(2)), "one probe is under way");
        health.failed("a", Failure::Unavailable, 1, at(2));
        assert!(!health.is_well("a", 1, at(3)));
        assert!(health.is_well("a", 1, at(4)));
        health.chosen("a", at(4));
        health.succeeded("a");
        assert!(health.is_well("a", 1, at(4)));
        // A probe that nobody hears of again does not block the channel for ever.
        health.failed("a", Failure::Unavailable, 1, at(10));
        health.chosen("a", at(11));
        assert!(health.is_well("a", 1, at(21)));
    }
}
