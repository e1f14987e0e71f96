//! What the filter costs Envoy: its CPU per request, as a ratio to plain passthrough.
//!
//! One Envoy with one worker has a listener for plain passthrough and one for the filter; rounds of all
//! variants take turns, so that a busy machine disturbs all alike. CPU time is the kernel's count for
//! the Envoy process alone ([`envoy::Envoy::cpu`]); [`upstream`] and [`client`] run outside of it.
//!
//! [`load`] says what is sent, [`variant`] through what, [`bootstrap`] writes Envoy's configuration,
//! [`rounds`] runs it all, [`report`] prints it beside the targets.

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
pub mod report;
pub mod rounds;
pub mod soak;
pub mod upstream;
pub mod variant;
