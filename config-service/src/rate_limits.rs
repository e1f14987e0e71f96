//! How much callers have used of what they may use in a minute: the engine of the embedded rate limit service.
//!
//! A limit is not configured here. It stands in each question ([`Limit`]), so a new one needs no edit of this service
//! and takes effect with the plugin configuration that names it. Nothing here does IO or reads a clock: [`RateLimits`]
//! is told what time it is. [`crate::xds`] speaks Envoy's protocol in front of it.
//!
//! What is counted is kept in memory only. After a restart, every caller has its whole minute again.

mod ledger;
mod limit;
mod window;

pub use ledger::{MAX_CALLERS, RateLimits};
pub use limit::{Limit, MAX_CALLER_LEN, key};

/// Most that one question can count, as many as Envoy accepts from the filter.
pub const MAX_HITS: u64 = 1_000_000_000;

/// How a limit passes out what it allows in a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// All of it at the start of each minute of the clock, as `envoyproxy/ratelimit` does.
    #[default]
    Minute,
    /// Evenly, up to what is allowed in so many seconds at once.
    Bucket {
        /// Seconds, 1 to 60.
        burst_seconds: u32,
    },
}

/// How each kind of limit passes out what it allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paces {
    /// Limits on requests.
    pub requests: Pace,
    /// Limits on tokens.
    pub tokens: Pace,
}
