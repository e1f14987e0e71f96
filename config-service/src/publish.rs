//! What Envoys should run: one immutable snapshot per revision, passed on through a `watch` channel.

mod filter;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bedrock_filter::config::{
    CallerSettings, Channel, Credentials, LimitMode, PluginConfig, SignedBy,
};
use bedrock_filter::routes::{CompiledChannel, Routes};
use bedrock_filter::secret::Secret;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use crate::channel;
use crate::cluster::{Cluster, Host, MAX_RETIRED, SigningKey, Transport};
use crate::credentials::IssuedCredentials;
use crate::fault::Fault;
use crate::limit_rules::{Kind, LimitValue};
use crate::settings::Settings;
use crate::store::{Contents, KeptCluster};

pub(crate) use filter::{explained, ready};

/// Everything that an Envoy needs for one revision.
pub struct Snapshot {
    /// The revision.
    pub revision: u64,
    /// Number of channels, including disabled ones.
    pub channels: usize,
    /// Why it became the current one.
    pub origin: Origin,
    /// The plugin configuration. Contains credentials, sealed if there is a key.
    pub plugin_config: String,
    /// Identifies the plugin configuration among those of the same revision.
    pub digest: String,
    /// The values of limits for which Envoys ask a rate limit service.
    pub limits: BTreeSet<LimitValue>,
    /// The clusters that the plugin configuration names.
    pub clusters: BTreeSet<Cluster>,
    /// Clusters that recent revisions named but this one does not, newest first, including those of an
    /// earlier process. An Envoy that reconnects may still run one of those revisions.
    pub retired: Vec<Cluster>,
    /// When it was created.
    pub made_at: Instant,
    secrets: Vec<Secret>,
    /// The plugin configuration without failover, once somebody has needed it.
    alone: OnceLock<String>,
}

/// A channel's priority in a plugin configuration, of which the lowest number is tried first; 0 unless it has one.
fn priority(channel: &Value) -> u64 {
    channel.get("priority").and_then(Value::as_u64).unwrap_or(0)
}

/// The member of a plugin configuration that makes requests fail over.
const FAILOVER: &str = "failover";

/// Why a snapshot became the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The service started with it.
    Start,
    /// An edit, or a renewal of credentials.
    Change,
}

impl Snapshot {
    /// Compiles the configuration with the filter's own rules.
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
            .map_err(|error| vec![Fault::new("", "unserialisable", error.to_string())])?;
        let limits = limits(config.callers.as_ref());
        let served = Routes::compile(config)?;
        Ok(Self {
            revision: contents.revision,
            channels: contents.channels.len(),
            origin: Origin::Change,
            digest: digest(&plugin_config),
            plugin_config,
            limits,
            clusters: clusters(&served),
            retired: Vec::new(),
            made_at: Instant::now(),
            secrets,
            alone: OnceLock::new(),
        })
    }

    /// The names of its clusters.
    pub(crate) fn cluster_names(&self) -> impl Iterator<Item = &str> {
        self.clusters.iter().map(|own| own.name.as_str())
    }

    /// The plugin configuration for Envoys that lack pools: every request goes to one channel, as without failover, but to
    /// the one with the highest priority.
    pub(crate) fn without_failover(&self) -> &str {
        self.alone.get_or_init(|| {
            let config = serde_json::from_str(&self.plugin_config);
            let mut config: Value = config.unwrap_or_default();
            if let Some(members) = config.as_object_mut() {
                members.remove(FAILOVER);
                // Without failover the first channel with the model serves it.
                if let Some(Value::Array(channels)) = members.get_mut("channels") {
                    channels.sort_by_key(priority);
                }
            }
            config.to_string()
        })
    }

    /// `text` without the snapshot's secrets, for text that comes back from an Envoy.
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

    /// Remembers the clusters of an earlier process.
    pub(crate) fn remember(&mut self, kept: Vec<KeptCluster>) {
        let names: BTreeSet<_> = self.clusters.iter().map(|own| own.name.clone()).collect();
        let others = kept
            .into_iter()
            .filter(|own| !names.contains(&own.cluster.name));
        let retired = others.filter_map(|kept| self.complete(kept));
        self.retired = retired.take(MAX_RETIRED).collect();
    }

    /// A cluster with its secret, which is not stored; `None` if no channel has that any more, because
    /// the cluster must not exist without it.
    fn complete(&self, kept: KeptCluster) -> Option<Cluster> {
        let signing = match &kept.signed_with {
            None => None,
            Some(id) => {
                let mut keys = self.clusters.iter().filter_map(|own| own.signing.as_ref());
                Some(keys.find(|key| key.access_key_id == *id)?.clone())
            }
        };
        Some(Cluster {
            signing,
            ..kept.cluster
        })
    }

    /// Remembers the clusters that the new snapshot no longer needs.
    pub(crate) fn retire(mut self, old: &Self) -> Self {
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

#[cfg(test)]
impl Snapshot {
    /// A snapshot without channels, but with these clusters.
    pub(crate) fn with_clusters(revision: u64, clusters: BTreeSet<Cluster>) -> Self {
        let plugin_config = format!("{{\"revision\":{revision}}}");
        Self {
            revision,
            channels: 0,
            origin: Origin::Change,
            digest: digest(&(&plugin_config, &clusters)),
            plugin_config,
            limits: BTreeSet::new(),
            clusters,
            retired: Vec::new(),
            made_at: Instant::now(),
            secrets: Vec::new(),
            alone: OnceLock::new(),
        }
    }
}

/// A revision has only one content, so snapshots with equal revisions are equal.
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

/// The sending end of the `watch` channel. There is one, held by the code that edits channels.
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

    /// The current one.
    pub(crate) fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.sender.borrow())
    }

    /// The receiving end.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.sender.subscribe()
    }
}

