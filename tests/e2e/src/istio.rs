//! Does to an Envoy what Istio does with an `EnvoyFilter`: `istiod` patches the gateway's configuration, and
//! the gateway's agent fetches the module
//! (<https://istio.io/latest/docs/reference/config/networking/envoy-filter/>).

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use xtask::ports::Ports;

use crate::{Bootstrap, Scratch};

const MANAGER: &str =
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER: &str = "envoy.extensions.filters.http.router.v3.Router";

/// A gateway of Istio with one HTTP listener and no `VirtualService`, patched by `manifest`.
pub async fn gateway(manifest: &Value, ports: &Ports, scratch: &Scratch) -> Bootstrap {
    let mut document = unpatched(ports);
    let patches = manifest["spec"]["configPatches"].as_array();
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
                insert_first(
                    &mut manager(&mut document)["typed_config"]["http_filters"],
                    value,
                );
            }
            ("HTTP_ROUTE", "INSERT_FIRST") => {
                let config = &mut manager(&mut document)["typed_config"]["route_config"];
                insert_first(&mut config["virtual_hosts"][0]["routes"], value);
            }
            ("CLUSTER", "ADD") => {
                insert_first(&mut document["static_resources"]["clusters"], value);
            }
            ("EXTENSION_CONFIG", "ADD") => deliver(value, scratch).await,
            other => panic!("no gateway knows {other:?}"),
        }
    }
    let filter = &mut manager(&mut document)["typed_config"]["http_filters"][0];
    let source = &mut filter["config_discovery"]["config_source"];
    assert_eq!(source["ads"], json!({}));
    source.as_object_mut().expect("a source").remove("ads");
    source["path_config_source"] = json!({ "path": scratch.join("extensions.json") });
    Bootstrap { document }
}

fn unpatched(ports: &Ports) -> Value {
    let address =
        |port: u16| json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } });
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
                        "route_config": {
                            "name": "http.8080",
                            "virtual_hosts": [{ "name": "blackhole:8080", "domains": ["*"], "routes": [] }],
                        },
                        "http_filters": [{
                            "name": "envoy.filters.http.router",
                            "typed_config": { "@type": format!("type.googleapis.com/{ROUTER}") },
                        }],
                    },
                }] }],
            }],
            "clusters": [],
        },
    })
}

fn manager(document: &mut Value) -> &mut Value {
    &mut document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
}

fn insert_first(list: &mut Value, value: Value) {
    list.as_array_mut().expect("a list").insert(0, value);
}

/// As protocol buffers merge: messages by field, lists end to end, anything else replaced.
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

/// What the agent does: fetches the module, checks it, and hands on the configuration with a file in it.
async fn deliver(mut extension: Value, scratch: &Scratch) {
    let code = &mut extension["typed_config"]["config"]["vm_config"]["code"];
    let uri = code["remote"]["http_uri"]["uri"]
        .as_str()
        .expect("an address");
    let module = reqwest::get(uri).await.expect("a module");
    let module = module.bytes().await.expect("a module");
    let digest = Sha256::digest(&module);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(code["remote"]["sha256"], digest);
    let file = scratch.join("agent.wasm");
    std::fs::write(&file, &module).expect("a file");
    *code = json!({ "local": { "filename": file } });
    extension["@type"] = json!("type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig");
    let response = json!({ "version_info": "1", "resources": [extension] });
    scratch.write("extensions.json", &response.to_string());
}
