//! The chores of this repository: `cargo xtask wasm`, `demo`, `lint`, `test` and others.
//!
//! The library half starts and ends processes for the end-to-end tests too: [`ports`], [`process`],
//! [`http`] and [`envoy`] know nothing of the demo. It stays free of async runtimes and of the
//! product's own crates, so that `cargo xtask` is built in seconds.

pub mod bench;
pub mod browser;
pub mod console;
pub mod demo;
pub mod envoy;
pub mod fuzz;
pub mod http;
pub mod interrupt;
pub mod lint;
pub mod ports;
pub mod process;
pub mod python;
pub mod soak;
pub mod suite;
pub mod system;
pub mod wasm;
pub mod workspace;
