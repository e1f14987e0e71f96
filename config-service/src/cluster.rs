//! The upstreams that Envoys dial, as this service describes them; [`crate::xds`] turns them into Envoy's
//! clusters.

use bedrock_filter::config::Generation;
use bedrock_filter::routes::pool_cluster;
use bedrock_filter::secret::Secret;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// How many clusters of earlier revisions to remember for Envoys that reconnect late.
pub const MAX_RETIRED: usize = 512;

/// An upstream that Envoys dial.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub struct Cluster {
    /// Envoy's name for it.
    pub name: String,
    /// The endpoints to dial, in the order in which Envoy tries them.
    pub hosts: Vec<Host>,
    /// Whether the connection is encrypted.
    pub transport: Transport,
    /// The filter that also runs here, to encode and sign each attempt for its channel; without one, requests
    /// arrive ready to be sent.
    pub stage: Option<Generation>,
    /// The access key with which Envoy signs requests, if the filter does not. Contains a secret, and is
    /// never stored.
    #[serde(skip)]
    pub signing: Option<SigningKey>,
}

/// A name in eight hexadecimal digits, for lists that must be short.
#[must_use]
pub(crate) fn short_name(name: &str) -> String {
    crate::hex::encode(Sha256::digest(name).iter().take(4))
}

impl Cluster {
    /// The clusters of which this one consists, in the order in which Envoy tries them: each channel of a pool of
    /// several has a pool of its own as well.
    #[must_use]
    pub fn members(&self) -> Vec<String> {
        if self.hosts.len() < 2 {
            return Vec::new();
        }
        let channels = self.hosts.iter().filter_map(|own| own.channel.as_deref());
        channels
            .map(|channel| pool_cluster(self.stage, [channel]))
            .collect()
    }

    /// What Envoy calls it in statistics.
    ///
    /// Without dots, because Envoy ends a cluster's name in statistics at the first one: in Prometheus, every host would
    /// be a family of metrics instead of a label. And without the generation, so that the figures of a pool go on when
    /// it changes.
    #[must_use]
    pub fn stat_name(&self) -> String {
        let generation = self.stage.map(|generation| format!("|{generation}"));
        let lasting = generation.map(|part| self.name.replacen(&part, "", 1));
        lasting.as_ref().unwrap_or(&self.name).replace('.', "_")
    }

    /// The cluster that brings the pools' filter to an Envoy whether or not there are pools, so that module
    /// and keys are tested before a listener depends on them. Nothing is sent to it.
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
    /// Its AWS region.
    pub region: String,
    /// The channel that it belongs to in a pool; several channels may share an address.
    pub channel: Option<String>,
}

/// An access key with which Envoy signs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SigningKey {
    /// Public half.
    pub access_key_id: String,
    /// Secret half.
    pub secret_access_key: Secret,
    /// Present with temporary credentials.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, stage: Option<Generation>) -> Cluster {
        Cluster {
            name: name.to_owned(),
            stage,
            ..Cluster::carrier(Generation::new(7))
        }
    }

    #[test]
    fn a_name_in_statistics_has_no_dots_and_no_generation() {
        let host = named(
            "bedrock|https|bedrock-runtime.eu-west-1.amazonaws.com|443",
            None,
        );
        assert_eq!(
            host.stat_name(),
            "bedrock|https|bedrock-runtime_eu-west-1_amazonaws_com|443"
        );
        let generation = Generation::new(7);
        let pool = named(
            &format!("bedrock|pool|{generation}|a.b|c"),
            Some(generation),
        );
        assert_eq!(pool.stat_name(), "bedrock|pool|a_b|c");
        assert_eq!(Cluster::carrier(generation).stat_name(), "bedrock|filter");
    }
}
