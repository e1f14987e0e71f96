//! What Envoy takes from its bootstrap alone: the memory limits, and a cluster for Envoy's own gRPC client, which
//! accepts none that was added later.

use serde_json::{Value, json};

use super::document::{put, set, with};
use super::plan::{Plan, is_address};
use super::source::{Source, Xds};
use super::target::XdsClient;
use crate::export::ExportError;

const TEMPLATE: &str = include_str!("../../../../envoy/istio-bootstrap.yaml");

/// Name of the cluster that leads to the xDS port, and of the statistics of gRPC's own client.
pub(super) const CLUSTER: &str = "config-service-xds";

/// Name of the `ConfigMap`, for the annotation `sidecar.istio.io/bootstrapOverride`. It is the manifest's own: gateways may
/// reach this service in different ways.
pub(super) fn name(plan: &Plan) -> String {
    format!("{}-bootstrap", plan.name)
}

/// The `ConfigMap` for the gateway's agent, if Envoy needs a cluster in its bootstrap.
pub(super) fn config_map(plan: &Plan) -> Result<Option<Value>, ExportError> {
    let Source::Live(xds) = &plan.source else {
        return Ok(None);
    };
    if xds.client == XdsClient::GoogleGrpc {
        return Ok(None);
    }
    let broken = |error: &dyn std::fmt::Display| ExportError::Template(error.to_string());
    let mut map: Value = serde_saphyr::from_str(TEMPLATE).map_err(|error| broken(&error))?;
    set(&mut map, "/metadata/name", json!(name(plan)))?;
    set(&mut map, "/metadata/namespace", json!(plan.namespace))?;
    let key = "/data/custom_bootstrap.json";
    let text = map.pointer(key).and_then(Value::as_str).unwrap_or_default();
    let mut bootstrap: Value = serde_json::from_str(text).map_err(|error| broken(&error))?;
    let clusters = json!({ "clusters": [cluster(xds)] });
    put(&mut bootstrap, "", "static_resources", clusters)?;
    let text = serde_json::to_string_pretty(&bootstrap).map_err(|error| broken(&error))?;
    set(&mut map, key, json!(text))?;
    Ok(Some(map))
}

fn cluster(xds: &Xds) -> Value {
    let host = xds.bare_host();
    let options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    let cluster = json!({
        "name": CLUSTER,
        "type": if is_address(host) { "STATIC" } else { "STRICT_DNS" },
        "connect_timeout": "2s",
        "typed_extension_protocol_options": { options: {
            "@type": format!("type.googleapis.com/{options}"),
            "explicit_http_config": { "http2_protocol_options": {
                "connection_keepalive": { "interval": "10s", "timeout": "20s" },
            } },
        } },
        "load_assignment": { "cluster_name": CLUSTER, "endpoints": [{ "lb_endpoints": [{ "endpoint": {
            "address": { "socket_address": { "address": host, "port_value": xds.port } },
        } }] }] },
    });
    match transport_socket(xds, host) {
        Some(socket) => with(cluster, "transport_socket", socket),
        None => cluster,
    }
}

/// TLS to the xDS port, for Envoy's own client.
pub(super) fn transport_socket(xds: &Xds, host: &str) -> Option<Value> {
    let tls = xds.tls.as_ref()?;
    let file = |path: &String| json!({ "filename": path });
    let kind = if is_address(host) {
        "IP_ADDRESS"
    } else {
        "DNS"
    };
    let name = json!({ "san_type": kind, "matcher": { "exact": host } });
    let mut common = json!({ "validation_context": {
        "trusted_ca": file(&tls.ca),
        "match_typed_subject_alt_names": [name],
    } });
    if let Some((certificate, key)) = &tls.identity {
        let identity = json!({ "certificate_chain": file(certificate), "private_key": file(key) });
        common = with(common, "tls_certificates", json!([identity]));
    }
    let mut context = json!({
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "common_tls_context": common,
    });
    if !is_address(host) {
        context = with(context, "sni", json!(host));
    }
    Some(json!({ "name": "envoy.transport_sockets.tls", "typed_config": context }))
}
