//! What requests used: a record of each, and the way of the records to the config-service.
//!
//! A [`Record`] is written when a request ends, and put into a queue that all workers of an Envoy share. One of them
//! sends what is in it in batches, and what is not acknowledged goes back: a record arrives at least once, and the
//! receiver drops the repetitions by [`Record::id`]. The [`Outbox`] decides all this; it has no clock and no queue of
//! its own, so that it can be tested against any order of events.

mod ack;
mod figures;
mod flights;
mod lease;
mod level;
mod mailbox;
mod outbox;
mod proto;
mod record;
mod service;
#[cfg(test)]
mod tests;

pub use ack::{Ack, Budget, Exhausted};
pub use figures::Figures;
pub use mailbox::{Mailbox, Stored};
pub use outbox::{MAX_WAITING, Outbox};
pub use record::{Record, RecordId, Tokens};
pub use service::{METHOD, SERVICE, grpc_service};
