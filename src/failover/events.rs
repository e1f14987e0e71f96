//! What happened to requests and channels, for metrics.

use super::Failure;
use crate::telemetry::{Metric, metric};

/// Something that is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Name of the channel that it happened on, if a channel was picked.
    pub channel: Option<String>,
    /// What happened.
    pub kind: EventKind,
    /// How it ended, or why it happened.
    pub reason: &'static str,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// An attempt on the channel has ended.
    Attempt,
    /// A request moved on from the channel to the next one.
    Failover,
    /// The channel began to cool down: it is not tried first for a while.
    Cooldown,
    /// A request was refused because the buffer for retries was full.
    Overload,
}

impl EventKind {
    /// Its metric.
    #[must_use]
    pub fn metric(self) -> &'static Metric {
        match self {
            Self::Attempt => &metric::ATTEMPTS,
            Self::Failover => &metric::FAILOVERS,
            Self::Cooldown => &metric::COOLDOWNS,
            Self::Overload => &metric::OVERLOADS,
        }
    }
}

impl Failure {
    /// Its label in metrics.
    pub(super) fn reason(self) -> &'static str {
        self.trouble().name()
    }
}
