//! The upstreams that Envoys dial, as this service describes them; [`crate::xds`] makes Envoy's clusters of them.

use bedrock_filter::config::Generation;
use bedrock_filter::secret::Secret;
use serde::{Deserialize, Serialize};

/// Clusters of earlier revisions that are remembered for Envoys that come back late.
pub const MAX_RETIRED: usize = 512;

/// An upstream that Envoys dial.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub struct Cluster {
    /// Envoy's name for it.
    pub name: String,
    /// What is dialled, in the order in which Envoy tries it.
    pub hosts: Vec<Host>,
    /// Whether the connection is encrypted.
    pub transport: Transport,
    /// The filter that stands here too, to make each attempt its channel's own; without one, what comes is
    /// ready to be sent.
    pub stage: Option<Generation>,
    /// Whose signature Envoy adds to what leaves, if not the filter's. Has a secret, and is kept nowhere.
    #[serde(skip)]
    pub signing: Option<SigningKey>,
}

impl Cluster {
    /// The cluster that brings the pools' filter to an Envoy, whether there are pools or not: module and keys
    /// are tried on it before a listener depends on them. Nothing is sent to it.
    #[must_use]
    pub fn carrier(generation: Generation) -> Self {
        Self {
            name: format!("bedrock|filter|{generation}"),
            hosts: Vec::new(),
            transport: Transport::Plain,
            stage: Some(generation),
            signing: None,
        }
    }
}

/// One endpoint of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub struct Host {
    /// Host name or address; an IPv6 address has no brackets here.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// AWS region behind it.
    pub region: String,
    /// The channel that it stands for in a pool; several may have one address.
    pub channel: Option<String>,
}

/// An access key with which Envoy signs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SigningKey {
    /// Public half.
    pub access_key_id: String,
    /// Secret half.
    pub secret_access_key: Secret,
    /// Of temporary credentials.
    pub session_token: Option<Secret>,
}

/// How a cluster's connections are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// TLS with a verified certificate.
    Tls,
    /// No encryption.
    Plain,
}
