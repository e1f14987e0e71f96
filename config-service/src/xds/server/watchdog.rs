//! Notices an Envoy that does not reach what is published.

use std::time::Instant;

use crate::fleet::{STALLED_AFTER, WaitingFor};

/// Watches one stream.
#[derive(Debug, Default)]
pub(super) struct Watchdog {
    behind_since: Option<Instant>,
    is_stalled: bool,
}

/// An event that is worth one line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alarm {
    /// The Envoy has waited for this for too long.
    Stalled(WaitingFor),
    /// It has caught up.
    Over,
}

impl Watchdog {
    /// Records what the Envoy is waiting for.
    pub(super) fn watch(&mut self, waiting_for: Option<WaitingFor>, now: Instant) -> Option<Alarm> {
        let Some(waiting_for) = waiting_for else {
            self.behind_since = None;
            return std::mem::take(&mut self.is_stalled).then_some(Alarm::Over);
        };
        let since = *self.behind_since.get_or_insert(now);
        if self.is_stalled || now < since + STALLED_AFTER {
            return None;
        }
        self.is_stalled = true;
        Some(Alarm::Stalled(waiting_for))
    }

    /// Since when the Envoy has been behind what is published.
    pub(super) fn behind_since(&self) -> Option<Instant> {
        self.behind_since
    }

    /// When to check again even if nothing arrives.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        let since = self.behind_since.filter(|_| !self.is_stalled)?;
        Some(since + STALLED_AFTER)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_envoy_that_stays_behind_is_reported_once() {
        let (mut watchdog, start) = (Watchdog::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let clusters = Some(WaitingFor::Clusters);
        assert_eq!(watchdog.watch(None, at(0)), None);
        assert_eq!(watchdog.wakes_at(), None);
        assert_eq!(watchdog.watch(clusters, at(1)), None);
        assert_eq!(watchdog.wakes_at(), Some(at(31)));
        // Progress to another step is not catching up.
        let plugin = WaitingFor::PluginConfiguration;
        assert_eq!(watchdog.watch(Some(plugin), at(30)), None);
        let alarm = watchdog.watch(Some(plugin), at(31));
        assert_eq!(alarm, Some(Alarm::Stalled(plugin)));
        assert_eq!(watchdog.watch(Some(plugin), at(62)), None);
        assert_eq!(watchdog.wakes_at(), None);
        assert_eq!(watchdog.behind_since(), Some(at(1)));
        assert_eq!(watchdog.watch(None, at(63)), Some(Alarm::Over));
        assert_eq!(watchdog.watch(None, at(64)), None);
        assert_eq!(watchdog.watch(clusters, at(65)), None);
        assert_eq!(watchdog.wakes_at(), Some(at(95)));
    }
}
