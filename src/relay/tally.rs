//! What happened to requests, for metrics.

use super::Failure;

/// Something that is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Name of the channel that it happened on, if it came to one.
    pub channel: Option<String>,
    /// What happened.
    pub what: What,
    /// How it ended, or why it happened.
    pub reason: &'static str,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// An attempt on the channel has ended.
    Attempt,
    /// A request went on from the channel to the next one.
    Failover,
    /// The channel pauses: it is not tried first for a while.
    Cooldown,
    /// A request was refused, because too much is held already.
    Overload,
}

impl What {
    /// Name of its metric.
    #[must_use]
    pub fn metric(self) -> &'static str {
        match self {
            Self::Attempt => "bedrock_attempts_total",
            Self::Failover => "bedrock_failovers_total",
            Self::Cooldown => "bedrock_cooldowns_total",
            Self::Overload => "bedrock_overloads_total",
        }
    }
}

impl Failure {
    /// A word for metrics.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Throttled(_) => "throttled",
            Self::Unavailable => "unavailable",
            Self::Credentials => "credentials",
            Self::Model => "model",
        }
    }
}
