//! A simulated Envoy, which behaves like real ones as far as xDS is concerned:
//!
//! - a cluster is active once its name is resolved and its filter was answered, whether accepted or not; a
//!   running Envoy sends nothing about clusters while one is not active;
//! - a filter is one subscription for all clusters that name it; a new cluster gets what came last, refused
//!   or not, and the same bytes once more are ignored; one of another type changes nothing;
//! - a refusal of one filter counts as an answer for all that are requested;
//! - a missing module is fetched, and the filter refused meanwhile; a filter whose key the Envoy lacks is
//!   always refused;
//! - the listener asks for its filter once the first clusters are ready;
//! - valid clusters in a refused set are accepted, and clusters missing from it are removed nevertheless;
//! - a filter is requested until the last cluster that names it is gone, or until requests on it have
//!   ended;
//! - versions survive a stream, nonces do not.
//!
//! <https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol>, and `config_discovery_impl.cc`,
//! `cluster_manager_impl.cc` and `grpc_mux_impl.cc` of Envoy.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bedrock_filter::config::Generation;

use super::super::{Body, Filter, Place, Request, Response, Wanted, WithoutModule};
use crate::cluster::Cluster;
use crate::filter_code::ModuleDelivery;

/// A filter as it arrived.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sent {
    filter: Filter,
    /// The module that it names.
    pub(super) module: Generation,
    /// The key that opens it.
    pub(super) key: u8,
}

impl Sent {
    /// The plugin configuration's clusters.
    pub(super) fn named(&self) -> BTreeSet<Cluster> {
        match &self.filter.place {
            Place::Listener(snapshot) | Place::Alone(snapshot) => snapshot.clusters.clone(),
            Place::Pools(_) | Place::Earlier(_) => BTreeSet::new(),
        }
    }

    /// The plugin configuration's revision.
    pub(super) fn revision(&self) -> u64 {
        match &self.filter.place {
            Place::Listener(snapshot) | Place::Alone(snapshot) => snapshot.revision,
            Place::Pools(_) | Place::Earlier(_) => 0,
        }
    }
}

/// A user of a filter: the listener, or pools.
type Name = Option<Generation>;

#[derive(Debug, Default)]
struct Subscription {
    last: Option<Sent>,
    applied: Option<Sent>,
    /// Whether it has been answered at all.
    is_ready: bool,
}

#[derive(Debug)]
struct Warming {
    cluster: Cluster,
    is_resolved: bool,
}

impl Warming {
    /// Whether its name still has to be resolved, and can be.
    fn waits_for_name(&self, unresolved: Option<&String>) -> bool {
        let host = self.cluster.hosts.first().map(|host| &host.host);
        !self.is_resolved && (unresolved.is_none() || host != unresolved)
    }
}

/// What currently goes wrong.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// Filters are refused although their module is present: the listener's, and the pools'.
    pub(super) refuses_plugin: bool,
    pub(super) refuses_stages: bool,
    /// The cluster with this host is refused.
    pub(super) refuses_host: Option<String>,
    /// This host's name cannot be resolved.
    pub(super) unresolved: Option<String>,
    /// Requests keep filters alive whose clusters are gone.
    pub(super) requests_go_on: bool,
    /// The module cannot be fetched.
    pub(super) fetches_fail: bool,
}

#[derive(Debug, Default)]
pub(super) struct Envoy {
    pub(super) faults: Faults,
    /// How it gets modules.
    delivery: Option<ModuleDelivery>,
    /// The keys in its environment.
    pub(super) keys: BTreeSet<u8>,
    /// Whether the first clusters have been ready.
    is_running: bool,
    pub(super) active: BTreeMap<String, Cluster>,
    warming: BTreeMap<String, Warming>,
    filters: BTreeMap<Name, Subscription>,
    modules: BTreeSet<Generation>,
    pub(super) fetching: BTreeSet<Generation>,
    versions: [String; 2],
    nonces: [String; 2],
    /// A request about clusters that is held back.
    held: Option<Option<String>>,
    pub(super) inbox: VecDeque<(Response, Generation, u8)>,
    pub(super) outbox: VecDeque<Request>,
    is_connected: bool,
    /// Whether another version of an existing cluster was refused, so that nothing is promised about it
    /// for now.
    pub(super) has_refused_clusters: bool,
}

const CLUSTERS: usize = 0;
const FILTERS: usize = 1;

