//! One xDS stream as a state machine without IO: requests, snapshots and the time go in; responses come out.
//!
//! There are three kinds of resources, each with its own state ([`resource::Resource`]); at most one response of
//! each type is in flight ([`lane::Lane`]). Before a resource is sent, this must be true:
//!
//! | resource | is sent when |
//! |---|---|
//! | clusters | the Envoy has their pools' filter, or does not ask for it yet |
//! | the pools' filter | always, once on each stream: clusters wait for it, and it waits for nothing |
//! | the listeners' filter, with the plugin configuration | every cluster that it names is acknowledged, and so
//! is their pools' filter; where clusters come [from elsewhere](elsewhere), if another stream has that filter |
//!
//! So there is no circular wait, and an edit makes before it breaks: new clusters, their filter, the plugin
//! configuration. Clusters that an edit leaves behind stay for a while ([`left_behind`]).
//!
//! The version that an Envoy brings from an earlier stream says what it accepted then, not that it still has it:
//! listeners and clusters come and go together with their subscriptions, but the version stays. So everything is
//! offered once on each stream. The filter for another module's pools, which only requests in progress need, is
//! no longer available. It is [offered empty](Place::Earlier), which Envoy refuses: it keeps the filter that it
//! has, and a cluster without one becomes ready instead of holding up every later cluster.
//!
//! A stream whose Envoy [keeps what it has](hold) is sent nothing.
//!
//! What an Envoy refuses is sent again at growing intervals, so that a cause that goes away needs no edit. An
//! Envoy that lacks the module also refuses, fetches the module meanwhile, and keeps what it had. Only an Envoy
//! that is starting and gets nothing but the plugin configuration from here is told to wait for the module
//! ([`WithoutModule`]), because it would open its listeners after a refusal.

mod answers;
mod elsewhere;
mod hold;
mod lane;
mod left_behind;
mod message;
mod progress;
mod resource;
mod version;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bedrock_filter::config::Generation;

use crate::cluster::Cluster;
use crate::filter_code::ModuleDelivery;
use crate::publish::{self, Snapshot};
use elsewhere::Elsewhere;
use hold::Brought;
use lane::Lane;
use left_behind::LeftBehind;
use resource::Resource;
use version::{Content, Plugin};

pub use elsewhere::Lack;
pub use message::{Body, Event, Filter, Kind, Place, Request, Response, Wanted, WithoutModule};

/// What is the same for every session of a process.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Which module Envoys are to run.
    pub generation: Generation,
    /// How they get it.
    pub delivery: ModuleDelivery,
    /// Identifies the module, where it comes from, and the key that it is tested with.
    pub stage_digest: String,
    /// How long to keep clusters that no plugin configuration names any more.
    pub drain_time: Duration,
}

/// The state of one stream.
#[derive(Debug)]
pub struct Session {
    terms: Terms,
    /// The stream's type of resource, if it is for a single one.
    only: Option<Kind>,
    target: Arc<Snapshot>,
    /// The target's clusters, and the one that carries the pools' filter if there are no pools.
    target_clusters: BTreeSet<Cluster>,
    /// Identifies the target's plugin configuration.
    plugin_content: Content,
    left_behind: LeftBehind,
    cds: Lane<()>,
    clusters: Resource<BTreeSet<Cluster>>,
    /// Revisions whose clusters were sent and accepted.
    clusters_sent_for: u64,
    clusters_taken_for: Option<u64>,
    ecds: Lane<Offered>,
    /// The plugin configuration that the Envoy accepted on earlier streams.
    brought: Plugin,
    /// The latest revision that it has reported.
    told: Brought,
    plugin: Option<Resource<Content>>,
    /// The pools' filters that the Envoy asks for. The content of each stays the same for the whole stream.
    stages: BTreeMap<Generation, Resource<()>>,
    /// The pools' filter on another stream.
    elsewhere: Elsewhere,
    /// The snapshot that was sent last, whose secrets an answer may quote.
    sent: Option<Arc<Snapshot>>,
    variant: u32,
    nonces: u64,
}

/// The filter that a response is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Offered {
    Plugin(WithoutModule),
    Stage(Generation),
}

impl Session {
    /// A stream that has just been opened; `only` is its type of resource, if it is for a single one.
    ///
    /// `variant` is a number that no other recent stream has: see [`Filter::variant`].
    #[must_use]
    pub fn new(terms: Terms, only: Option<Kind>, target: Arc<Snapshot>, variant: u32) -> Self {
        Self {
            target_clusters: target_clusters(&target, &terms, only),
            plugin_content: plugin_content(&target, &terms),
            terms,
            only,
            target,
            left_behind: LeftBehind::default(),
            cds: Lane::Closed,
            clusters: Resource::new(None),
            clusters_sent_for: 0,
            clusters_taken_for: None,
            ecds: Lane::Closed,
            brought: Plugin::default(),
            told: Brought::default(),
            plugin: None,
            stages: BTreeMap::new(),
            elsewhere: Elsewhere::default(),
            sent: None,
            variant,
            nonces: 0,
        }
    }

