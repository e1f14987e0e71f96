//! What callers take from their limits.
//!
//! A [`Meter`] follows one request. It takes from the limits at the start and at the end, by itself or through Envoy's
//! rate limit filter. Nothing here does IO or reads a clock: what the workers of an Envoy count together is behind
//! [`Counters`]. The config-service counts with the same [`Bucket`].

mod account;
mod bucket;
mod counters;
mod denial;
mod limiter;
mod meter;
mod sheet;
mod verdict;

pub use account::Account;
pub use bucket::{Bucket, BucketLimit, Charge};
pub use counters::Counters;
pub use denial::Denial;
pub use meter::{Meter, Tally};
pub use verdict::{Verdict, whole_seconds};

#[cfg(test)]
pub(crate) mod testing;