impl Envoy {
    /// A process that has just started.
    pub(super) fn new(delivery: ModuleDelivery, keys: BTreeSet<u8>) -> Self {
        Self {
            delivery: Some(delivery),
            keys,
            ..Self::default()
        }
    }

    /// The filter of the listener that is in force.
    pub(super) fn listener(&self) -> Option<&Sent> {
        self.filters.get(&None)?.applied.as_ref()
    }

    /// The filter of a generation's pools that is in force.
    pub(super) fn stage(&self, generation: Generation) -> Option<&Sent> {
        self.filters.get(&Some(generation))?.applied.as_ref()
    }

    /// Whether it is waiting for names to be resolved.
    pub(super) fn resolves(&self) -> bool {
        let unresolved = self.faults.unresolved.as_ref();
        let mut warming = self.warming.values();
        warming.any(|warming| warming.waits_for_name(unresolved))
    }

    pub(super) fn connect(&mut self) {
        self.is_connected = true;
        self.nonces = Default::default();
        self.held = None;
        self.ask_for_clusters(None);
        if !self.filters.is_empty() {
            self.ask_for_filters(None);
        }
    }

    pub(super) fn disconnect(&mut self) {
        self.is_connected = false;
        self.inbox.clear();
        self.outbox.clear();
    }

    /// Handles the next response.
    pub(super) fn receive(&mut self) {
        let Some((response, module, key)) = self.inbox.pop_front() else {
            return;
        };
        match response.body {
            Body::Clusters(clusters) => {
                self.nonces[CLUSTERS] = response.nonce;
                let refused = self.take_clusters(&clusters);
                if refused.is_none() {
                    self.versions[CLUSTERS] = response.version;
                }
                self.ask_for_clusters(refused);
                self.settle();
            }
            Body::Filter(filter) => {
                self.nonces[FILTERS] = response.nonce;
                let refused = self.take_filter(Sent {
                    filter,
                    module,
                    key,
                });
                if refused.is_none() {
                    self.versions[FILTERS] = response.version;
                }
                self.ask_for_filters(refused);
                self.settle();
            }
        }
    }

    /// A name is resolved.
    pub(super) fn resolve(&mut self) {
        let unresolved = self.faults.unresolved.as_ref();
        let mut left = self.warming.values_mut();
        if let Some(warming) = left.find(|it| it.waits_for_name(unresolved)) {
            warming.is_resolved = true;
        }
        self.settle();
    }

    /// A fetch ends; `served` is the module that the service has.
    pub(super) fn end_fetch(&mut self, served: Generation) {
        let Some(module) = self.fetching.pop_first() else {
            return;
        };
        if module == served && !self.faults.fetches_fail {
            self.modules.insert(module);
        }
    }

    fn take_clusters(&mut self, clusters: &BTreeSet<Cluster>) -> Option<String> {
        let subscribed: BTreeSet<_> = self.filters.keys().copied().collect();
        let names: BTreeSet<_> = clusters.iter().map(|cluster| &cluster.name).collect();
        self.active.retain(|name, _| names.contains(name));
        self.warming.retain(|name, _| names.contains(name));
        let mut refused = Vec::new();
        for cluster in clusters {
            if let Some(reason) = self.take_cluster(cluster) {
                self.has_refused_clusters |= self.active.contains_key(&cluster.name);
                refused.push(format!("{}: {reason}", cluster.name));
            }
        }
        self.drop_unused_filters();
        if !self.filters.keys().copied().eq(subscribed) {
            self.ask_for_filters(None);
        }
        let reasons = refused.join(", ");
        (!refused.is_empty()).then(|| format!("Error adding/updating cluster(s) {reasons}"))
    }

    /// Requests that kept filters alive end.
    pub(super) fn end_requests(&mut self) {
        self.faults.requests_go_on = false;
        let subscribed = self.filters.len();
        self.drop_unused_filters();
        if self.filters.len() < subscribed {
            self.ask_for_filters(None);
        }
    }

    fn drop_unused_filters(&mut self) {
        if self.faults.requests_go_on {
            return;
        }
        let used: BTreeSet<_> = self
            .clusters()
            .filter_map(|cluster| cluster.stage)
            .collect();
        let is_used = |name: &Name| name.is_none_or(|generation| used.contains(&generation));
        self.filters.retain(|name, _| is_used(name));
    }

