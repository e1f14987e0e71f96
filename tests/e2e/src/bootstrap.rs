//! The repository's Envoy bootstraps, with other ports and a test's changes.

use std::fs;

use serde_json::{Value, json};
use xtask::ports::Ports;

use crate::{Artefacts, documented, repository};

/// A bootstrap as JSON, which Envoy reads as well as YAML.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    /// The document.
    pub document: Value,
}

impl Bootstrap {
    /// `envoy/envoy.yaml`: channels come from a config-service.
    pub fn dynamic(ports: &Ports) -> Self {
        Self::parse(&template("envoy.yaml"), ports)
    }

    /// `envoy/static.yaml`: channels are in the file.
    pub fn of_static_yaml(ports: &Ports, artefacts: &Artefacts) -> Self {
        let text = xtask::envoy::with_module(&template("static.yaml"), &artefacts.module);
        Self::parse(&text, ports)
    }

    fn parse(template: &str, ports: &Ports) -> Self {
        let text = xtask::envoy::bootstrap(template, ports).expect("a bootstrap of ours");
        let document = serde_saphyr::from_str(&text).expect("valid YAML");
        Self { document }
    }

    /// The HTTP connection manager of the only listener.
    pub fn connection_manager(&mut self) -> &mut Value {
        &mut self.document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    }

    /// Sets the overload manager's memory limit, in bytes.
    pub fn set_heap_limit(&mut self, bytes: u64) {
        let monitors = self.document["overload_manager"]["resource_monitors"].as_array_mut();
        let mut monitors = monitors.expect("resource monitors").iter_mut();
        let heap = monitors.find(|monitor| monitor["name"] == "envoy.resource_monitors.fixed_heap");
        heap.expect("a limit of the heap")["typed_config"]["max_heap_size_bytes"] = json!(bytes);
    }

    /// Lets names be looked up at this port of loopback, and nowhere else.
    pub fn set_resolver(&mut self, port: u16) {
        let config = "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig";
        self.document["typed_dns_resolver_config"] = json!({
            "name": "envoy.network.dns_resolver.cares",
            "typed_config": {
                "@type": format!("type.googleapis.com/{config}"),
                "resolvers": [{ "socket_address": { "address": "127.0.0.1", "port_value": port } }],
                "dns_resolver_options": { "no_default_search_domain": true },
            },
        });
    }

    /// Sends the xDS stream to another port on loopback.
    pub fn set_xds_port(&mut self, port: u16) {
        let clusters = self.document["static_resources"]["clusters"].as_array_mut();
        let mut clusters = clusters.expect("clusters").iter_mut();
        let xds = clusters.find(|cluster| cluster["name"] == "config-service-xds");
        let endpoints = &mut xds.expect("the xDS cluster")["load_assignment"]["endpoints"];
        let endpoint = &mut endpoints[0]["lb_endpoints"][0]["endpoint"];
        endpoint["address"]["socket_address"]["port_value"] = json!(port);
    }

    /// Envoy's rate limit filter, which asks about callers' limits.
    pub fn rate_limiter(&mut self) -> &mut Value {
        let filters = self.connection_manager()["http_filters"].as_array_mut();
        let mut filters = filters.expect("filters").iter_mut();
        let limiter = filters.find(|filter| filter["name"] == "envoy.filters.http.ratelimit");
        &mut limiter.expect("a rate limit filter")["typed_config"]
    }

    /// Leads it to a service at another port of loopback, and waits longer for answers: machines that run tests are busy.
    pub fn set_rate_limit_service(&mut self, port: u16, timeout: &str) {
        self.rate_limiter()["timeout"] = json!(timeout);
        let clusters = self.document["static_resources"]["clusters"].as_array_mut();
        let mut clusters = clusters.expect("clusters").iter_mut();
        let cluster = clusters.find(|cluster| cluster["name"] == "rate-limit");
        let cluster = cluster.expect("its cluster");
        cluster["health_checks"][0]["timeout"] = json!(timeout);
        let endpoints = &mut cluster["load_assignment"]["endpoints"];
        let endpoint = &mut endpoints[0]["lb_endpoints"][0]["endpoint"];
        endpoint["address"]["socket_address"]["port_value"] = json!(port);
    }

