//! How the hand-written configurations connect to Bedrock: like the clusters that the config-service pushes.

use serde_json::{Value, json};

use crate::bootstraps::MANAGER;
use crate::support::yaml;

const PROTOCOL: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// The clusters that lead to Bedrock, of a bootstrap.
fn clusters(file: &str) -> Vec<Value> {
    let document = yaml(file);
    let all = document["static_resources"]["clusters"].as_array().unwrap();
    let to_bedrock = |own: &&Value| own["name"].as_str().unwrap().starts_with("bedrock|");
    all.iter().filter(to_bedrock).cloned().collect()
}

/// What an Istio gateway is given of a kind.
fn patches(kind: &str) -> Vec<Value> {
    let document = yaml("envoy/istio.yaml");
    let all = document["spec"]["configPatches"].as_array().unwrap();
    let own = all.iter().filter(|patch| patch["applyTo"] == kind);
    own.map(|patch| patch["patch"]["value"].clone()).collect()
}

#[test]
fn an_istio_gateway_has_the_cluster_of_the_bootstrap() {
    assert_eq!(patches("CLUSTER"), clusters("envoy/static.yaml")[..1]);
}

/// What Envoy adds to requests that it traces must not reach AWS.
#[test]
fn no_cluster_lets_a_trace_out() {
    for cluster in clusters("envoy/static.yaml") {
        let filters = &cluster["typed_extension_protocol_options"][PROTOCOL]["http_filters"];
        let first = &filters[0];
        assert_eq!(first["name"], "envoy.filters.http.header_mutation");
        let mutations = &first["typed_config"]["mutations"]["request_mutations"];
        let mutations = mutations.as_array().unwrap();
        for name in ["traceparent", "tracestate", "b3"] {
            assert!(mutations.contains(&json!({ "remove": name })), "{cluster}");
        }
        assert_eq!(filters[1]["name"], "envoy.filters.http.upstream_codec");
    }
}

#[test]
fn no_connection_is_kept_until_the_other_side_forgets_it() {
    let clusters = clusters("envoy/static.yaml");
    assert_eq!(clusters.len(), 2, "an endpoint of AWS and the simulator");
    for cluster in clusters {
        let options = &cluster["typed_extension_protocol_options"][PROTOCOL];
        let idle = &options["common_http_protocol_options"]["idle_timeout"];
        assert_eq!(idle, "300s", "{cluster}");
        let probes = &cluster["upstream_connection_options"]["tcp_keepalive"];
        let expected =
            json!({"keepalive_probes": 3, "keepalive_time": 60, "keepalive_interval": 30});
        assert_eq!(*probes, expected, "{cluster}");
    }
}

/// A cluster whose circuit breaker allows no second try would undo the route's.
#[test]
fn a_broken_connection_is_replaced_once_on_every_route_without_failover() {
    let mut routes = patches("HTTP_ROUTE");
    for file in ["envoy/envoy.yaml", "envoy/static.yaml"] {
        let document = yaml(file);
        let manager = document.pointer(MANAGER).unwrap();
        let hosts = &manager["route_config"]["virtual_hosts"];
        routes.extend(hosts[0]["routes"].as_array().unwrap().iter().cloned());
    }
    let own: Vec<_> = routes
        .iter()
        .filter(|route| route["name"] == "bedrock")
        .collect();
    assert_eq!(own.len(), 3);
    for route in own {
        let policy = &route["route"]["retry_policy"];
        assert_eq!(*policy, json!({"retry_on": "reset", "num_retries": 1}));
    }
    for cluster in clusters("envoy/static.yaml") {
        let thresholds = &cluster["circuit_breakers"]["thresholds"][0];
        assert_eq!(thresholds["max_retries"], thresholds["max_requests"]);
    }
}