    fn take_cluster(&mut self, cluster: &Cluster) -> Option<String> {
        let name = &cluster.name;
        let newest = self.warming.get(name).map(|warming| &warming.cluster);
        if newest.or(self.active.get(name)) == Some(cluster) {
            return None;
        }
        let host = cluster.hosts.first().map(|host| host.host.clone());
        if host.is_some() && host == self.faults.refuses_host {
            return Some("bad".to_owned());
        }
        if let Some(generation) = cluster.stage {
            let last = self
                .filters
                .get(&Some(generation))
                .and_then(|it| it.last.clone());
            let refused = last.and_then(|sent| self.make(&sent).err());
            if refused.is_some() {
                return refused;
            }
            self.filters.entry(Some(generation)).or_default();
        }
        let warming = Warming {
            cluster: cluster.clone(),
            is_resolved: cluster.hosts.is_empty(),
        };
        self.warming.insert(name.clone(), warming);
        None
    }

    fn take_filter(&mut self, sent: Sent) -> Option<String> {
        let name = match sent.filter.place {
            Place::Listener(_) | Place::Alone(_) => None,
            Place::Pools(generation) | Place::Earlier(generation) => Some(generation),
        };
        let subscription = self.filters.get_mut(&name)?;
        if subscription.last.as_ref() == Some(&sent) {
            return None;
        }
        let made = if let Place::Earlier(_) = sent.filter.place {
            // Refused for its type, before anything is touched.
            Err("type".to_owned())
        } else {
            subscription.last = Some(sent.clone());
            self.make(&sent)
        };
        match made {
            Ok(()) => {
                let subscription = self.filters.get_mut(&name)?;
                subscription.is_ready = true;
                subscription.applied = Some(sent);
                None
            }
            Err(reason) => {
                for subscription in self.filters.values_mut() {
                    subscription.is_ready = true;
                }
                Some(reason)
            }
        }
    }

    /// Creates a filter.
    fn make(&mut self, sent: &Sent) -> Result<(), String> {
        let is_local = self.delivery == Some(ModuleDelivery::Local);
        let waits = sent.filter.without_module == WithoutModule::Wait;
        assert_eq!(waits, is_local, "requests would bypass it");
        if !is_local && !self.modules.contains(&sent.module) {
            self.fetching.insert(sent.module);
            return Err("no module".to_owned());
        }
        let refuses = match sent.filter.place {
            Place::Listener(_) | Place::Alone(_) => self.faults.refuses_plugin,
            Place::Pools(_) | Place::Earlier(_) => self.faults.refuses_stages,
        };
        if refuses || !self.keys.contains(&sent.key) {
            return Err("refused".to_owned());
        }
        Ok(())
    }

    fn clusters(&self) -> impl Iterator<Item = &Cluster> {
        let warming = self.warming.values().map(|warming| &warming.cluster);
        self.active.values().chain(warming)
    }

    /// Activates clusters that are ready, and does what was waiting for that.
    fn settle(&mut self) {
        let filters = &self.filters;
        let is_ready = |warming: &Warming| {
            let filter = warming.cluster.stage.map(|own| filters.get(&Some(own)));
            warming.is_resolved && filter.is_none_or(|own| own.is_some_and(|own| own.is_ready))
        };
        let ready = self.warming.iter().filter(|(_, warming)| is_ready(warming));
        let ready: Vec<_> = ready.map(|(name, _)| name.clone()).collect();
        for name in ready {
            if let Some(warming) = self.warming.remove(&name) {
                self.active.insert(name, warming.cluster);
            }
        }
        if !self.warming.is_empty() || self.versions[CLUSTERS].is_empty() {
            return;
        }
        if !self.is_running {
            self.is_running = true;
            self.filters.insert(None, Subscription::default());
            self.ask_for_filters(None);
        }
        if let Some(error) = self.held.take() {
            self.ask_for_clusters(error);
        }
    }

    fn ask_for_clusters(&mut self, error: Option<String>) {
        if self.is_running && !self.warming.is_empty() {
            self.held = Some(error);
            return;
        }
        self.send(CLUSTERS, Wanted::Clusters, error);
    }

    fn ask_for_filters(&mut self, error: Option<String>) {
        let wanted = Wanted::Filters {
            plugin: self.filters.contains_key(&None),
            stages: self.filters.keys().copied().flatten().collect(),
        };
        self.send(FILTERS, wanted, error);
    }

    fn send(&mut self, kind: usize, wanted: Wanted, error: Option<String>) {
        if self.is_connected {
            self.outbox.push_back(Request {
                version: self.versions[kind].clone(),
                nonce: self.nonces[kind].clone(),
                error,
                wanted,
            });
        }
    }
}
