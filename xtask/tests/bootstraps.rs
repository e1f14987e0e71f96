//! `envoy/envoy.yaml` and `envoy/static.yaml` keep their promises, and Envoy accepts both.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{root, text, yaml};
use serde_json::Value;
use xtask::envoy::{bootstrap, with_module};
use xtask::ports::Ports;

pub(crate) const MANAGER: &str =
    "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";

fn artefact(variable: &str) -> PathBuf {
    let value = std::env::var_os(variable);
    value
        .unwrap_or_else(|| panic!("{variable} is not set: run `cargo xtask test`"))
        .into()
}

#[track_caller]
pub(crate) fn check_accepted(bootstrap: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("envoy.yaml");
    std::fs::write(&file, bootstrap).unwrap();
    check_valid(
        Command::new(artefact("ENVOY_BIN"))
            .arg("--config-path")
            .arg(&file),
    );
}

#[track_caller]
fn check_valid(envoy: &mut Command) {
    let output = envoy.args(["--mode", "validate"]).output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    assert!(!log.contains("eprecated"), "{log}");
}

#[test]
fn envoy_accepts_the_bootstrap_with_a_config_service() {
    check_accepted(&text("envoy/envoy.yaml"));
}

#[test]
fn envoy_accepts_the_bootstrap_without_a_config_service() {
    let module = artefact("BEDROCK_FILTER_WASM");
    check_accepted(&with_module(&text("envoy/static.yaml"), &module));
}

#[test]
fn envoy_accepts_what_the_container_makes_of_the_bootstrap() {
    let bin = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(artefact("ENVOY_BIN"), bin.path().join("envoy")).unwrap();
    let path = format!(
        "{}:{}",
        bin.path().display(),
        std::env::var("PATH").unwrap()
    );
    let output = Command::new(root().join("envoy/entrypoint.sh"))
        .args(["--mode", "validate"])
        .env("PATH", path)
        .env("TMPDIR", bin.path())
        .env("ENVOY_TEMPLATE", root().join("envoy/envoy.yaml"))
        .env("CONFIG_SERVICE_HOST", "config-service")
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    let made: Value = serde_saphyr::from_str(&made_by_entrypoint(bin.path())).unwrap();
    for cluster in list(&made, "/static_resources/clusters") {
        let is_own = cluster["name"] == "envoy-admin";
        let expected = if is_own {
            "127.0.0.1"
        } else {
            "config-service"
        };
        assert_eq!(address(cluster), expected);
    }
    assert_eq!(address(&made["admin"]), "127.0.0.1");
}

#[test]
fn both_bootstraps_have_the_same_listener() {
    let mut with = yaml("envoy/envoy.yaml");
    let mut without = yaml("envoy/static.yaml");
    for (document, origin) in [
        (&mut with, "config_discovery"),
        (&mut without, "typed_config"),
    ] {
        let filters = document.pointer_mut(MANAGER).unwrap()["http_filters"]
            .as_array_mut()
            .unwrap();
        let filter = filters.remove(0);
        assert_eq!(filter["name"], "bedrock");
        assert!(filter.get(origin).is_some());
    }
    // Failover needs clusters that only a config-service can push.
    let routes = with.pointer_mut(MANAGER).unwrap();
    let routes = routes.pointer_mut("/route_config/virtual_hosts/0/routes");
    let pools = routes.unwrap().as_array_mut().unwrap().remove(0);
    assert_eq!(pools["name"], "bedrock-pool");
    for part in ["/static_resources/listeners", "/admin", "/overload_manager"] {
        assert_eq!(with.pointer(part), without.pointer(part), "{part}");
    }
}