    /// Changes the plugin configuration of `static.yaml`.
    pub fn change_plugin_config(&mut self, change: impl FnOnce(&mut Value)) {
        let value = &mut self.filter()["typed_config"]["config"]["configuration"]["value"];
        let json = value.as_str().expect("a plugin configuration");
        let mut config = serde_json::from_str(json).expect("JSON");
        change(&mut config);
        *value = json!(config.to_string());
    }

    /// The Bedrock filter among the HTTP filters.
    pub fn filter(&mut self) -> &mut Value {
        &mut self.connection_manager()["http_filters"][0]
    }

    /// Puts another HTTP filter in front of all of them; [`Self::filter`] is not the Bedrock filter any more then.
    pub fn put_in_front(&mut self, filter: Value) {
        let filters = self.connection_manager()["http_filters"].as_array_mut();
        filters.expect("filters").insert(0, filter);
    }

    /// Adds the same listener on another port of loopback, over TLS for clients with a certificate.
    pub fn add_tls_listener(&mut self, port: u16, transport_socket: Value) {
        let listeners = self.document["static_resources"]["listeners"].as_array_mut();
        let listeners = listeners.expect("listeners");
        let mut own = listeners[0].clone();
        own["name"] = json!("over-tls");
        own["address"]["socket_address"]["port_value"] = json!(port);
        own["filter_chains"][0]["transport_socket"] = transport_socket;
        listeners.push(own);
    }

    /// The filter's Wasm configuration, which is in `static.yaml`.
    pub fn wasm(&mut self) -> Value {
        self.filter()["typed_config"].clone()
    }

    /// Sets the plugin configuration of `static.yaml`.
    #[must_use]
    pub fn with_plugin_config(mut self, json: &str) -> Self {
        self.filter()["typed_config"]["config"]["configuration"]["value"] = json!(json);
        self
    }

    /// Adds the cluster of a plain HTTP endpoint on loopback.
    #[must_use]
    pub fn with_endpoint(mut self, port: u16) -> Self {
        let cluster = loopback_cluster(&format!("bedrock|http|127.0.0.1|{port}"), port);
        let clusters = self.document["static_resources"]["clusters"].as_array_mut();
        clusters.expect("clusters").push(cluster);
        self
    }

    /// Adds the cluster of an HTTP/2 server on loopback.
    pub fn add_http2_cluster(&mut self, name: &str, port: u16) {
        let mut cluster = loopback_cluster(name, port);
        let options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
        cluster["typed_extension_protocol_options"] = json!({
            options: {
                "@type": format!("type.googleapis.com/{options}"),
                "explicit_http_config": { "http2_protocol_options": {} },
            },
        });
        let clusters = self.document["static_resources"]["clusters"].as_array_mut();
        clusters.expect("clusters").push(cluster);
    }

    /// Gets the filter from an ECDS server (gRPC) on loopback, as `docs/OPERATIONS.md` shows.
    #[must_use]
    pub fn with_ecds_server(mut self, port: u16) -> Self {
        self.add_http2_cluster("ecds", port);
        let mut filter = documented("### Meshes with a control plane of their own")[0].clone();
        let source = &mut filter["config_discovery"]["config_source"]["api_config_source"];
        source["grpc_services"][0]["envoy_grpc"]["cluster_name"] = json!("ecds");
        *self.filter() = filter;
        self
    }
}

fn template(file: &str) -> String {
    let path = repository().join("envoy").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn loopback_cluster(name: &str, port: u16) -> Value {
    let address = json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } });
    json!({
        "name": name,
        "type": "STRICT_DNS",
        "connect_timeout": "2s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": address } }] }],
        },
    })
}
