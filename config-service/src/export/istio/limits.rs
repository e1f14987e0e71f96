//! The rate limit service, which gateways ask about callers' limits: what `envoy/envoy.yaml` has for it.

use serde_json::{Value, json};

use super::bootstrap::transport_socket;
use super::document::{find, list, missing, put, set};
use super::plan::{Plan, is_address};
use super::source::{Source, Xds};
use super::target::Limits;
use crate::export::ExportError;

const TEMPLATE: &str = include_str!("../../../../envoy/envoy.yaml");

const FILTER: &str = "envoy.filters.http.ratelimit";
const CLUSTER: &str = "rate-limit";
const PER_ROUTE: &str = "typed_per_filter_config";

const MANAGER: &str = "/filter_chains/0/filters/0/typed_config";

/// Adds the filter behind ours, its cluster, and to the routes to Bedrock what counts, if the plan wants it.
pub(super) fn add(patches: &mut Vec<Value>, plan: &Plan) -> Result<(), ExportError> {
    let (Source::Live(xds), Limits::Shared) = (&plan.source, plan.limits) else {
        return Ok(());
    };
    let template: Value = serde_saphyr::from_str(TEMPLATE)
        .map_err(|error| ExportError::Template(error.to_string()))?;
    let listeners = members(&template, "/static_resources/listeners");
    let ask = |listener: &&Value| {
        let filters = members(listener, &format!("{MANAGER}/http_filters"));
        named(filters, FILTER).cloned()
    };
    let filter = listeners.iter().find_map(|own| ask(&own));
    add_filter(patches, &filter.ok_or_else(|| missing(FILTER))?)?;
    count(patches, &what_counts(listeners)?)?;
    let clusters = members(&template, "/static_resources/clusters");
    let cluster = named(clusters, CLUSTER).ok_or_else(|| missing(CLUSTER))?;
    add_cluster(patches, cluster.clone(), xds)
}

/// Each is inserted before the router, so it is behind those so far.
fn add_filter(patches: &mut Vec<Value>, filter: &Value) -> Result<(), ExportError> {
    let place = find(patches, "HTTP_FILTER")?;
    let mut patch = patches.get(place).cloned().unwrap_or_default();
    set(&mut patch, "/patch/value", filter.clone())?;
    patches.insert(place + 1, patch);
    Ok(())
}

/// What the template's routes to Bedrock say about it.
fn what_counts(listeners: &[Value]) -> Result<Value, ExportError> {
    let hosts = format!("{MANAGER}/route_config/virtual_hosts");
    let hosts = listeners.iter().flat_map(|own| members(own, &hosts));
    let mut routes = hosts.flat_map(|own| members(own, "/routes"));
    let counts = routes.find_map(|own| own.get(PER_ROUTE));
    counts.cloned().ok_or_else(|| missing(PER_ROUTE))
}

fn count(patches: &mut [Value], counts: &Value) -> Result<(), ExportError> {
    for patch in patches {
        if patch["applyTo"] == "VIRTUAL_HOST" {
            for route in list(patch, "/patch/value/routes")? {
                put(route, "", PER_ROUTE, counts.clone())?;
            }
        }
        let name = patch.pointer("/patch/value/name").and_then(Value::as_str);
        if patch["applyTo"] == "HTTP_ROUTE" && matches!(name, Some("bedrock" | "bedrock-pool")) {
            put(patch, "/patch/value", PER_ROUTE, counts.clone())?;
        }
    }
    Ok(())
}

/// The service that counts is this one, on its xDS port.
fn add_cluster(patches: &mut Vec<Value>, mut cluster: Value, xds: &Xds) -> Result<(), ExportError> {
    let host = xds.bare_host();
    let address = json!({ "address": host, "port_value": xds.port });
    let place = "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address";
    set(&mut cluster, place, address)?;
    if is_address(host) {
        set(&mut cluster, "/type", json!("STATIC"))?;
    }
    if let Some(socket) = transport_socket(xds, host) {
        put(&mut cluster, "", "transport_socket", socket)?;
    }
    patches.push(json!({
        "applyTo": "CLUSTER",
        "match": { "context": "GATEWAY" },
        "patch": { "operation": "ADD", "value": cluster },
    }));
    Ok(())
}

fn members<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    let list = value.pointer(pointer).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

fn named<'v>(list: &'v [Value], name: &str) -> Option<&'v Value> {
    list.iter().find(|own| own["name"] == name)
}
