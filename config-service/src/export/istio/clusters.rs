//! How Envoy dials the endpoints, and the pools between which requests fail over.

use serde_json::{Value, json};

use super::document::{find, list, missing, patch, put, remove, set, with};
use super::plan::{Plan, is_address};
use super::{Channels, mesh, plugin};
use crate::cluster::{Cluster, Host, Transport};
use crate::export::ExportError;
use crate::xds::stage_name;

const CLUSTER: &str = "/patch/value";
const HTTP: &str = "/patch/value/typed_extension_protocol_options/\
                    envoy.extensions.upstreams.http.v3.HttpProtocolOptions/http_filters";

/// Suffixes of AWS's own hosts, which the virtual host of the template has.
const AWS_SUFFIXES: [&str; 4] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".api.aws",
];

/// Makes a patch of the template's one for each cluster.
pub(super) fn fill(
    patches: &mut Vec<Value>,
    channels: &Channels<'_>,
    plan: &Plan,
    ca_file: &str,
) -> Result<(), ExportError> {
    let template = patches.remove(find(patches, "CLUSTER")?);
    for own in &channels.clusters {
        let members = own.members();
        let mut patch = if members.is_empty() {
            endpoint(template.clone(), own, ca_file)?
        } else {
            aggregate(template.clone(), own, &members)?
        };
        add_stage(&mut patch, own, plan)?;
        patches.push(patch);
    }
    Ok(())
}

/// Gives Istio's own clusters for the endpoints the template's options of HTTP, which stop trace headers: the router adds
/// those after all that a route removes.
pub(super) fn stop_traces(
    patches: &mut Vec<Value>,
    channels: &Channels<'_>,
) -> Result<(), ExportError> {
    let mut template = patches.remove(find(patches, "CLUSTER")?);
    let name = "typed_extension_protocol_options";
    let options = template.pointer(&format!("{CLUSTER}/{name}")).cloned();
    let options = options.ok_or_else(|| missing(name))?;
    set(&mut template, "/patch/operation", json!("MERGE"))?;
    set(&mut template, CLUSTER, json!({ name: options }))?;
    for host in channels.endpoints() {
        let mut patch = template.clone();
        let service = json!({ "service": host, "portNumber": mesh::PORT });
        put(&mut patch, "/match", "cluster", service)?;
        patches.push(patch);
    }
    Ok(())
}

/// The hosts for which the virtual host stands, besides AWS's.
pub(super) fn add_domains(
    patches: &mut [Value],
    channels: &Channels<'_>,
) -> Result<(), ExportError> {
    let virtual_host = patch(patches, "VIRTUAL_HOST")?;
    let domains = list(virtual_host, "/patch/value/domains")?;
    for host in channels.clusters.iter().flat_map(|own| &own.hosts) {
        if AWS_SUFFIXES
            .iter()
            .any(|suffix| host.host.ends_with(suffix))
        {
            continue;
        }
        let name = if host.host.contains(':') {
            format!("[{}]", host.host)
        } else {
            host.host.clone()
        };
        for domain in [json!(format!("{name}:{}", host.port)), json!(name)] {
            if !domains.contains(&domain) {
                domains.push(domain);
            }
        }
    }
    Ok(())
}

fn endpoint(mut patch: Value, cluster: &Cluster, ca_file: &str) -> Result<Value, ExportError> {
    let host = cluster.hosts.first().ok_or_else(|| missing("a host"))?;
    let at = |field: &str| format!("{CLUSTER}/{field}");
    set(&mut patch, &at("name"), json!(cluster.name))?;
    set(&mut patch, &at("alt_stat_name"), json!(cluster.stat_name()))?;
    let assignment = at("load_assignment");
    let name = format!("{assignment}/cluster_name");
    set(&mut patch, &name, json!(cluster.name))?;
    let endpoints = format!("{assignment}/endpoints/0/lb_endpoints/0");
    set(&mut patch, &format!("{endpoints}/endpoint"), address(host))?;
    if cluster.stage.is_some() {
        put(&mut patch, &endpoints, "metadata", metadata(host))?;
    }
    if is_address(&host.host) {
        set(&mut patch, &at("type"), json!("STATIC"))?;
    }
    match cluster.transport {
        Transport::Plain => remove(&mut patch, CLUSTER, "transport_socket")?,
        Transport::Tls => tls(&mut patch, &host.host, ca_file)?,
    }
    Ok(patch)
}

/// A pool of several channels: their own pools, each of which is a priority.
fn aggregate(
    mut patch: Value,
    cluster: &Cluster,
    members: &[String],
) -> Result<Value, ExportError> {
    for member in [
        "type",
        "dns_lookup_family",
        "upstream_connection_options",
        "transport_socket",
        "load_assignment",
    ] {
        remove(&mut patch, CLUSTER, member)?;
    }
    set(&mut patch, &format!("{CLUSTER}/name"), json!(cluster.name))?;
    let statistics = json!(cluster.stat_name());
    set(&mut patch, &format!("{CLUSTER}/alt_stat_name"), statistics)?;
    put(&mut patch, CLUSTER, "lb_policy", json!("CLUSTER_PROVIDED"))?;
    let kind = json!({
        "name": "envoy.clusters.aggregate",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig",
            "clusters": members,
        },
    });
    put(&mut patch, CLUSTER, "cluster_type", kind)?;
    Ok(patch)
}

/// The filter on a pool, which encodes and signs each attempt for its channel; and no limit to retries.
fn add_stage(patch: &mut Value, cluster: &Cluster, plan: &Plan) -> Result<(), ExportError> {
    let Some(generation) = cluster.stage else {
        return Ok(());
    };
    let filter = json!({
        "name": stage_name(generation),
        "config_discovery": {
            "config_source": plugin::stage_source(plan),
            "type_urls": ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"],
        },
    });
    list(patch, HTTP)?.insert(0, filter);
    let thresholds = format!("{CLUSTER}/circuit_breakers/thresholds/0");
    put(patch, &thresholds, "max_retries", json!(10_000))
}

fn address(host: &Host) -> Value {
    json!({
        "hostname": host.host,
        "address": { "socket_address": { "address": host.host, "port_value": host.port } },
    })
}

/// What the filter on a pool reads of an attempt's endpoint.
fn metadata(host: &Host) -> Value {
    let mut own = json!({ "region": host.region, "host": host.host });
    if let Some(channel) = &host.channel {
        own = with(own, "channel", json!(channel));
    }
    json!({ "filter_metadata": { "bedrock": own } })
}

/// The certificate must match the host: its name, or its address, which is never sent as SNI.
fn tls(patch: &mut Value, host: &str, ca_file: &str) -> Result<(), ExportError> {
    let context = format!("{CLUSTER}/transport_socket/typed_config");
    let validation = format!("{context}/common_tls_context/validation_context");
    let authorities = json!({ "filename": ca_file });
    let rules = if is_address(host) {
        remove(patch, &context, "auto_host_sni")?;
        remove(patch, &context, "auto_sni_san_validation")?;
        let address = json!({ "san_type": "IP_ADDRESS", "matcher": { "exact": host } });
        json!({ "trusted_ca": authorities, "match_typed_subject_alt_names": [address] })
    } else {
        json!({ "trusted_ca": authorities })
    };
    set(patch, &validation, rules)
}
