//! Manifests for Istio: an `EnvoyFilter` from `envoy/istio.yaml`, and what belongs to it.
//!
//! Not a `WasmPlugin`, because Istio sets no `allow_on_headers_stop_iteration` from that
//! (<https://github.com/istio/istio/blob/master/pilot/pkg/model/extensions.go>), and without it
//! Envoy never passes on the body of a request that is held back.

mod accepted;
mod bootstrap;
mod clusters;
mod document;
mod limits;
mod listener;
mod mesh;
mod notes;
mod parts;
mod plan;
mod plugin;
mod routes;
mod source;
mod target;

use std::collections::BTreeSet;

use bedrock_filter::config::PluginConfig;
use serde_json::{Value, json};

use super::ExportError;
use crate::cluster::{Cluster, short_name};
use crate::fleet::NO_CLUSTERS;
use crate::publish::Snapshot;
use crate::xds::Resources;
use document::{list, put, remove, set};
use plan::{Way, Workload, is_address};
use target::Context;

pub(super) use notes::MAX_OBJECT_BYTES;
pub use plan::Plan;
pub use target::{InvalidTarget, Target};

const TEMPLATE: &str = include_str!("../../../envoy/istio.yaml");

/// How many clusters one header lists. Envoy accepts values of up to 16,384 bytes
/// (<https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/base.proto#config-core-v3-headervalue>).
const MAX_LISTED: usize = 1_000;

/// The channels that a manifest is for.
#[derive(Debug)]
pub struct Channels<'s> {
    /// What is published, or a copy of it.
    snapshot: &'s Snapshot,
    /// The clusters for them.
    clusters: BTreeSet<Cluster>,
    /// How many of these no channel needs any more.
    left: usize,
}

impl<'s> Channels<'s> {
    /// The channels of a snapshot, with further clusters that they may need later, and those that they have left.
    #[must_use]
    pub fn new(
        snapshot: &'s Snapshot,
        later: BTreeSet<Cluster>,
        left: Vec<Cluster>,
        plan: &Plan,
    ) -> Self {
        let all = snapshot.clusters.iter().cloned().chain(later);
        let all = all.chain(plan.in_advance.iter().cloned());
        // A channel's own cluster knows more than one in advance.
        let mut names = BTreeSet::new();
        let clusters = all.filter(|own| names.insert(own.name.clone())).collect();
        let mut channels = Self {
            snapshot,
            clusters,
            left: 0,
        };
        channels.keep(left, plan);
        let other = plan.other.as_ref().map(|own| own.generation);
        let pools = channels.clusters.iter().filter(|own| own.stage.is_some());
        let others: Vec<_> = pools.filter_map(|own| own.copied(other)).collect();
        channels.clusters.extend(others);
        channels
    }

    /// Adds clusters that no channel needs any more; in Istio's routes, which go by names alone, only those that do not get
    /// into the way of others.
    fn keep(&mut self, left: Vec<Cluster>, plan: &Plan) {
        for cluster in left {
            let host = cluster.hosts.first().map(|own| own.host.as_str());
            let is_in_the_way = match plan.way {
                Way::Clusters => self.clusters.iter().any(|own| own.name == cluster.name),
                Way::Routes(_) => {
                    host.is_none_or(|host| is_address(host) || self.endpoints().contains(host))
                }
            };
            if !is_in_the_way {
                self.left += usize::from(self.clusters.insert(cluster));
            }
        }
    }

    /// Whether requests fail over.
    fn have_pools(&self) -> bool {
        self.clusters.iter().any(|own| own.stage.is_some())
    }

    /// The endpoints' hosts, each once.
    fn endpoints(&self) -> BTreeSet<&str> {
        let hosts = self.clusters.iter().flat_map(|own| own.hosts.first());
        hosts.map(|own| own.host.as_str()).collect()
    }

    /// The names of the clusters, each as short as a gRPC header needs it, in as many lists as headers. Never none: Envoy
    /// sends no header without a value, and one without this header would count as one that gets its clusters from this
    /// service.
    fn short_names(&self) -> Vec<String> {
        if self.clusters.is_empty() {
            return vec![NO_CLUSTERS.to_owned()];
        }
        let names = self.clusters.iter().map(|own| short_name(&own.name));
        let names: Vec<_> = names.collect();
        let lists = names.chunks(MAX_LISTED);
        lists.map(|names| names.join(",")).collect()
    }
}

