//! Does to an Envoy what Istio does with a manifest: `istiod` patches the gateway's configuration, and the gateway's
//! agent merges a `ConfigMap` into the bootstrap
//! (<https://istio.io/latest/docs/reference/config/networking/envoy-filter/>).

use serde_json::{Value, json};
use xtask::ports::Ports;

use crate::{Bootstrap, Scratch};

const MANAGER: &str =
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER: &str = "envoy.extensions.filters.http.router.v3.Router";

/// Of a public key that nobody has the private half of.
const MODULUS: &str = "zOJYngbOf1kPNLPPsByQhI15dsrpzL7oBsBrpBPi_VLfW0oLpS0sSjsYwePg8lzNpas9BPQ2fzBPdxbG8mQ7kTIE84mMk8yb4QZCELzcN-lHdJaH7PeItl-_JfBkShNvPqmPSCpQtCvnUg8WgYIeID0hOdQdXRCdyg7DAwnCZ13XeYyTdVPjGhUPqCCh7v3p2eaR32IxA2KkmSUaIGwJdzRF-14sFpq2WEGPdgcL5W2FCk772xHd68lS11wvAzQ4713FqEvyYOWxJ8UEY-tRNGeuwFM9EtUIBTPqQhBlsebBDRbaw3VKvsC4FFtQJ6J9GAy2-gZTEqlEAsxUvgvpEw";

/// A host that a `VirtualService` binds to the gateway; it serves `/team`.
pub const TEAM: &str = "team.example";

/// The virtual hosts that a gateway has before it is patched.
#[derive(Clone, Copy, Debug)]
pub enum Hosts {
    /// That for all names, which `istiod` makes as long as no `VirtualService` is bound.
    All,
    /// That of a `VirtualService`, for [`TEAM`].
    Team,
}

/// A name for this machine, by which a manifest may say where the config-service is: gateways that run elsewhere could not
/// use a loopback address, so it is refused.
pub const CONFIG_SERVICE: &str = "config-service.test";

/// The documents of a manifest, for gateways on this machine.
pub fn documents(text: &str) -> Vec<Value> {
    let text = text.replace(CONFIG_SERVICE, "127.0.0.1");
    let documents = text.split("\n---\n");
    let documents = documents.map(|own| serde_saphyr::from_str(own).expect("YAML"));
    documents.collect()
}

/// An Istio gateway with one HTTP listener, tracing, `jwt_authn` for tokens in `x-team-token`, and an
/// `AuthorizationPolicy` that refuses requests with `x-team-deny`; patched by a manifest.
pub fn gateway(manifest: &[Value], hosts: Hosts, ports: &Ports, scratch: &Scratch) -> Bootstrap {
    let mut document = unpatched(ports, hosts);
    let mut virtual_hosts = Vec::new();
    let patches = manifest[0]["spec"]["configPatches"].as_array();
    for patch in patches.expect("patches") {
        assert_eq!(patch["match"]["context"], "GATEWAY", "{patch}");
        let value = patch["patch"]["value"].clone();
        let operation = patch["patch"]["operation"].as_str();
        let kind = patch["applyTo"].as_str().expect("a kind");
        match (kind, operation.expect("an operation")) {
            ("LISTENER", "MERGE") => {
                merge(&mut document["static_resources"]["listeners"][0], value)
            }
            ("NETWORK_FILTER", "MERGE") => merge(manager(&mut document), value),
            ("HTTP_FILTER", "INSERT_BEFORE") => {
                let filters = &mut manager(&mut document)["typed_config"]["http_filters"];
                let filters = filters.as_array_mut().expect("a list");
                filters.insert(filters.len() - 1, value);
            }
            ("HTTP_ROUTE", "INSERT_FIRST") => {
                insert_first(&mut routes(&mut document)[0]["routes"], value);
            }
            ("VIRTUAL_HOST", "ADD") => virtual_hosts.push(value),
            ("CLUSTER", "ADD") => {
                insert_first(&mut document["static_resources"]["clusters"], value);
            }
            ("EXTENSION_CONFIG", "ADD") => deliver(value, scratch),
            other => panic!("no gateway knows {other:?}"),
        }
    }
    // What patches do to routes, they do not do to virtual hosts that others add.
    let own = routes(&mut document).as_array_mut().expect("a list");
    own.extend(virtual_hosts);
    for map in manifest.iter().filter(|own| own["kind"] == "ConfigMap") {
        let text = map["data"]["custom_bootstrap.json"].as_str();
        let bootstrap = serde_json::from_str(text.expect("a bootstrap")).expect("JSON");
        merge(&mut document, bootstrap);
    }
    take_from_files(&mut document, scratch);
    Bootstrap { document }
}

