//! The harness of the end-to-end tests: the real module in a real Envoy, the real config-service,
//! and the strict Bedrock simulator in this process.
//!
//! ```no_run
//! use e2e::{Stack, simulator};
//! # async fn example() {
//! let stack = Stack::start().await;
//! let bedrock = simulator().await;
//! let channel = stack.channel(&bedrock).await;
//! let reply = stack.envoy.chat(&channel.ask("Hi")).await;
//! assert_eq!(reply.text_of_answer(), "You said: Hi");
//! # }
//! ```
//!
//! Each test creates its own simulator and channel, so tests can share one running [`Stack`] (see
//! [`shared`]). The logs of Envoy and the config-service are printed when a test fails.

mod agents;
mod artefacts;
mod bootstrap;
mod channel;
mod clients;
mod config_service;
mod dns;
mod documentation;
mod ecds;
mod envoy;
mod front;
pub mod istio;
mod lease;
mod load;
mod module;
mod python;
mod raw;
mod raw_upstream;
mod reply;
mod scratch;
mod stack;
mod tls;
mod trap;
mod wait;
mod xds_proxy;

pub use agents::{Agent, Work};
pub use artefacts::{Artefacts, repository};
pub use bootstrap::Bootstrap;
pub use channel::{
    ACCESS_KEY_ID, Channel, REGION, SECRET_ACCESS_KEY, channel_body, simulator, simulator_builder,
};
pub use clients::{ClientScript, installed};
pub use config_service::{ADMIN_TOKEN, ConfigService, SEAL_KEY};
pub use dns::{Dns, Lookup};
pub use documentation::{documented, example, examples};
pub use ecds::EcdsServer;
pub use envoy::Envoy;
pub use front::Front;
pub use lease::{Lease, Leases};
pub use load::{Load, Outcome};
pub use python::{OfficialPackages, PythonWorker, run_python};
pub use raw::{h1_exchange, h2_post_with_trailers};
pub use raw_upstream::{End as UpstreamEnd, RawUpstream};
pub use reply::Reply;
pub use scratch::Scratch;
pub use stack::{Builder, Module, Shared, SharedStack, Stack, shared};
pub use tls::{Authority, TlsFront};
pub use trap::Trap;
pub use wait::{PATIENCE, eventually};
pub use xds_proxy::{CDS, ECDS, XdsProxy};

use std::sync::OnceLock;

use tokio::runtime::Runtime;

/// Runs a test on a runtime that all tests share, so that a shared stack outlives each of them.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        // The config-service's HTTP clients do TLS, and so do all in this workspace; a process must
        // choose their cryptography provider.
        let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
        Runtime::new().expect("a runtime")
    });
    // On the heap, because the futures of long tests are too large for a test thread's stack.
    runtime.block_on(Box::pin(test))
}
