//! The input and output of a session: discovery requests after decoding, and responses before
//! encoding.

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
    /// Its name in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Clusters => "clusters",
            Self::Filters => "plugin",
        }
    }
}

/// A discovery request, with only what matters here.
#[derive(Clone, Debug)]
pub struct Request {
    /// Version that the Envoy has; empty if it has none.
    pub version: String,
    /// Nonce of the response that it answers; empty if it answers none.
    pub nonce: String,
    /// Why the response was refused, if it was.
    pub error: Option<String>,
    /// What it asks for.
    pub wanted: Wanted,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All clusters; they cannot be subscribed to individually.
    Clusters,
    /// Filters by name.
    Filters {
        /// The listeners' filter, with the plugin configuration.
        plugin: bool,
        /// The pools' filters.
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
    /// What the Envoy has of this type once it accepts the response.
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

/// A filter as sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// Where it is installed.
    pub place: Place,
    /// What the Envoy does if it must fetch the module.
    pub without_module: WithoutModule,
    /// Makes it differ from what the Envoy refused before: it would ignore exactly the same
    /// bytes again.
    pub variant: u32,
}

/// Where a filter is installed.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// On listeners, with a snapshot's plugin configuration.
    Listener(Arc<Snapshot>),
    /// The same on those of an Envoy without the pools, where requests do not fail over.
    Alone(Arc<Snapshot>),
    /// On the pools of this module's generation.
    Pools(Generation),
    /// On another module's pools. It has no content, so that Envoy refuses it and keeps what
    /// it has.
    Earlier(Generation),
}

/// What an Envoy does with a filter whose module it does not have yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutModule {
    /// Accept it, and become ready once the module has arrived. Works in an Envoy that is
    /// starting.
    Wait,
    /// Refuse it, keep the previous one and fetch the module in the background.
    Refuse,
}

/// What a request meant; for log and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A new, changed or repeated subscription.
    Subscribed,
    /// It acknowledged what was sent for this revision.
    Acknowledged(u64),
    /// The plugin configuration of this revision is acknowledged, and in force.
    Activated(u64),
    /// It refused what was sent for this revision.
    Rejected {
        /// The revision.
        revision: u64,
        /// Why, in the Envoy's words.
        reason: String,
        /// How often it was refused in a row.
        times: u32,
    },
    /// It has not accepted what was sent for this revision yet; it is probably fetching the
    /// module.
    Deferred(u64),
    /// Outdated; ignored.
    Stale,
}
