//! What goes in and out of a session: discovery requests and responses before and after the wire.

use std::collections::BTreeSet;
use std::sync::Arc;

use bedrock_filter::config::Generation;

use crate::cluster::Cluster;
use crate::publish::Snapshot;

/// A type of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Clusters (CDS).
    Clusters,
    /// The filter with its configuration (ECDS).
    Filters,
}

impl Kind {
    /// A word for metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Clusters => "clusters",
            Self::Filters => "plugin",
        }
    }
}

/// A discovery request, as far as it matters here.
#[derive(Clone, Debug)]
pub struct Request {
    /// Version that the Envoy has; empty when it has none.
    pub version: String,
    /// Nonce of the response that it answers; empty when it answers none.
    pub nonce: String,
    /// Why the response was refused, when it was.
    pub error: Option<String>,
    /// What it asks for.
    pub wanted: Wanted,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All clusters; there is no other subscription to them.
    Clusters,
    /// Filters by name.
    Filters {
        /// The listeners' one, with the plugin configuration.
        plugin: bool,
        /// Those of pools.
        stages: BTreeSet<Generation>,
    },
}

impl Wanted {
    /// Which type it is about.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Clusters => Kind::Clusters,
            Self::Filters { .. } => Kind::Filters,
        }
    }
}

/// A discovery response, before it is encoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// What the Envoy has of this type when it takes the response.
    pub version: String,
    /// Identifies the response.
    pub nonce: String,
    /// The resources.
    pub body: Body,
}

/// The resources of a response.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// All clusters.
    Clusters(BTreeSet<Cluster>),
    /// One filter.
    Filter(Filter),
}

/// A filter as it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// Where it stands.
    pub place: Place,
    /// What the Envoy does if it has to fetch the module.
    pub without_module: WithoutModule,
    /// Differs from what the Envoy refused before: it takes the very bytes that it refused last for known,
    /// and does nothing.
    pub variant: u32,
}

/// Where a filter stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// On listeners, with the plugin configuration of a snapshot.
    Listener(Arc<Snapshot>),
    /// On the pools of this module's generation.
    Pools(Generation),
    /// On pools of another module. It has no content, so that Envoy refuses it and keeps what it has.
    Earlier(Generation),
}

/// What an Envoy does with a filter whose module it does not have yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutModule {
    /// Take it, and become ready when the module is there. Works in an Envoy that is starting.
    Wait,
    /// Refuse it, keep the one before and fetch the module in the background.
    Refuse,
}

/// How a request was understood; for log and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A new or changed subscription, or a request for the same again.
    Subscribed,
    /// Acknowledged what was sent for this revision.
    Acknowledged(u64),
    /// The plugin configuration of this revision is acknowledged, and in force.
    Activated(u64),
    /// Refused what was sent for this revision.
    Rejected {
        /// The revision.
        revision: u64,
        /// Why, in the Envoy's words.
        reason: String,
        /// How often it was refused in a row.
        times: u32,
    },
    /// Did not take what was sent for this revision yet; it is probably fetching the module.
    Deferred(u64),
    /// Outdated; ignored.
    Stale,
}