/// The manifest in YAML.
///
/// # Errors
///
/// When the template lacks a part, or the result would be too large.
pub(super) fn manifest(
    channels: &Channels<'_>,
    plan: &Plan,
    resources: &Resources,
) -> Result<String, ExportError> {
    let filter = envoy_filter(channels, plan, resources)?;
    let mut documents = parts::split(filter, plan, MAX_OBJECT_BYTES)?;
    let filters = documents.len();
    documents.extend(bootstrap::config_map(plan)?);
    if let Way::Routes(parents) = &plan.way {
        documents.extend(mesh::documents(channels, plan, parents)?);
    }
    let mut text = String::new();
    let mut largest = 0;
    for document in &documents {
        let object = parts::size(document);
        if object > MAX_OBJECT_BYTES {
            let remedy = notes::remedy(plan);
            return Err(ExportError::TooLarge(object, remedy));
        }
        largest = largest.max(object);
        // The plugin configuration stays on one line, in which every space counts.
        let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
        let yaml = serde_saphyr::to_string_with_options(document, options)
            .map_err(|error| ExportError::Template(error.to_string()))?;
        if !text.is_empty() {
            text.push_str("---\n");
        }
        text.push_str(&yaml);
    }
    Ok(notes::comment(channels, plan, (largest, filters)) + &text)
}

fn envoy_filter(
    channels: &Channels<'_>,
    plan: &Plan,
    resources: &Resources,
) -> Result<Value, ExportError> {
    let mut document: Value = serde_saphyr::from_str(TEMPLATE)
        .map_err(|error| ExportError::Template(error.to_string()))?;
    set(&mut document, "/metadata/name", json!(plan.name))?;
    set(&mut document, "/metadata/namespace", json!(plan.namespace))?;
    match &plan.workload {
        Workload::Labels(labels) => {
            set(
                &mut document,
                "/spec/workloadSelector/labels",
                json!(labels),
            )?;
        }
        Workload::Gateway(name) => {
            remove(&mut document, "/spec", "workloadSelector")?;
            let gateway = json!({
                "group": "gateway.networking.k8s.io",
                "kind": "Gateway",
                "name": name,
            });
            put(&mut document, "/spec", "targetRefs", json!([gateway]))?;
        }
    }
    let patches = list(&mut document, "/spec/configPatches")?;
    fill(patches, channels, plan, resources)?;
    if plan.context == Context::Sidecar {
        for patch in patches {
            set(patch, "/match/context", json!("SIDECAR_OUTBOUND"))?;
        }
    }
    Ok(document)
}

fn fill(
    patches: &mut Vec<Value>,
    channels: &Channels<'_>,
    plan: &Plan,
    resources: &Resources,
) -> Result<(), ExportError> {
    let config = PluginConfig::from_json(channels.snapshot.plugin_config.as_bytes());
    let config = config.map_err(|fault| ExportError::Template(fault.to_string()))?;
    if plan.is_live() && config.failover.is_some() && matches!(plan.way, Way::Routes(_)) {
        return Err(ExportError::NoPools);
    }
    plugin::fill(patches, channels, plan, resources)?;
    routes::leave(patches, &config);
    routes::add_refused(patches, &config.path_prefixes)?;
    listener::share(patches, plan)?;
    listener::hold(patches, config.limits.max_request_bytes);
    match plan.way {
        Way::Clusters => {
            clusters::add_domains(patches, channels)?;
            if channels.have_pools() {
                routes::add_pools(patches)?;
            }
            if plan.context == Context::Sidecar {
                routes::remove_virtual_host(patches)?;
            }
            clusters::fill(patches, channels, plan, resources.upstream_ca_file())?;
            limits::add(patches, plan)?;
        }
        Way::Routes(_) => {
            routes::remove_way(patches)?;
            clusters::stop_traces(patches, channels)?;
        }
    }
    routes::add_denied(patches, &config.path_prefixes)
}
