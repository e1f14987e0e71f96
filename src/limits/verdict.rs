//! What becomes of a question whether something is within a limit.

use std::time::Duration;

use crate::chat::{LimitKind, Standing};

/// How a caller stands with one limit, after what was asked has been counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What is counted.
    pub kind: LimitKind,
    /// How much is allowed in a minute.
    pub limit: u32,
    /// How much of it is left.
    pub remaining: u32,
    /// When all of it will be there again, if nothing more is used.
    pub reset: Duration,
    /// When to ask again, if this was more than is allowed.
    pub retry_after: Option<Duration>,
}

impl Verdict {
    /// Whether more was asked for than is allowed.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.retry_after.is_some()
    }

    /// What a client is told of it.
    #[must_use]
    pub fn standing(&self) -> Standing {
        Standing {
            kind: self.kind,
            limit: self.limit,
            remaining: Some(self.remaining),
            reset: Some(self.reset),
        }
    }
}

/// Whole seconds, rounded up: who waits so long does not ask too early.
#[must_use]
pub fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
