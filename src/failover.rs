//! Failover: one request that may be tried on several channels, and which channel is tried first.
//!
//! The listener stage makes a [`RetryableRequest`] of a request: read once, and kept until it is answered.
//! Envoy then tries the endpoints of a pool one after the other, each of them a channel. For every attempt
//! the upstream stage encodes and signs the request afresh from the same [`RetryableRequest`].

mod backups;
mod begun;
mod buffer;
mod connections;
mod cooldowns;
mod events;
mod picker;
mod profile_only;
mod progress;
mod request;
mod turns;

pub use begun::BegunAnswer;
pub use buffer::{Client, Reservation, overloaded};
pub use cooldowns::{Cooldowns, Failure, Target};
pub use events::{Event, EventKind};
pub use picker::{ChannelPicker, Plan};
pub use progress::AttemptResult;
pub(crate) use request::ENVOYS_SPARE;
pub use request::RetryableRequest;

#[cfg(test)]
mod tests;