    /// Takes the latest snapshot.
    pub fn retarget(&mut self, target: Arc<Snapshot>) {
        let clusters = target_clusters(&target, &self.terms, self.only);
        for cluster in &clusters {
            self.left_behind.forget(&cluster.name);
        }
        let names: BTreeSet<_> = clusters.iter().map(|cluster| &cluster.name).collect();
        let is_sent = |cluster: &&Cluster| {
            let mut sets = self
                .clusters
                .taken()
                .into_iter()
                .chain(self.clusters.offered());
            sets.any(|set| set.contains(*cluster))
        };
        for cluster in self.target_clusters.iter().filter(is_sent) {
            if !names.contains(&cluster.name) {
                self.left_behind.keep(cluster);
            }
        }
        self.plugin_content = plugin_content(&target, &self.terms);
        self.target_clusters = clusters;
        self.target = target;
    }

    /// Whether the Envoy keeps what it has, although that is not what is published.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.told.outlives(&self.target)
    }

    /// What to send now.
    pub fn advance(&mut self, now: Instant) -> Vec<Response> {
        if self.is_held() {
            return Vec::new();
        }
        if self.nobody_needs_what_is_left() {
            self.left_behind.drain(now, self.terms.drain_time);
        }
        self.left_behind.expire(now);
        let clusters = self.offer_clusters(now);
        clusters.into_iter().chain(self.offer_filter(now)).collect()
    }

    /// When [`Self::advance`] will have something to do even if nothing arrives.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Instant> {
        if self.is_held() {
            return None;
        }
        // A resource that waits for something else is checked when that arrives.
        let clusters = self.clusters.wakes_at().filter(|_| self.clusters_may_go());
        let plugin = self.plugin.as_ref().filter(|_| self.plugin_may_go());
        let stages = self.stages.values().filter_map(Resource::wakes_at);
        let filters = stages.chain(plugin.and_then(Resource::wakes_at));
        let filters = filters.min().filter(|_| self.ecds.is_idle());
        let others = self.left_behind.wakes_at().into_iter();
        let others = others.chain(self.awaits_pools_until());
        clusters.into_iter().chain(filters).chain(others).min()
    }

    fn offer_clusters(&mut self, now: Instant) -> Option<Response> {
        let desired = self.desired_clusters();
        if self.clusters.is_settled_at(&desired) {
            self.clusters_taken_for = Some(self.target.revision);
        }
        if !self.clusters_may_go() || !self.clusters.is_due(&desired, now) {
            return None;
        }
        let (version, nonce) = (self.clusters_version(&desired), self.next_nonce());
        self.cds.respond(&nonce, ());
        self.clusters.offer(desired.clone());
        self.clusters_sent_for = self.target.revision;
        Some(Response {
            version,
            nonce,
            body: Body::Clusters(desired),
        })
    }

    fn offer_filter(&mut self, now: Instant) -> Option<Response> {
        if !self.ecds.is_idle() {
            return None;
        }
        let offered = self.due_filter(now)?;
        let nonce = self.next_nonce();
        let mut taken = self.taken_plugin();
        let (place, without_module) = match offered {
            Offered::Plugin(without_module) => {
                let content = self.plugin_content.clone();
                taken.is_confirmed = without_module == WithoutModule::Refuse || self.is_local();
                taken.content = Some(content.clone());
                self.plugin.as_mut()?.offer(content);
                self.sent = Some(Arc::clone(&self.target));
                (self.listener(), without_module)
            }
            Offered::Stage(generation) => {
                self.stages.get_mut(&generation)?.offer(());
                let place = if generation == self.terms.generation {
                    Place::Pools(generation)
                } else {
                    Place::Earlier(generation)
                };
                (place, self.unless_local())
            }
        };
        self.ecds.respond(&nonce, offered);
        Some(Response {
            version: taken.to_string(),
            nonce,
            body: Body::Filter(Filter {
                place,
                without_module,
                variant: self.variant,
            }),
        })
    }

    /// The filter to send next, first those that clusters wait for.
    fn due_filter(&self, now: Instant) -> Option<Offered> {
        let due = self
            .stages
            .iter()
            .filter(|(_, stage)| stage.is_due(&(), now));
        // The current one first, because a refusal of any filter releases the clusters and the listener that
        // wait for others.
        let due = due.min_by_key(|(generation, _)| **generation != self.terms.generation);
        if let Some((generation, _)) = due {
            return Some(Offered::Stage(*generation));
        }
        let plugin = self.plugin.as_ref()?;
        let is_due = self.plugin_may_go() && plugin.is_due(&self.plugin_content, now);
        is_due.then(|| Offered::Plugin(self.plugin_without_module()))
    }

    /// The target's clusters and those that stay for a while. Two revisions may describe the same endpoint
    /// differently (by its region); then the target takes precedence.
    fn desired_clusters(&self) -> BTreeSet<Cluster> {
        let left_behind = self.left_behind.iter().cloned();
        self.target_clusters
            .iter()
            .cloned()
            .chain(left_behind)
            .collect()
    }

    fn clusters_version(&self, clusters: &BTreeSet<Cluster>) -> String {
        let digest = publish::digest(clusters);
        Content {
            revision: self.target.revision,
            digest,
        }
        .to_string()
    }

    /// Whether no plugin configuration names what is left behind.
    fn nobody_needs_what_is_left(&self) -> bool {
        match &self.plugin {
            Some(plugin) => plugin.is_settled_at(&self.plugin_content),
            // An Envoy that so far asks only for clusters asks for nothing else until it has accepted them.
            None => self.clusters.taken().is_some() && !self.ecds.is_open(),
        }
    }

    /// Whether this stream also carries clusters. An Envoy whose clusters are not ready asks for them only
    /// later, but already for their pools' filter.
    fn has_clusters(&self) -> bool {
        self.only.is_none() && (self.cds.is_open() || !self.stages.is_empty())
    }

    /// Whether clusters can be sent. New pools' clusters would use the very filter that the Envoy could not
    /// create yet.
    fn clusters_may_go(&self) -> bool {
        self.cds.is_idle() && (self.current_stage().is_none() || self.stage_is_there())
    }

    /// Whether the Envoy has everything that the plugin configuration names, as far as this stream can know.
    fn plugin_may_go(&self) -> bool {
        if self.has_clusters() {
            self.clusters_are_there() && self.stage_is_there()
        } else {
            !self.awaits_pools()
        }
    }

    /// Whether the Envoy has every cluster of the target, and keeps them.
    fn clusters_are_there(&self) -> bool {
        let is_complete = |set: &BTreeSet<Cluster>| set.is_superset(&self.target_clusters);
        self.clusters.taken().is_some_and(is_complete)
            && self.clusters.offered().is_none_or(is_complete)
            && self.clusters.refusal().is_none()
    }

    /// The pools' filter, if the Envoy asks for it.
    fn current_stage(&self) -> Option<&Resource<()>> {
        self.stages.get(&self.terms.generation)
    }

    /// Whether the Envoy has the pools' filter.
    fn stage_is_there(&self) -> bool {
        let stage = self.current_stage();
        stage.is_some_and(|stage| stage.taken().is_some() && stage.refusal().is_none())
    }

    /// The plugin configuration that the Envoy has accepted.
    fn taken_plugin(&self) -> Plugin {
        let plugin = self.plugin.as_ref();
        Plugin {
            content: plugin.and_then(|plugin| plugin.taken().cloned()),
            is_confirmed: true,
        }
    }

    fn plugin_without_module(&self) -> WithoutModule {
        let is_running = |plugin: &Resource<_>| plugin.taken().is_some() || plugin.is_answered();
        if self.has_clusters() || self.plugin.as_ref().is_some_and(is_running) {
            self.unless_local()
        } else {
            WithoutModule::Wait
        }
    }

    fn unless_local(&self) -> WithoutModule {
        if self.is_local() {
            WithoutModule::Wait
        } else {
            WithoutModule::Refuse
        }
    }

    fn is_local(&self) -> bool {
        self.terms.delivery == ModuleDelivery::Local
    }

    fn next_nonce(&mut self) -> String {
        self.nonces += 1;
        self.nonces.to_string()
    }
}

/// The content of a snapshot under these terms: its own, with this module.
fn plugin_content(target: &Snapshot, terms: &Terms) -> Content {
    Content {
        revision: target.revision,
        digest: format!("{}.{}", target.digest, terms.stage_digest),
    }
}

fn target_clusters(target: &Snapshot, terms: &Terms, only: Option<Kind>) -> BTreeSet<Cluster> {
    let mut clusters = target.clusters.clone();
    if only.is_none() {
        clusters.insert(Cluster::carrier(terms.generation));
    }
    clusters
}

#[cfg(test)]
mod tests;
