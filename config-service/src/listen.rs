//! What stands between the ports and what they serve: TLS, time limits, and a bound on connections.
//!
//! A client that sends slowly, or nothing, must not use up what others need: file descriptors above all, of
//! which the ports and the database live. `admission` says how many connections a port may have, and which of
//! them has to go when there are more; `pulse` knows what each waits for, and since when; `door` lets them in.
//! `server` serves HTTP on those of the admin port. Knows no route.

mod admission;
mod body;
mod connection;
mod descriptors;
mod door;
mod plain;
mod pulse;
mod server;
pub mod tls;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use admission::Pass;
pub use descriptors::take_all as take_all_descriptors;
pub(crate) use descriptors::{places_for_admins, places_for_envoys};
pub(crate) use door::{Arrival, Door};
pub(crate) use pulse::Pulse;
pub(crate) use server::serve;
use tls::{Port, Tls};

/// What an HTTP port is guarded by.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    pub(crate) port: Port,
    pub(crate) places: Places,
    pub(crate) patience: Patience,
    /// Plain text is spoken without it.
    pub(crate) tls: Option<Arc<Tls>>,
}

/// How long clients are waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// From a connection's start, or the first byte of a later request, to the end of the request's head; TLS
    /// included.
    pub(crate) head: Duration,
    /// How long the body of a request may take, and how long a client may take nothing of an answer.
    pub(crate) body: Duration,
    /// How long a connection stays without a request.
    pub(crate) idle: Duration,
}

/// How many connections a port may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    /// In all.
    pub(crate) all: usize,
    /// Of one address.
    pub(crate) per_address: usize,
}
