//! The xDS server: gives every Envoy the clusters and the plugin configuration of the current
//! revision. The only place that names `envoy_types`.
//!
//! Served are the aggregated stream (ADS) with CDS and ECDS, and either of them alone for meshes
//! that have a control plane of their own; all in the state-of-the-world variant of
//! <https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol>. [`session`] decides what to
//! send and does no IO; `server` moves messages between it and the wire.

mod cluster;
mod plugin;
mod server;
pub mod session;
pub mod tls;
mod wire;

use crate::filter_code::FilterCode;

pub use server::{ServeError, XdsServer};

/// Name of the extension configuration that Envoys subscribe to; also the plugin's root id and the
/// id of its VM.
pub const EXTENSION_NAME: &str = "bedrock";

/// What turns a snapshot into resources, apart from the snapshot itself.
#[derive(Clone, Debug)]
pub struct Resources {
    code: FilterCode,
    upstream_ca_file: String,
}

impl Resources {
    /// `upstream_ca_file` is a path inside Envoy's file system.
    #[must_use]
    pub fn new(code: FilterCode, upstream_ca_file: String) -> Self {
        Self {
            code,
            upstream_ca_file,
        }
    }

    /// Where Envoys get the filter's module from.
    #[must_use]
    pub fn code(&self) -> &FilterCode {
        &self.code
    }

    /// Certificates that Envoys trust, as a path inside Envoy's file system.
    #[must_use]
    pub fn upstream_ca_file(&self) -> &str {
        &self.upstream_ca_file
    }
}