fn unpatched(ports: &Ports, hosts: Hosts) -> Value {
    let virtual_host = match hosts {
        Hosts::All => json!({ "name": "blackhole:8080", "domains": ["*"], "routes": [] }),
        Hosts::Team => json!({ "name": "team", "domains": [TEAM], "routes": [{
            "match": { "prefix": "/team" },
            "direct_response": { "status": 200, "body": { "inline_string": "the team's own" } },
        }] }),
    };
    let mut router = filter("router", ROUTER);
    router["name"] = json!("envoy.filters.http.router");
    json!({
        "admin": { "address": address(ports.envoy_admin) },
        "node": { "id": "gateway", "cluster": "istio" },
        "static_resources": {
            "listeners": [{
                "name": "0.0.0.0_8080",
                "address": address(ports.envoy),
                "filter_chains": [{ "filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": {
                        "@type": format!("type.googleapis.com/{MANAGER}"),
                        "stat_prefix": "outbound_0.0.0.0_8080",
                        "use_remote_address": true,
                        "normalize_path": true,
                        "tracing": tracing(),
                        "route_config": { "name": "http.8080", "virtual_hosts": [virtual_host] },
                        "http_filters": [tokens(), policy(), router],
                    },
                }] }],
            }],
            "clusters": [{ "name": "collector", "type": "STATIC", "load_assignment": {
                "cluster_name": "collector",
                "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": address(9) } }] }],
            } }],
        },
    })
}

fn address(port: u16) -> Value {
    json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } })
}

fn filter(name: &str, kind: &str) -> Value {
    json!({ "name": name, "typed_config": { "@type": format!("type.googleapis.com/{kind}") } })
}

fn tracing() -> Value {
    json!({
        "random_sampling": { "value": 100 },
        "provider": {
            "name": "envoy.tracers.opentelemetry",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
                "service_name": "gateway",
                "grpc_service": { "envoy_grpc": { "cluster_name": "collector" } },
            },
        },
    })
}

fn tokens() -> Value {
    let kind = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";
    let mut filter = filter("envoy.filters.http.jwt_authn", kind);
    let keys = json!({ "keys": [{ "kty": "RSA", "alg": "RS256", "e": "AQAB", "n": MODULUS }] });
    filter["typed_config"]["providers"] = json!({ "team": {
        "issuer": "team",
        "local_jwks": { "inline_string": keys.to_string() },
        "from_headers": [{ "name": "x-team-token" }],
    } });
    filter["typed_config"]["rules"] = json!([{
        "match": { "prefix": "/" },
        "requires": { "requires_any": { "requirements": [
            { "provider_name": "team" },
            { "allow_missing": {} },
        ] } },
    }]);
    filter
}

fn policy() -> Value {
    let kind = "envoy.extensions.filters.http.rbac.v3.RBAC";
    let mut filter = filter("envoy.filters.http.rbac", kind);
    let header = json!({ "name": "x-team-deny", "present_match": true });
    filter["typed_config"]["rules"] = json!({ "action": "DENY", "policies": { "team": {
        "permissions": [{ "any": true }],
        "principals": [{ "header": header }],
    } } });
    filter
}

fn manager(document: &mut Value) -> &mut Value {
    &mut document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
}

fn routes(document: &mut Value) -> &mut Value {
    &mut manager(document)["typed_config"]["route_config"]["virtual_hosts"]
}

fn insert_first(list: &mut Value, value: Value) {
    list.as_array_mut().expect("a list").insert(0, value);
}

/// Merges like protocol buffers: messages by field, lists appended, anything else replaced.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (Value::Array(into), Value::Array(from)) => into.extend(from),
        (into, from) => *into = from,
    }
}

/// What `istiod` would send over ADS comes from a file.
fn take_from_files(value: &mut Value, scratch: &Scratch) {
    match value {
        Value::Object(members) => {
            let file = members.get("name").and_then(Value::as_str).map(file_of);
            let source = members.get_mut("config_discovery");
            let source = source.and_then(|own| own["config_source"].as_object_mut());
            if let (Some(source), Some(file)) = (source, file)
                && source.remove("ads").is_some()
            {
                let path = json!({ "path": scratch.join(&file) });
                source.insert("path_config_source".to_owned(), path);
            }
            for value in members.values_mut() {
                take_from_files(value, scratch);
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|own| take_from_files(own, scratch)),
        _ => {}
    }
}

fn file_of(resource: &str) -> String {
    format!("extension-{resource}.json")
}

/// Passes on an extension's configuration, as the agent does with a module that is in the gateway's image.
fn deliver(mut extension: Value, scratch: &Scratch) {
    let code = &extension["typed_config"]["config"]["vm_config"]["code"];
    assert!(code.get("local").is_some(), "{code}");
    extension["@type"] = json!("type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig");
    let file = file_of(extension["name"].as_str().expect("a name"));
    let response = json!({ "version_info": "1", "resources": [extension] });
    scratch.write(&file, &response.to_string());
}
