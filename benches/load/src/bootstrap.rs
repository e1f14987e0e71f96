//! Envoy's configuration for the bench.

mod limits;

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

use crate::variant::Variant;

/// Ports that Envoy listens on.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// Plain passthrough.
    pub passthrough: u16,
    /// The filter.
    pub filter: u16,
    /// The filter in two stages.
    pub two_stage: u16,
    /// The filter, for a caller with limits that Envoy counts.
    pub local_limits: u16,
    /// The same with limits that a service counts.
    pub shared_limits: u16,
    /// That service.
    pub rate_limit: u16,
    /// Admin interface.
    pub admin: u16,
}

/// Longest body to buffer, in bytes; passthrough has the same limit, so that only the filter makes a
/// difference.
const BUFFER_LIMIT: u32 = 64 * 1024 * 1024;

const MANAGER: &str = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER: &str = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
const WASM: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
const SIGNING: &str =
    "type.googleapis.com/envoy.extensions.filters.http.aws_request_signing.v3.AwsRequestSigning";
const CODEC: &str =
    "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec";
const HTTP_OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// The whole bootstrap, as JSON. It has channels only for the variants that are run, so that an old
/// module, which knows fewer, can be measured.
#[must_use]
pub fn bootstrap(module: &Path, upstream: SocketAddr, ports: Ports, variants: &[Variant]) -> Value {
    let endpoint = format!("http://{upstream}");
    let (two_stage, one_stage): (Vec<Variant>, Vec<Variant>) = variants
        .iter()
        .partition(|variant| **variant == Variant::TwoStage);
    let (limited, one_stage): (Vec<Variant>, Vec<Variant>) = one_stage
        .iter()
        .partition(|variant| variant.limit_mode().is_some());
    let one_stage = wasm(module, &plugin(&one_stage, &endpoint));
    let mut two_stage_filter = plugin(&two_stage, &endpoint);
    two_stage_filter["failover"] = json!({});
    let two_stage_filter = wasm(module, &two_stage_filter);
    let sending = wasm(module, &json!({"schema": 1, "stage": "upstream"}));
    let shared = format!("bedrock|http|127.0.0.1|{}", upstream.port());
    let signing = format!("{shared}|{}", Variant::Native.name());
    let by_header = json!({"cluster_header": "x-bedrock-cluster"});
    let mut listeners = vec![
        listener(
            "passthrough",
            ports.passthrough,
            &[],
            &json!({"cluster": shared}),
        ),
        listener("filter", ports.filter, &[one_stage], &by_header),
    ];
    let mut clusters = vec![
        cluster(&shared, upstream.port(), &[]),
        cluster(&signing, upstream.port(), &signing_filters()),
    ];
    if !two_stage.is_empty() {
        listeners.push(listener(
            "two-stage",
            ports.two_stage,
            std::slice::from_ref(&two_stage_filter),
            &retrying(by_header.clone()),
        ));
        clusters.push(pool(upstream.port(), sending));
    }
    for variant in limited {
        let mut plugin = plugin(&[variant], &endpoint);
        plugin["callers"] = limits::callers(variant);
        let own = wasm(module, &plugin);
        let (name, port) = (variant.name(), variant.port(ports));
        listeners.push(match variant {
            Variant::SharedLimits => {
                clusters.push(limits::service(ports.rate_limit));
                let asking = [own, limits::filter()];
                limits::with_questions(listener(name, port, &asking, &by_header))
            }
            _ => listener(name, port, &[own], &by_header),
        });
    }
    json!({
        "admin": {"address": address(ports.admin)},
        "static_resources": {
            "listeners": listeners,
            "clusters": clusters,
        },
    })
}

fn plugin(variants: &[Variant], endpoint: &str) -> Value {
    let channels = variants
        .iter()
        .filter_map(|variant| variant.channel(endpoint));
    json!({"schema": 1, "revision": 1, "channels": channels.collect::<Vec<_>>()})
}

/// A route with retries, as in `envoy/envoy.yaml`.
fn retrying(mut action: Value) -> Value {
    action["retry_policy"] = json!({
        "retry_on": "5xx,retriable-status-codes,reset,connect-failure,refused-stream",
        "retriable_status_codes": [408, 424, 429],
        "num_retries": 0,
        "per_try_timeout": "300s",
    });
    action
}

/// The cluster of a one-channel pool, with the filter on it.
fn pool(port: u16, filter: Value) -> Value {
    let name = Variant::TwoStage.name();
    let mut pool = cluster(&format!("bedrock|pool|{name}"), port, &[filter, codec()]);
    pool["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["metadata"] =
        json!({"filter_metadata": {"bedrock": {"channel": name}}});
    pool
}

fn codec() -> Value {
    json!({"name": "envoy.filters.http.upstream_codec", "typed_config": {"@type": CODEC}})
}

fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}

fn listener(name: &str, port: u16, filters: &[Value], action: &Value) -> Value {
    let mut filters = filters.to_vec();
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": ROUTER, "suppress_envoy_headers": true},
    }));
    let mut route = action.clone();
    if let Some(route) = route.as_object_mut() {
        route.insert("timeout".to_owned(), json!("0s"));
    }
    let manager = json!({
        "@type": MANAGER,
        "stat_prefix": name,
        "use_remote_address": true,
        "http_filters": filters,
        "route_config": {"virtual_hosts": [{
            "name": name,
            "domains": ["*"],
            "routes": [{
                "match": {"prefix": "/"},
                "request_body_buffer_limit": BUFFER_LIMIT,
                "route": route,
            }],
        }]},
    });
    json!({
        "name": name,
        "address": address(port),
        "per_connection_buffer_limit_bytes": BUFFER_LIMIT,
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": manager,
        }]}],
    })
}

fn wasm(module: &Path, plugin: &Value) -> Value {
    json!({
        "name": "bedrock",
        "typed_config": {
            "@type": WASM,
            "config": {
                "name": "bedrock",
                "root_id": "bedrock",
                "allow_on_headers_stop_iteration": true,
                "failure_policy": "FAIL_RELOAD",
                "vm_config": {
                    "vm_id": "bedrock",
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": module}},
                },
                "configuration": {
                    "@type": "type.googleapis.com/google.protobuf.StringValue",
                    "value": plugin.to_string(),
                },
            },
        },
    })
}

fn signing_filters() -> [Value; 2] {
    let key = json!({
        "access_key_id": "AKIDEXAMPLE",
        "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    });
    [
        json!({
            "name": "envoy.filters.http.aws_request_signing",
            "typed_config": {
                "@type": SIGNING,
                "service_name": "bedrock",
                "region": "us-east-1",
                "credential_provider": {"inline_credential": key},
            },
        }),
        codec(),
    ]
}

fn cluster(name: &str, port: u16, filters: &[Value]) -> Value {
    let limit = 100_000;
    let mut cluster = json!({
        "name": name,
        "type": "STATIC",
        "circuit_breakers": {"thresholds": [
            {"max_connections": limit, "max_pending_requests": limit, "max_requests": limit},
        ]},
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}],
        },
    });
    if !filters.is_empty() {
        let options = json!({
            "@type": format!("type.googleapis.com/{HTTP_OPTIONS}"),
            "explicit_http_config": {"http_protocol_options": {}},
            "http_filters": filters,
        });
        cluster["typed_extension_protocol_options"] = json!({HTTP_OPTIONS: options});
    }
    cluster
}
