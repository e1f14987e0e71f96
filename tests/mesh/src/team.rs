//! What teams have on their gateways besides the filter.

use serde_json::{Value, json};

use crate::Bench;

/// A host that a team serves on a gateway, at `/team`.
pub const HOST: &str = "team.example";

/// What it answers.
pub const ANSWER: &str = "the team's own";

/// A `Gateway` with one HTTP server for all hosts.
pub fn gateway(bench: &Bench) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "Gateway",
        "metadata": { "name": bench.pod, "namespace": bench.namespace },
        "spec": {
            "selector": { "app": bench.pod },
            "servers": [{
                "port": { "number": bench.port, "name": "http", "protocol": "HTTP" },
                "hosts": ["*"],
            }],
        },
    })
}

/// A `VirtualService` for [`HOST`] on a gateway, or on `mesh`.
pub fn virtual_service(bench: &Bench, gateway: &str) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": { "name": "team", "namespace": bench.namespace },
        "spec": {
            "hosts": [HOST],
            "gateways": [gateway],
            "http": [{
                "match": [{ "uri": { "prefix": "/team" } }],
                "directResponse": { "status": 200, "body": { "string": ANSWER } },
            }],
        },
    })
}

/// A `Gateway` of the Gateway API whose pod is started by hand, with its `Service`, and an `HTTPRoute` for [`HOST`].
pub fn gateway_api(bench: &Bench) -> Vec<Value> {
    let Bench { namespace, pod, .. } = bench;
    let metadata = json!({ "name": pod, "namespace": namespace });
    let service = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {
            "selector": { "app": pod },
            "ports": [{ "name": "http", "port": bench.port, "targetPort": bench.port }],
        },
    });
    let gateway = json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": metadata,
        "spec": {
            "gatewayClassName": "istio",
            "addresses": [{
                "type": "Hostname",
                "value": format!("{pod}.{namespace}.svc.cluster.local"),
            }],
            "listeners": [{ "name": "http", "port": bench.port, "protocol": "HTTP" }],
        },
    });
    let route = json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": { "name": "team", "namespace": namespace },
        "spec": {
            "parentRefs": [{ "name": pod }],
            "hostnames": [HOST],
            "rules": [{
                "matches": [{ "path": { "type": "PathPrefix", "value": "/team" } }],
                "filters": [{
                    "type": "RequestRedirect",
                    "requestRedirect": { "hostname": "elsewhere.example", "statusCode": 302 },
                }],
            }],
        },
    });
    vec![service, gateway, route]
}

/// A `Sidecar` that is its application's HTTP proxy, on loopback, and a service that it knows: [`HOST`].
pub fn sidecar(bench: &Bench) -> Vec<Value> {
    let service = json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": { "name": "team", "namespace": bench.namespace },
        "spec": {
            "hosts": [HOST],
            "ports": [{ "number": 80, "name": "http", "protocol": "HTTP" }],
            "resolution": "DNS",
        },
    });
    let sidecar = json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "Sidecar",
        "metadata": { "name": bench.pod, "namespace": bench.namespace },
        "spec": {
            "workloadSelector": { "labels": { "app": bench.pod } },
            "egress": [{
                "port": { "number": bench.port, "name": "proxy", "protocol": "HTTP_PROXY" },
                "bind": "127.0.0.1",
                "captureMode": "NONE",
                "hosts": ["./*"],
            }],
        },
    });
    vec![service, virtual_service(bench, "mesh"), sidecar]
}
