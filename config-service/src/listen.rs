//! What protects the ports: TLS, time limits, and a limit on connections.
//!
//! A client that sends slowly, or nothing, must not use up what others need: above all file descriptors, on
//! which the ports and the database depend. `admission` decides how many connections a port may have, and
//! which one to close when there are more; `pulse` knows what each waits for, and since when; `door` accepts
//! them. `server` serves HTTP on those of the admin port. This module knows no routes.

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

/// What protects an HTTP port.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    pub(crate) port: Port,
    pub(crate) places: Places,
    pub(crate) patience: Patience,
    /// Without it, the port speaks plain text.
    pub(crate) tls: Option<Arc<Tls>>,
}

/// How long to wait for clients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// From a connection's start, or the first byte of a later request, to the end of the request's headers;
    /// TLS included.
    pub(crate) head: Duration,
    /// How long the body of a request may take, and how long a client may go without reading any of an
    /// answer.
    pub(crate) body: Duration,
    /// How long a connection may stay open without a request.
    pub(crate) idle: Duration,
}

/// How many connections a port may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    /// In total.
    pub(crate) all: usize,
    /// From one address.
    pub(crate) per_address: usize,
}
