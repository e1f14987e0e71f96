//! The repository's tasks: `cargo xtask wasm`, `demo`, `lint`, `test` and others.
//!
//! The end-to-end tests use the library to start and stop processes: [`ports`], [`process`],
//! [`http`] and [`envoy`] know nothing about the demo. It uses neither async runtimes nor the
//! product's own crates, so that `cargo xtask` builds in seconds.

pub mod bench;
pub mod browser;
pub mod clients;
pub mod collector;
pub mod console;
pub mod dashboards;
pub mod demo;
pub mod deploy;
pub mod dist;
pub mod envoy;
pub mod fuzz;
mod golang;
pub mod http;
mod installation;
pub mod interrupt;
pub mod istio;
pub mod lint;
pub mod node;
pub mod ports;
pub mod process;
pub mod prometheus;
pub mod python;
pub mod ratelimit;
pub mod soak;
pub mod suite;
pub mod system;
pub mod wasm;
pub mod workspace;
