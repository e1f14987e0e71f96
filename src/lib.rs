//! An Envoy Wasm filter that speaks the OpenAI API to clients and InvokeModel to Amazon Bedrock.
//!
//! The crate is pure logic with a thin host layer. How a chat request travels through it:
//!
//! 1. `filter` (Wasm only) copies headers and bodies between Envoy and an [`exchange::Exchange`].
//! 2. [`exchange`] decides, step by step, what Envoy has to do; it does no IO.
//! 3. [`protocol`] reads the client's request and expresses it in the vocabulary of [`chat`]; [`routes`] finds the
//!    channel and the model.
//! 4. [`bedrock`] encodes the upstream body in the model family's dialect; [`call`] has it signed by [`sign`].
//! 5. [`bedrock`] decodes the answer or the event stream; [`protocol`] writes it for the client.
//!
//! *Encode* is always towards Bedrock, *decode* always towards the client. [`config`] is the plugin
//! configuration, which the config-service checks with the same [`routes::Routes::compile`].

#![warn(missing_docs)]

pub mod arn;
pub mod bedrock;
pub mod call;
pub mod callers;
pub mod catalog;
pub mod chat;
pub mod config;
pub mod endpoint;
pub mod exchange;
pub mod failover;
pub mod health;
pub mod json;
pub mod limits;
pub mod models;
pub mod passthrough;
pub mod protocol;
pub mod routes;
pub mod seal;
pub mod secret;
pub mod sign;
pub mod telemetry;
pub mod usage;
pub mod wire;

// Only the module has vector instructions.
#[cfg(target_feature = "simd128")]
mod vectors;

// The host's functions exist only in Envoy: a native program that names them does not link.
#[cfg(target_arch = "wasm32")]
mod filter;
