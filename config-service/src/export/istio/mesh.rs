//! The way to Bedrock in Istio's own terms: `ServiceEntry`, `DestinationRule`, and `VirtualService` or `HTTPRoute`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Channels;
use super::accepted::MAX_LABEL_LEN;
use super::plan::{Parents, Plan, is_address};
use crate::cluster::{Transport, short_name};
use crate::export::ExportError;

/// The port under which the mesh knows an endpoint, whatever the endpoint's own is. Only on this port do sidecars find a
/// host by a name without a port, as the filter writes it; and applications that call an endpoint's own port by
/// themselves, over TLS, are left alone.
pub(super) const PORT: u16 = 80;

/// Whose name the objects have that all manifests of a namespace share.
const OWNER: &str = "bedrock";

/// Headers about the client and the mesh that Bedrock must not see, and the one that only the filter can set.
const NOT_FOR_BEDROCK: [&str; 7] = [
    "x-bedrock-cluster",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-envoy-external-address",
    "x-request-id",
    "x-envoy-decorator-operation",
    "x-envoy-attempt-count",
];

/// The documents for all endpoints.
pub(super) fn documents(
    channels: &Channels<'_>,
    plan: &Plan,
    parents: &Parents,
) -> Result<Vec<Value>, ExportError> {
    let mut hosts = BTreeMap::new();
    for cluster in &channels.clusters {
        let Some(host) = cluster.hosts.first() else {
            continue;
        };
        if is_address(&host.host) {
            return Err(ExportError::NoName(host.host.clone()));
        }
        let known = hosts.insert(&host.host, (host.port, cluster));
        if known.is_some_and(|(port, _)| port != host.port) {
            return Err(ExportError::TwoPorts(host.host.clone()));
        }
    }
    let documents = hosts.into_iter().map(|(host, (port, cluster))| {
        let place = Endpoint { host, port, plan };
        let rule = (cluster.transport == Transport::Tls).then(|| place.destination_rule());
        let route = match parents {
            Parents::Gateways(names) => place.virtual_service(names),
            Parents::Gateway(name) => place.http_route(name),
        };
        [Some(place.service_entry()), rule, Some(route)]
    });
    Ok(documents.flatten().flatten().collect())
}

struct Endpoint<'e> {
    host: &'e str,
    port: u16,
    plan: &'e Plan,
}

/// A DNS label, whatever the host: <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>. Other hosts
/// may read the same without what a label cannot have, and long ones begin the same; so it ends in a hash.
fn object_name(owner: &str, host: &str) -> String {
    let hash = short_name(&format!("{owner}/{host}"));
    let kept = MAX_LABEL_LEN - hash.len() - 1;
    let in_label = |c: char| match c.to_ascii_lowercase() {
        c if c.is_ascii_alphanumeric() => c,
        _ => '-',
    };
    let name = format!("{owner}-{host}");
    let start: String = name.chars().map(in_label).take(kept).collect();
    format!("{start}-{hash}")
}

impl Endpoint<'_> {
    /// What the mesh knows of the endpoint, whichever gateways call it. Manifests for others of the namespace have the same
    /// under the same name: how Istio merges two of one host differs between its versions
    /// (<https://github.com/istio/istio/issues/51466>).
    fn shared(&self, kind: &str, spec: &Value) -> Value {
        self.document("networking.istio.io/v1", kind, OWNER, spec)
    }

    /// What is for the gateways of this manifest alone.
    fn own(&self, api_version: &str, kind: &str, spec: &Value) -> Value {
        self.document(api_version, kind, &self.plan.name, spec)
    }

    fn document(&self, api_version: &str, kind: &str, owner: &str, spec: &Value) -> Value {
        let name = object_name(owner, self.host);
        json!({
            "apiVersion": api_version,
            "kind": kind,
            "metadata": { "name": name, "namespace": self.plan.namespace },
            "spec": spec,
        })
    }

    fn service_entry(&self) -> Value {
        let spec = json!({
            "hosts": [self.host],
            "ports": [{
                "number": PORT,
                "targetPort": self.port,
                "name": "http",
                "protocol": "HTTP",
            }],
            "location": "MESH_EXTERNAL",
            "resolution": "DNS",
        });
        self.shared("ServiceEntry", &spec)
    }

    fn destination_rule(&self) -> Value {
        let spec = json!({
            "host": self.host,
            "trafficPolicy": {
                "connectionPool": {
                    "tcp": { "connectTimeout": "5s" },
                    "http": {
                        "http1MaxPendingRequests": 10_000,
                        "http2MaxRequests": 10_000,
                        "idleTimeout": "300s",
                    },
                },
                "tls": { "mode": "SIMPLE", "sni": self.host, "subjectAltNames": [self.host] },
            },
        });
        self.shared("DestinationRule", &spec)
    }

    /// Without a timeout, which Istio does not set by itself and whose `0s` it refuses.
    fn virtual_service(&self, gateways: &[String]) -> Value {
        let spec = json!({
            "hosts": [self.host],
            "gateways": gateways,
            "http": [{
                "match": [{
                    "uri": { "prefix": "/model/" },
                    "headers": { "x-bedrock-cluster": { "regex": ".+" } },
                }],
                // Istio's default is two, also for answers that are billed.
                "retries": { "attempts": 0 },
                "headers": { "request": { "remove": NOT_FOR_BEDROCK } },
                "route": [{ "destination": { "host": self.host, "port": { "number": PORT } } }],
            }],
        });
        self.own("networking.istio.io/v1", "VirtualService", &spec)
    }

    fn http_route(&self, gateway: &str) -> Value {
        let header = json!({
            "type": "RegularExpression",
            "name": "x-bedrock-cluster",
            "value": ".+",
        });
        let spec = json!({
            "parentRefs": [{ "name": gateway }],
            "hostnames": [self.host],
            "rules": [{
                "matches": [{
                    "path": { "type": "PathPrefix", "value": "/model" },
                    "headers": [header],
                }],
                "filters": [{
                    "type": "RequestHeaderModifier",
                    "requestHeaderModifier": { "remove": NOT_FOR_BEDROCK },
                }],
                "backendRefs": [{
                    "group": "networking.istio.io",
                    "kind": "Hostname",
                    "name": self.host,
                    "port": PORT,
                }],
            }],
        });
        self.own("gateway.networking.k8s.io/v1", "HTTPRoute", &spec)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_host_has_a_name_that_no_other_has() {
        let long = |zone| format!("{}.{zone}.example", "a".repeat(60));
        let hosts = [
            "a.b-c.example",
            "a-b.c.example",
            "under_score.example",
            &long("one"),
            &long("two"),
        ];
        let owners = ["bedrock", "a", "a-b"];
        let pairs = owners
            .iter()
            .flat_map(|owner| hosts.map(|host| object_name(owner, host)));
        let names: Vec<_> = pairs.collect();
        let unique: BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len(), "{names:?}");
        for name in names {
            let in_label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(
                name.len() <= MAX_LABEL_LEN && name.chars().all(in_label),
                "{name}"
            );
        }
    }
}
