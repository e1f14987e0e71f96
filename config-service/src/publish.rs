//! What Envoys should run: one immutable snapshot per revision, handed on through a watch.

mod filter;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use bedrock_filter::config::{Channel, Credentials, Secret, SignedBy};
use bedrock_filter::routes::{CompiledChannel, Routes};
use tokio::sync::watch;

use crate::channels::Settings;
use crate::credentials::IssuedCredentials;
use crate::fault::Fault;
use crate::store::Contents;

pub(crate) use filter::{explained, faults, is_usable, ready};

/// Clusters of earlier revisions that are remembered for Envoys that come back late.
const MAX_RETIRED: usize = 64;

/// Everything that an Envoy needs for one revision.
pub struct Snapshot {
    /// The revision.
    pub revision: u64,
    /// Number of channels, disabled ones included.
    pub channels: usize,
    /// What made it the current one.
    pub origin: Origin,
    /// The plugin configuration. Has credentials in it, sealed if there is a key.
    pub plugin_config: String,
    /// The clusters that the plugin configuration names.
    pub clusters: BTreeSet<Cluster>,
    /// Clusters that recent revisions named and this one does not, the newest first. An Envoy that
    /// reconnects may still run one of those revisions.
    pub retired: Vec<Cluster>,
    /// When it was made.
    pub made_at: Instant,
    secrets: Vec<Secret>,
}

/// What made a snapshot the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The service started with it.
    Start,
    /// An edit, or a renewal of credentials.
    Change,
}

/// An upstream that Envoys dial.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cluster {
    /// Envoy's name for it.
    pub name: String,
    /// What is dialled, in the order in which Envoy tries it.
    pub hosts: Vec<Host>,
    /// Whether the connection is encrypted.
    pub transport: Transport,
    /// Whether the filter stands here too, to make each attempt its channel's own.
    pub stage: UpstreamStage,
    /// Whose signature Envoy adds to what leaves, if not the filter's.
    pub signing: Option<SigningKey>,
}

/// Whether the filter stands on a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UpstreamStage {
    /// It does not: what comes is ready to be sent.
    Absent,
    /// It does.
    Present,
}

/// One endpoint of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// TLS with a verified certificate.
    Tls,
    /// No encryption.
    Plain,
}

impl Snapshot {
    /// Compiles what is configured with the filter's own rules.
    ///
    /// # Errors
    ///
    /// Every fault; pointers are into the plugin configuration, such as `/channels/0/region`.
    pub fn compile(
        contents: &Contents,
        settings: &Settings,
        issued: &IssuedCredentials,
    ) -> Result<Self, Vec<Fault>> {
        filter::judge(contents, settings)?;
        let config = filter::ready(contents, settings, issued);
        let secrets = filter::secrets(contents, &config);
        let plugin_config = filter::document(config.clone(), &settings.sealer)
            .map_err(|reason| vec![Fault::new("", "unserialisable", reason)])?;
        let served = Routes::compile(config).map_err(filter::faults)?;
        Ok(Self {
            revision: contents.revision,
            channels: contents.channels.len(),
            origin: Origin::Change,
            plugin_config,
            clusters: clusters(&served),
            retired: Vec::new(),
            made_at: Instant::now(),
            secrets,
        })
    }

    /// `text` without any of the snapshot's secrets, for texts that come back from an Envoy.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            if !secret.expose().is_empty() {
                text = text.replace(secret.expose(), "[redacted]");
            }
        }
        text
    }

    /// Remembers the clusters that the new snapshot has no use for any more.
    fn retire(mut self, old: &Self) -> Self {
        self.retired = old
            .clusters
            .iter()
            .chain(&old.retired)
            .filter(|cluster| !self.clusters.contains(cluster))
            .take(MAX_RETIRED)
            .cloned()
            .collect();
        self
    }
}

/// A revision has one content, so snapshots are equal when their revisions are.
impl PartialEq for Snapshot {
    fn eq(&self, other: &Self) -> bool {
        self.revision == other.revision
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("revision", &self.revision)
            .field("clusters", &self.clusters)
            .finish_non_exhaustive()
    }
}

/// The writing end of the watch. There is one, held by whoever edits channels.
#[derive(Debug)]
pub struct Publisher {
    sender: watch::Sender<Arc<Snapshot>>,
}

impl Publisher {
    /// Starts with the snapshot of what is stored.
    #[must_use]
    pub fn new(mut snapshot: Snapshot) -> Self {
        snapshot.origin = Origin::Start;
        Self {
            sender: watch::Sender::new(Arc::new(snapshot)),
        }
    }

    /// Makes a snapshot the current one.
    pub fn publish(&self, snapshot: Snapshot) {
        self.sender
            .send_modify(|current| *current = Arc::new(snapshot.retire(current)));
    }

    /// The reading end.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.sender.subscribe()
    }
}

/// The clusters of all enabled channels, also of those that will have credentials later; except where Envoy
/// itself signs, which needs them.
fn clusters(served: &Routes) -> BTreeSet<Cluster> {
    let can_be_made = |own: &&CompiledChannel| {
        own.channel.signer == SignedBy::Filter || own.channel.credentials.are_there()
    };
    let mut clusters: BTreeSet<_> = served.clusters().filter(can_be_made).map(cluster).collect();
    // The others stay: an Envoy may still run a configuration from before failover was switched on.
    clusters.extend(pools(served));
    clusters
}

/// The clusters between which requests fail over.
fn pools(served: &Routes) -> impl Iterator<Item = Cluster> {
    let pools = served
        .failover()
        .map(|_| served.pools())
        .unwrap_or_default();
    pools.into_iter().filter_map(|(name, channels)| {
        Some(Cluster {
            name,
            hosts: channels
                .iter()
                .map(|own| Host {
                    channel: Some(own.channel.name.clone()),
                    ..host(own)
                })
                .collect(),
            stage: UpstreamStage::Present,
            ..cluster(channels.first()?)
        })
    })
}

fn cluster(channel: &CompiledChannel) -> Cluster {
    Cluster {
        name: channel.cluster.clone(),
        hosts: vec![host(channel)],
        transport: if channel.endpoint.is_tls() {
            Transport::Tls
        } else {
            Transport::Plain
        },
        stage: UpstreamStage::Absent,
        signing: signing_key(&channel.channel),
    }
}

fn host(channel: &CompiledChannel) -> Host {
    Host {
        host: channel.endpoint.bare_host().to_owned(),
        port: channel.endpoint.port(),
        region: channel.channel.region.clone(),
        channel: None,
    }
}

fn signing_key(channel: &Channel) -> Option<SigningKey> {
    match (&channel.credentials, channel.signer) {
        (
            Credentials::Static {
                access_key_id,
                secret_access_key,
                session_token,
                ..
            },
            SignedBy::Envoy,
        ) => Some(SigningKey {
            access_key_id: access_key_id.clone(),
            secret_access_key: secret_access_key.clone(),
            session_token: session_token.clone(),
        }),
        _ => None,
    }
}