#[test]
fn an_istio_gateway_has_what_the_listener_has() {
    let bootstrap = yaml("envoy/static.yaml");
    let manager = bootstrap.pointer(MANAGER).unwrap();
    let manifest = yaml("envoy/istio.yaml");
    let patches = list(&manifest, "/spec/configPatches");
    let values = |kind: &str| {
        let own = patches.iter().filter(move |patch| patch["applyTo"] == kind);
        own.map(|patch| &patch["patch"]["value"])
            .collect::<Vec<_>>()
    };
    let limit = "per_connection_buffer_limit_bytes";
    let listener = &bootstrap["static_resources"]["listeners"][0];
    assert_eq!(values("LISTENER")[0][limit], listener[limit]);
    let patched = values("NETWORK_FILTER")[0]["typed_config"]
        .as_object()
        .unwrap();
    for (name, value) in patched {
        let mut value = value.clone();
        if name == "local_reply_config" {
            // A gateway answers for Istio's policies too.
            let mappers = value["mappers"].as_array_mut().unwrap();
            let own = manager["local_reply_config"]["mappers"].as_array().unwrap();
            let theirs: Vec<_> = mappers.drain(..mappers.len() - own.len()).collect();
            assert!(
                theirs
                    .iter()
                    .all(|own| own.to_string().contains("rbac_access_denied"))
            );
        }
        assert_eq!(Some(&value), manager.get(name), "{name}");
    }
    let routes = list(manager, "/route_config/virtual_hosts/0/routes");
    // A gateway's other paths are not ours to answer.
    let is_ours =
        |route: &&Value| !["not-found", "probe"].contains(&route["name"].as_str().unwrap());
    let by_name = |mut routes: Vec<&Value>| {
        routes.sort_by_key(|route| route["name"].to_string());
        routes.into_iter().cloned().collect::<Vec<_>>()
    };
    let mut routes = by_name(routes.iter().filter(is_ours).collect());
    for route in routes.iter_mut().filter_map(Value::as_object_mut) {
        // A gateway counts for limits by itself.
        route.remove("typed_per_filter_config");
    }
    assert_eq!(by_name(values("HTTP_ROUTE")), routes);
    let own = values("VIRTUAL_HOST")[0];
    let route = &list(own, "/routes")[0];
    assert!(values("HTTP_ROUTE").contains(&route));
    let mut plugins = [
        values("EXTENSION_CONFIG")[0]["typed_config"]["config"].clone(),
        manager["http_filters"][0]["typed_config"]["config"].clone(),
    ];
    for plugin in &mut plugins {
        plugin["configuration"] = Value::Null;
        plugin["vm_config"]["code"] = Value::Null;
    }
    let [in_istio, in_envoy] = plugins;
    assert_eq!(in_istio, in_envoy);
}

/// What `envoy/istio-bootstrap.yaml` adds to a gateway's bootstrap.
fn istio_override() -> String {
    let map = yaml("envoy/istio-bootstrap.yaml");
    let text = map["data"]["custom_bootstrap.json"].as_str();
    text.expect("an override").to_owned()
}

#[test]
fn an_istio_gateway_has_the_same_memory_limits_and_labels() {
    let own = yaml("envoy/envoy.yaml");
    let mut expected = own["overload_manager"].clone();
    let monitors = expected["resource_monitors"].as_array_mut().unwrap();
    // Istio limits connections itself.
    monitors.retain(|monitor| monitor["name"] == "envoy.resource_monitors.fixed_heap");
    let mut added: Value = serde_json::from_str(&istio_override()).unwrap();
    // Only Istio drops metrics: see the tests of alerts.
    let own_labels = added["stats_config"].as_object_mut().unwrap();
    assert!(own_labels.remove("stats_matcher").is_some());
    let labels = &own["stats_config"];
    assert!(labels["stats_tags"].is_array());
    let expected = serde_json::json!({ "overload_manager": expected, "stats_config": labels });
    assert_eq!(added, expected);
}

