//! What the filter costs Envoy: its CPU per request, as a ratio to plain passthrough.
//!
//! One Envoy with one worker has a listener for plain passthrough and one for the filter; the variants
//! take turns, round by round, so that a busy machine disturbs all alike. CPU time is what the kernel
//! counts for the Envoy process alone ([`envoy::Envoy::cpu`]); [`upstream`], [`rate_limit`] and [`client`] run
//! outside it.
//!
//! [`load`] defines what is sent, [`variant`] the path it takes, [`bootstrap`] writes Envoy's
//! configuration, [`rounds`] runs it all, [`report`] prints the results beside the targets.

#![allow(
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a bench prints, and may panic over its own JSON"
)]

pub mod bootstrap;
pub mod canned;
pub mod client;
pub mod envoy;
pub mod load;
pub mod rate_limit;
pub mod report;
pub mod rounds;
pub mod soak;
pub mod upstream;
pub mod variant;
