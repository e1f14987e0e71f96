//! One xDS stream as a state machine without IO: requests and snapshots go in, responses come out.
//!
//! Rules, in the words of the xDS protocol:
//! - one response per type is in flight; the newest snapshot is sent once it is answered;
//! - a request with a nonce that is not the latest is stale and ignored;
//! - on a stream with both types, a plugin configuration is sent only after the clusters that it
//!   names were acknowledged, and clusters go away only after a plugin configuration that does not
//!   name them was acknowledged (make before break);
//! - what an Envoy refused is not sent again until something changes, with one exception: a plugin
//!   configuration whose module the Envoy fetches, because it is refused as long as the module is
//!   missing.
//!
//! A stream whose Envoy [keeps what it has](hold) is sent nothing.
//!
//! About that exception: an Envoy that is starting fetches the module and becomes ready with it. A
//! running one does not; it would acknowledge the configuration and pass requests by the filter. It
//! has to be told to refuse ([`WithoutModule`]): then it fetches in the background, and keeps the
//! old configuration until it is sent the new one again.

mod hold;
mod subscription;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::filter_code::ModuleDelivery;
use crate::fleet::Progress;
use crate::publish::{Cluster, Snapshot, UpstreamStage};
use hold::Brought;
use subscription::Subscription;

/// Longest reason of a refusal that is kept, in bytes.
const MAX_REASON_LEN: usize = 1000;

/// Refusals of one plugin configuration that are nothing but the module being fetched.
const EXPECTED_REFUSALS: u32 = 3;

/// A type of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Clusters (CDS).
    Clusters,
    /// The plugin configuration (ECDS).
    Plugin,
}

impl Kind {
    /// A word for metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Clusters => "clusters",
            Self::Plugin => "plugin",
        }
    }
}

/// A discovery request, as far as it matters here.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which type it is about.
    pub kind: Kind,
    /// Version that the Envoy has; empty when it has none.
    pub version: String,
    /// Nonce of the response that it answers; empty when it answers none.
    pub nonce: String,
    /// Whether it asks for a resource that there is.
    pub wanted: bool,
    /// Why the response was refused, when it was.
    pub error: Option<String>,
}

/// A discovery response, before it is encoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// Identifies the content.
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
    /// The plugin configuration of a snapshot.
    Plugin(Offered),
}

/// A plugin configuration as it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Offered {
    /// The snapshot that it is made of.
    pub snapshot: Arc<Snapshot>,
    /// What the Envoy shall do if it has to fetch the module.
    pub without_module: WithoutModule,
    /// How often it was refused before.
    pub refusals: u32,
}

/// What an Envoy does with a plugin configuration whose module it does not have yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutModule {
    /// Take it, and become ready when the module is there. Works in an Envoy that is starting.
    Wait,
    /// Refuse it, keep the one before and fetch the module in the background.
    Refuse,
}

/// How a request was understood; for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A new or changed subscription, or a request for the same again.
    Subscribed,
    /// Acknowledged this revision.
    Acknowledged(u64),
    /// Refused this revision for this reason.
    Rejected(u64, String),
    /// Did not take this revision yet; it is probably fetching the module.
    Deferred(u64),
    /// Outdated; ignored.
    Stale,
}

/// The state of one stream.
#[derive(Debug)]
pub struct Session {
    target: Arc<Snapshot>,
    clusters: Subscription<BTreeSet<Cluster>>,
    plugin: Subscription<Arc<Snapshot>>,
    module: ModuleDelivery,
    /// The Envoy came without a plugin configuration and has not answered to one.
    starting: bool,
    /// The Envoy took a plugin configuration for which it had no module yet.
    unconfirmed: bool,
    /// The Envoy came with the configuration of a revision that is not the current one.
    resumed: bool,
    brought: Brought,
    nonces: u64,
}

impl Session {
    /// A stream that has just been opened.
    #[must_use]
    pub fn new(target: Arc<Snapshot>, module: ModuleDelivery) -> Self {
        Self {
            target,
            module,
            starting: false,
            unconfirmed: false,
            clusters: Subscription::default(),
            plugin: Subscription::default(),
            resumed: false,
            brought: Brought::default(),
            nonces: 0,
        }
    }

    /// Takes a request.
    pub fn request(&mut self, request: &Request) -> Event {
        let reason = request.error.as_deref().map(|error| self.reason(error));
        self.brought.note(&request.version);
        match request.kind {
            Kind::Clusters => {
                let came_with_another = !request.version.is_empty()
                    && request.version != self.target.revision.to_string();
                if self.clusters.is_new() && came_with_another {
                    self.resumed = true;
                }
                self.clusters.request(request, reason)
            }
            Kind::Plugin => self.plugin_request(request, reason),
        }
    }

    fn plugin_request(&mut self, request: &Request, reason: Option<String>) -> Event {
        if self.plugin.is_new() {
            self.starting = request.version.is_empty();
        }
        let event = self.plugin.request(request, reason);
        if self.module == ModuleDelivery::Local {
            return event;
        }
        let answered = matches!(event, Event::Acknowledged(_) | Event::Rejected(..));
        let was_starting = answered && std::mem::take(&mut self.starting);
        match event {
            Event::Acknowledged(_) if was_starting => {
                // It took the configuration before it had the module, so this says little.
                self.unconfirmed = true;
                event
            }
            Event::Rejected(revision, _) if self.is_fetching() => Event::Deferred(revision),
            _ => event,
        }
    }