#[test]
fn envoy_accepts_what_an_istio_gateway_adds_beside_a_bootstrap() {
    let mut bootstrap = yaml("envoy/envoy.yaml");
    for own in ["overload_manager", "stats_config"] {
        bootstrap.as_object_mut().unwrap().remove(own);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("envoy.json");
    std::fs::write(&file, bootstrap.to_string()).unwrap();
    check_valid(
        Command::new(artefact("ENVOY_BIN"))
            .arg("--config-path")
            .arg(&file)
            .args(["--config-yaml", &istio_override()]),
    );
}

#[test]
fn only_a_header_that_clients_cannot_send_leads_to_bedrock() {
    let document = yaml("envoy/envoy.yaml");
    let manager = document.pointer(MANAGER).unwrap();
    let stripped = manager
        .pointer("/early_header_mutation_extensions/0/typed_config/mutations/0/remove_on_match/key_matcher/safe_regex/regex");
    // Everything with the prefix but `x-bedrock-tier`: `-([^t].*|t([^i].*)?|…` goes on letter by letter.
    assert_eq!(
        stripped.unwrap(),
        "x-bedrock-([!-su-~][!-~]*|t([!-hj-~][!-~]*)?|ti([!-df-~][!-~]*)?|tie([!-qs-~][!-~]*)?|tier[!-~]+)?"
    );
    let routes = list(manager, "/route_config/virtual_hosts/0/routes");
    let (forwarding, answering): (Vec<_>, Vec<_>) = routes
        .iter()
        .partition(|route| route.get("route").is_some());
    assert_eq!(forwarding.len(), 2, "two routes leave Envoy");
    for route in forwarding {
        assert_eq!(route["route"]["cluster_header"], "x-bedrock-cluster");
        assert_eq!(route["match"]["headers"][0]["name"], "x-bedrock-cluster");
    }
    for route in answering {
        let answer = &route["direct_response"];
        if answer["status"] == 200 {
            assert_eq!(
                route["name"], "probe",
                "only HEAD / is answered with success"
            );
            continue;
        }
        let body = answer["body"]["inline_string"].as_str().unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        assert!(body["error"]["message"].is_string());
        assert_eq!(body["error"]["param"], Value::Null);
    }
}

#[test]
fn admin_is_on_loopback() {
    for file in ["envoy/envoy.yaml", "envoy/static.yaml"] {
        assert_eq!(address(&yaml(file)["admin"]), "127.0.0.1", "{file}");
    }
}

#[test]
fn limits_are_asked_about_behind_the_filter_wherever_a_request_leaves() {
    for file in ["envoy/envoy.yaml", "envoy/static.yaml"] {
        let document = yaml(file);
        let manager = document.pointer(MANAGER).unwrap();
        let filters = list(manager, "/http_filters").iter();
        let filters: Vec<_> = filters.map(|own| own["name"].as_str().unwrap()).collect();
        let limiter = "envoy.filters.http.ratelimit";
        assert_eq!(filters, ["bedrock", limiter, "envoy.filters.http.router"]);
        for route in list(manager, "/route_config/virtual_hosts/0/routes") {
            let asks = route["typed_per_filter_config"].get(limiter).is_some();
            assert_eq!(asks, route.get("route").is_some(), "{file}: {route}");
        }
        let clusters = list(&document, "/static_resources/clusters");
        let service = clusters.iter().find(|own| own["name"] == "rate-limit");
        let service = service.unwrap();
        // Without these two, a service that hangs delays every request, although it is known to be unhealthy.
        let threshold = "/common_lb_config/healthy_panic_threshold/value";
        assert_eq!(service.pointer(threshold).unwrap(), 0);
        let name = "/health_checks/0/grpc_health_check/service_name";
        assert_eq!(service.pointer(name).unwrap(), "ratelimit");
    }
}

#[test]
fn no_cluster_is_named_with_a_dot_in_statistics() {
    let clusters = |file: &str| list(&yaml(file), "/static_resources/clusters").to_vec();
    let mut all = clusters("envoy/envoy.yaml");
    all.extend(clusters("envoy/static.yaml"));
    let manifest = yaml("envoy/istio.yaml");
    let patches = list(&manifest, "/spec/configPatches").iter();
    let own = patches.filter(|patch| patch["applyTo"] == "CLUSTER");
    all.extend(own.map(|patch| patch["patch"]["value"].clone()));
    assert!(all.len() > 3);
    for cluster in all {
        let name = cluster.get("alt_stat_name").unwrap_or(&cluster["name"]);
        let name = name.as_str().unwrap();
        assert!(!name.contains('.'), "{name}");
    }
}

#[test]
fn the_plugin_configuration_of_the_static_bootstrap_is_json() {
    let configuration = static_configuration(&text("envoy/static.yaml"));
    assert_eq!(configuration["schema"], 1);
    assert_eq!(configuration["channels"].as_array().unwrap().len(), 2);
}

#[test]
fn other_ports_leave_no_default_port_behind() {
    let ports = Ports::free().unwrap();
    for file in ["envoy/envoy.yaml", "envoy/static.yaml"] {
        let fitted = bootstrap(&text(file), &ports).unwrap();
        let lines = fitted
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        for line in lines {
            for default in ["10000 ", "9901", "9902", "8080", "18000", "9000"] {
                let found = line.contains(&format!("port_value: {default}"))
                    || line.contains(&format!("127.0.0.1:{default}"))
                    || line.contains(&format!("127.0.0.1|{default}"));
                assert!(!found, "{file}: {line}");
            }
        }
        let document: Value = serde_saphyr::from_str(&fitted).unwrap();
        assert_eq!(
            address(&document["static_resources"]["listeners"][0]),
            "127.0.0.1"
        );
    }
    let fitted = bootstrap(&text("envoy/static.yaml"), &ports).unwrap();
    assert_eq!(
        static_configuration(&fitted)["channels"][1]["endpoint"],
        format!("http://127.0.0.1:{}", ports.simulator)
    );
}

fn static_configuration(bootstrap: &str) -> Value {
    let document: Value = serde_saphyr::from_str(bootstrap).unwrap();
    let filter = &list(document.pointer(MANAGER).unwrap(), "/http_filters")[0];
    let json = filter.pointer("/typed_config/config/configuration/value");
    serde_json::from_str(json.unwrap().as_str().unwrap()).unwrap()
}

fn made_by_entrypoint(folder: &Path) -> String {
    let files = std::fs::read_dir(folder).unwrap().flatten();
    let made = files.map(|entry| entry.path().join("envoy.yaml"));
    std::fs::read_to_string(made.into_iter().find(|file| file.is_file()).unwrap()).unwrap()
}

fn list<'a>(document: &'a Value, pointer: &str) -> &'a Vec<Value> {
    document.pointer(pointer).unwrap().as_array().unwrap()
}

/// The first socket address of an admin interface, a listener or a cluster.
fn address(owner: &Value) -> &str {
    let endpoint = "/load_assignment/endpoints/0/lb_endpoints/0/endpoint";
    let owner = owner.pointer(endpoint).unwrap_or(owner);
    let address = owner.pointer("/address/socket_address/address");
    address.unwrap().as_str().unwrap()
}
