//! The host layer: the only place that names `proxy_wasm`.
//!
//! Contexts copy bytes between Envoy and an [`crate::exchange::Exchange`] and carry out its steps.
//! Header values are read as bytes and never through the SDK's `String` accessors, which panic on values that are not
//! UTF-8; a panic would end every stream of the worker.

mod end;
mod environment;
mod figures;
mod health;
mod host;
mod http;
mod message;
mod metrics;
mod requests;
mod root;
mod shared;
mod streams;
mod upstream;
mod usage;

use proxy_wasm::types::LogLevel;

// Envoy calls this once for each VM.
proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(root::FilterRoot::default()));
}}