    /// Whether the latest refusal is what an Envoy that fetches the module says.
    fn is_fetching(&self) -> bool {
        self.module == ModuleDelivery::Fetched && self.plugin.refusals() <= EXPECTED_REFUSALS
    }

    /// Takes the newest snapshot.
    pub fn retarget(&mut self, target: Arc<Snapshot>) {
        self.target = target;
    }

    /// How often the latest plugin configuration was refused, if it shall be sent again; 0 when it
    /// was taken, but maybe without its module.
    #[must_use]
    pub fn refusals(&self) -> Option<u32> {
        let refusals = self.plugin.refusals();
        let refused = self.module == ModuleDelivery::Fetched && refusals > 0;
        (refused || self.unconfirmed).then_some(refusals)
    }

    /// Makes a plugin configuration due that shall be sent again.
    pub fn retry(&mut self) {
        if self.refusals().is_some() {
            self.plugin.repeat();
        }
    }

    /// Whether the Envoy keeps what it has, although that is not what is published.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.brought.outlives(&self.target)
    }

    /// What is to be sent now.
    pub fn advance(&mut self) -> Vec<Response> {
        if self.is_held() {
            return Vec::new();
        }
        let mut responses = Vec::new();
        let desired = self.desired_clusters();
        let version = self.clusters_version(&desired);
        let nonce = self.next_nonce();
        if self.clusters.offer(self.target.revision, &desired, &nonce) {
            responses.push(Response {
                version,
                nonce,
                body: Body::Clusters(desired),
            });
        }
        let nonce = self.next_nonce();
        let target = Arc::clone(&self.target);
        if self.plugin_may_go() && self.plugin.offer(target.revision, &target, &nonce) {
            self.unconfirmed = false;
            responses.push(Response {
                version: target.revision.to_string(),
                nonce,
                body: Body::Plugin(Offered {
                    snapshot: target,
                    without_module: self.without_module(),
                    refusals: self.plugin.refusals(),
                }),
            });
        }
        responses
    }

    /// What was acknowledged and refused so far.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let mut plugin = self.plugin.delivery();
        plugin.rejected = plugin.rejected.filter(|_| !self.is_fetching());
        Progress {
            plugin,
            clusters: self.clusters.delivery(),
            held: self.is_held(),
        }
    }

    /// The clusters of the target and those that the Envoy's plugin configuration may still name.
    fn desired_clusters(&self) -> BTreeSet<Cluster> {
        let mut desired = self.target.clusters.clone();
        for snapshot in self.plugin.live() {
            desired.extend(snapshot.clusters.iter().cloned());
        }
        if self.resumed && self.plugin.accepted().is_none() {
            desired.extend(self.target.retired.iter().cloned());
        }
        // Two revisions may describe one endpoint differently (by its region): the target wins.
        let mut names = BTreeSet::new();
        let (current, mut others): (Vec<_>, Vec<_>) = desired
            .into_iter()
            .partition(|cluster| self.target.clusters.contains(cluster));
        names.extend(current.iter().map(|cluster| cluster.name.clone()));
        others.retain(|cluster| names.insert(cluster.name.clone()));
        current.into_iter().chain(others).collect()
    }

    fn clusters_version(&self, desired: &BTreeSet<Cluster>) -> String {
        let revision = self.target.revision;
        if *desired == self.target.clusters {
            revision.to_string()
        } else {
            format!("{revision}.transition")
        }
    }

    /// Whether every cluster of the target is there to stay, as far as this stream can know.
    fn plugin_may_go(&self) -> bool {
        let clusters = &self.clusters;
        let complete = |set: &BTreeSet<Cluster>| set.is_superset(&self.target.clusters);
        // A cluster with the filter on it is not ready before it has the filter, and Envoy acknowledges
        // clusters only when all are: there the plugin configuration follows at once. Envoy takes one
        // after the other, so it knows the clusters first all the same.
        let wait_for_filter = self
            .target
            .clusters
            .iter()
            .any(|cluster| cluster.stage == UpstreamStage::Present);
        let delivered = match clusters.in_flight() {
            Some(sent) if wait_for_filter => complete(sent),
            _ => clusters.accepted().is_some() && clusters.live().all(complete),
        };
        !clusters.is_subscribed() || (delivered && !clusters.is_rejected())
    }

    fn without_module(&self) -> WithoutModule {
        if self.starting || self.module == ModuleDelivery::Local {
            WithoutModule::Wait
        } else {
            WithoutModule::Refuse
        }
    }

    fn next_nonce(&mut self) -> String {
        self.nonces += 1;
        self.nonces.to_string()
    }

    /// A refusal's reason without secrets, in one line of limited length. Envoy may quote the
    /// configuration that it refuses.
    fn reason(&self, error: &str) -> String {
        let mut reason = self.target.scrub(error);
        if let Some(sent) = self.plugin.in_flight() {
            reason = sent.scrub(&reason);
        }
        let mut reason = reason.replace(char::is_control, " ");
        reason.truncate(reason.floor_char_boundary(MAX_REASON_LEN));
        reason
    }
}

#[cfg(test)]
mod tests;