/// Eight hexadecimal digits that distinguish a content from others.
pub(crate) fn digest(content: &impl Serialize) -> String {
    let bytes = serde_json::to_vec(content).unwrap_or_default();
    crate::hex::encode(Sha256::digest(bytes).iter().take(4))
}

/// The values of limits that stand in questions to a rate limit service.
fn limits(callers: Option<&CallerSettings>) -> BTreeSet<LimitValue> {
    let shared = callers.filter(|own| own.limit_mode == LimitMode::Shared);
    let entries = shared.into_iter().flat_map(|own| &own.entries);
    let limits = entries.flat_map(|own| {
        [
            (Kind::Requests, own.limits.rpm),
            (Kind::Tokens, own.limits.tpm),
        ]
    });
    limits
        .filter_map(|(kind, value)| {
            Some(LimitValue {
                kind,
                value: value?,
            })
        })
        .collect()
}

/// The clusters of a channel alone, as far as they can be told: its endpoint's, to which its requests go where there are no
/// pools, and its pool if there is failover.
pub(crate) fn own_clusters(
    channel: &channel::Channel,
    settings: &Settings,
) -> Option<(String, Option<String>)> {
    let mut stand_in = channel.clone().with_credentials(filter::any_key());
    // The warning comes before somebody enables it.
    stand_in.enabled = true;
    let config = PluginConfig {
        channels: vec![stand_in],
        failover: settings.failover,
        ..PluginConfig::default()
    };
    let routes = Routes::compile(config).ok()?;
    let endpoint = routes.clusters().next()?.cluster.clone();
    let pool = pools(&routes).next().map(|own| own.name);
    Some((endpoint, pool))
}

/// The clusters that channels need, and would need if all were enabled.
///
/// # Errors
///
/// When what is stored does not compile.
pub(crate) fn foreseen(
    contents: &Contents,
    settings: &Settings,
) -> Result<BTreeSet<Cluster>, Vec<Fault>> {
    let mut enabled = contents.clone();
    for stored in &mut enabled.channels {
        stored.channel.enabled = true;
    }
    let of = |contents| explained(contents, settings, &BTreeSet::new());
    let now = clusters(&of(contents)?);
    // Those that are disabled may be unfinished.
    let later = of(&enabled).map(|routes| clusters(&routes));
    Ok(now.into_iter().chain(later.unwrap_or_default()).collect())
}

/// The clusters of all enabled channels, including those that will get credentials later; except where
/// Envoy itself signs, because it needs them.
fn clusters(served: &Routes) -> BTreeSet<Cluster> {
    let can_be_made = |own: &&CompiledChannel| {
        own.channel.signer == SignedBy::Filter || own.channel.credentials.are_there()
    };
    let mut clusters: BTreeSet<_> = served.clusters().filter(can_be_made).map(cluster).collect();
    // The others stay, because an Envoy may still run a configuration from before failover was turned
    // on.
    clusters.extend(pools(served));
    clusters
}

/// The clusters between which requests fail over.
fn pools(served: &Routes) -> impl Iterator<Item = Cluster> {
    let generation = served.failover().and_then(|failover| failover.generation);
    let pools = generation.map(|_| served.pools()).unwrap_or_default();
    pools.into_iter().filter_map(move |(name, channels)| {
        Some(Cluster {
            name,
            hosts: channels
                .iter()
                .map(|own| Host {
                    channel: Some(own.channel.name.clone()),
                    ..host(own)
                })
                .collect(),
            stage: generation,
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
        stage: None,
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
