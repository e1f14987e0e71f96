//! The upstreams that Envoys dial, as this service describes them; [`crate::xds`] turns them into Envoy's
//! clusters.

use std::time::Duration;

use bedrock_filter::config::{Generation, SignedBy};
use bedrock_filter::routes::{Destination, pool_cluster};
use bedrock_filter::secret::Secret;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// How many clusters of earlier revisions to remember for Envoys that reconnect late.
pub const MAX_RETIRED: usize = 512;

/// How long an exported manifest has a cluster that no channel uses any more.
pub(crate) const EXPORTED: Duration = Duration::from_secs(30 * 24 * 3600);

/// What the names of clusters that only bring the pools' filter begin with.
const CARRIER: &str = "bedrock|filter";

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
        let channels = self.channels().into_iter();
        channels
            .map(|channel| pool_cluster(self.stage, [channel]))
            .collect()
    }

    /// A pool's channels, each with where its requests go if the filter signs them.
    fn channels(&self) -> Vec<(&str, Destination)> {
        let is_tls = self.transport == Transport::Tls;
        let channel = |own: &'_ Host| {
            let address = (own.host.as_str(), own.port);
            Destination::of(is_tls, address, &own.region, SignedBy::Filter)
        };
        let named = self.hosts.iter();
        named
            .filter_map(|own| Some((own.channel.as_deref()?, channel(own))))
            .collect()
    }

    /// Whether it is a pool with this channel.
    #[must_use]
    pub(crate) fn has(&self, channel: &str) -> bool {
        let mut channels = self.hosts.iter().filter_map(|own| own.channel.as_deref());
        channels.any(|own| own == channel)
    }

    /// What Envoy calls it in statistics.
    ///
    /// Without dots, because Envoy ends a cluster's name in statistics at the first one: in Prometheus, every host would
    /// be a family of metrics instead of a label. And a pool only by its channels, so that its figures go on with another
    /// module or endpoint.
    #[must_use]
    pub fn stat_name(&self) -> String {
        let name = match self.stage {
            Some(_) if self.hosts.is_empty() => CARRIER.to_owned(),
            Some(_) => pool_cluster(None, self.channels()),
            None => self.name.clone(),
        };
        name.replace('.', "_")
    }

    /// What it is in a copy of the channels, where the filter signs and pools have a generation of their own; `None` for
    /// a pool if the copy has none.
    #[must_use]
    pub(crate) fn copied(&self, generation: Option<Generation>) -> Option<Self> {
        let name = match self.stage {
            Some(_) if generation.is_none() || self.hosts.is_empty() => return None,
            Some(_) => pool_cluster(generation, self.channels()),
            // That of its endpoint: without the key with which Envoy signs.
            None => self.name.split('|').take(4).collect::<Vec<_>>().join("|"),
        };
        Some(Self {
            name,
            stage: self.stage.and(generation),
            signing: None,
            ..self.clone()
        })
    }

    /// The cluster that brings the pools' filter to an Envoy whether or not there are pools, so that module
    /// and keys are tested before a listener depends on them. Nothing is sent to it.
    #[must_use]
    pub fn carrier(generation: Generation) -> Self {
        Self {
            name: format!("{CARRIER}|{generation}"),
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

    #[test]
    fn a_copy_has_pools_of_its_own_generation_and_no_keys() {
        let copied = |name: &str, stage, channels: &[&str], generation| {
            let hosts = channels.iter().map(|channel| Host {
                host: "bedrock.example".to_owned(),
                port: 443,
                region: "us-east-1".to_owned(),
                channel: Some((*channel).to_owned()),
            });
            let cluster = Cluster {
                hosts: hosts.collect(),
                ..named(name, stage)
            };
            let copied = cluster.copied(generation)?;
            assert_eq!(copied.hosts, cluster.hosts);
            Some((copied.name, copied.stage))
        };
        let [here, there] = [7, 8].map(|number| Some(Generation::new(number)));
        let pool = copied("bedrock|pool|7|a|b", here, &["a", "b"], there);
        let at = Destination::of(
            false,
            ("bedrock.example", 443),
            "us-east-1",
            SignedBy::Filter,
        );
        let expected = pool_cluster(there, [("a", at), ("b", at)]);
        assert_eq!(pool, Some((expected, there)));
        assert_eq!(copied("bedrock|pool|7|a", here, &["a"], None), None);
        assert_eq!(copied("bedrock|filter|7", here, &[], there), None);
        let signed = copied("bedrock|https|host|443|AKIDEXAMPLE", None, &[], there);
        let expected = "bedrock|https|host|443".to_owned();
        assert_eq!(signed, Some((expected, None)));
    }

    fn named(name: &str, stage: Option<Generation>) -> Cluster {
        Cluster {
            name: name.to_owned(),
            stage,
            ..Cluster::carrier(Generation::new(7))
        }
    }

    #[test]
    fn a_name_in_statistics_has_no_dots_and_is_the_same_after_an_edit() {
        let host = named(
            "bedrock|https|bedrock-runtime.eu-west-1.amazonaws.com|443",
            None,
        );
        assert_eq!(
            host.stat_name(),
            "bedrock|https|bedrock-runtime_eu-west-1_amazonaws_com|443"
        );
        let generation = Generation::new(7);
        let pool = |host: &str| {
            let hosts = ["a.b", "c"].map(|channel| Host {
                host: host.to_owned(),
                port: 443,
                region: "us-east-1".to_owned(),
                channel: Some(channel.to_owned()),
            });
            let pool = Cluster {
                hosts: hosts.into(),
                ..Cluster::carrier(generation)
            };
            let name = pool_cluster(pool.stage, pool.channels());
            Cluster { name, ..pool }
        };
        let [before, after] = ["one.example", "other.example"].map(pool);
        assert_ne!(before.name, after.name);
        for own in [before, after] {
            assert_eq!(own.stat_name(), "bedrock|pool|a_b|c");
        }
        assert_eq!(Cluster::carrier(generation).stat_name(), "bedrock|filter");
    }
}
