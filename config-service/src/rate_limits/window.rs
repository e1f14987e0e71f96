//! Limits that start anew with each minute of the clock, as those of `envoyproxy/ratelimit` do.

use std::time::Duration;

use bedrock_filter::limits::Verdict;

use super::Limit;

/// Length of a window, in milliseconds.
const MINUTE: u64 = 60_000;

/// What one caller has used in a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    /// Number of the minute.
    minute: u64,
    used: u64,
}

impl Window {
    /// Counts so many hits; what is denied counts too. None only ask whether the limit has been exceeded.
    pub(super) fn take(&mut self, limit: &Limit<'_>, hits: u64, now: Duration) -> Verdict {
        let now = millis(now);
        let minute = now / MINUTE;
        // A clock that was set back gives nobody a second minute.
        if minute > self.minute {
            *self = Self { minute, used: 0 };
        }
        self.used = self.used.saturating_add(hits);
        let allowed = u64::from(limit.per_minute);
        let remaining = allowed.saturating_sub(self.used);
        let reset = Duration::from_millis(MINUTE - now % MINUTE);
        Verdict {
            kind: limit.kind,
            limit: limit.per_minute,
            remaining: u32::try_from(remaining).unwrap_or(u32::MAX),
            reset,
            retry_after: (self.used > allowed).then_some(reset),
        }
    }

    /// The minute that is counted, in milliseconds since the epoch.
    pub(super) fn at(&self) -> u64 {
        self.minute * MINUTE
    }

    /// Whether forgetting it changes nothing.
    pub(super) fn is_idle(&self, now: Duration) -> bool {
        self.used == 0 || self.minute < millis(now) / MINUTE
    }
}

/// Milliseconds since the epoch.
fn millis(now: Duration) -> u64 {
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use bedrock_filter::chat::LimitKind;

    use super::*;

    const START: Duration = Duration::from_secs(60 * 1_000);

    fn limit(per_minute: u32) -> Limit<'static> {
        Limit {
            kind: LimitKind::Requests,
            per_minute,
            caller: "a",
        }
    }

    #[test]
    fn a_minute_allows_exactly_the_limit() {
        let mut window = Window::default();
        let mut take = |seconds, hits| {
            let now = START + Duration::from_secs(seconds);
            let verdict = window.take(&limit(5), hits, now);
            (
                verdict.is_over(),
                verdict.remaining,
                verdict.reset.as_secs(),
            )
        };
        assert_eq!(take(0, 2), (false, 3, 60));
        assert_eq!(take(10, 3), (false, 0, 50));
        // Asking is allowed at the limit, as in Envoy's own service, and denied above it.
        assert_eq!(take(20, 0), (false, 0, 40));
        assert_eq!(take(30, 1), (true, 0, 30));
        assert_eq!(take(31, 0), (true, 0, 29));
        assert_eq!(take(60, 5), (false, 0, 60));
    }

    #[test]
    fn a_clock_set_back_gives_no_second_minute() {
        let mut window = Window::default();
        assert!(!window.take(&limit(1), 1, START).is_over());
        let before = START - Duration::from_secs(90);
        assert!(window.take(&limit(1), 1, before).is_over());
    }

    #[test]
    fn only_what_is_over_may_be_forgotten() {
        let mut window = Window::default();
        assert!(window.is_idle(START));
        window.take(&limit(1), 1, START);
        assert!(!window.is_idle(START + Duration::from_secs(59)));
        assert!(window.is_idle(START + Duration::from_secs(60)));
    }

    #[test]
    fn a_limit_of_none_denies_everything() {
        let verdict = Window::default().take(&limit(0), 1, START);
        assert!(verdict.is_over());
        assert_eq!(verdict.remaining, 0);
    }
}
