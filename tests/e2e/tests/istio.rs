//! `GET /api/export/istio` makes an Istio gateway serve.

mod failover;
mod live;
mod neighbours;

use bedrock_simulator::Simulator;
use e2e::istio::{self, Hosts};
use e2e::{
    Artefacts, ConfigService, Envoy, SECRET_ACCESS_KEY, Scratch, channel_body, run, simulator,
};
use reqwest::Method;
use serde_json::{Value, json};
use xtask::ports::Ports;

use crate::wire::last;

/// A config-service whose channels are exported.
struct Exporter {
    artefacts: Artefacts,
    ports: Ports,
    scratch: Scratch,
    config: ConfigService,
}

impl Exporter {
    async fn start(flags: &[&str]) -> Self {
        let (artefacts, ports, scratch) = (
            Artefacts::from_environment(),
            Ports::free().unwrap(),
            Scratch::new(),
        );
        let module = format!("--wasm-path-in-envoy={}", artefacts.module.display());
        let mut flags: Vec<_> = flags.iter().map(|&flag| flag.to_owned()).collect();
        flags.push(module);
        let service = &artefacts.config_service;
        let options = (flags.as_slice(), "info");
        let config = ConfigService::start(service, &ports, scratch.path(), options).await;
        Self {
            artefacts,
            ports,
            scratch,
            config,
        }
    }

    /// The manifest with these parameters.
    async fn manifest(&self, query: &str) -> Vec<Value> {
        let path = format!("/api/export/istio?{query}");
        let exported = self.config.call(Method::GET, &path, &Value::Null).await;
        assert_eq!(exported.status, 200, "{exported:?}");
        istio::documents(&exported.text)
    }

    /// A gateway with it that has not become ready yet.
    async fn gateway(&self, query: &str, hosts: Hosts) -> Envoy {
        let manifest = self.manifest(query).await;
        let bootstrap = istio::gateway(&manifest, hosts, &self.ports, &self.scratch);
        Envoy::start_unready(
            &self.artefacts.envoy,
            &bootstrap,
            &self.ports,
            &self.scratch,
        )
    }
}

struct Gateway {
    envoy: Envoy,
    bedrock: Simulator,
    model: String,
    _scratch: Scratch,
}

/// A gateway with the manifest of a config-service that has since stopped.
async fn start(query: &str, hosts: Hosts) -> Gateway {
    let exporter = Exporter::start(&[]).await;
    let bedrock = simulator().await;
    let channel = channel_body(&bedrock);
    exporter.config.create(&channel).await;
    let mut envoy = exporter.gateway(query, hosts).await;
    drop(exporter.config);
    envoy.wait_ready().await;
    Gateway {
        envoy,
        bedrock,
        model: channel["models"][0].as_str().unwrap().to_owned(),
        _scratch: exporter.scratch,
    }
}

#[test]
fn a_gateway_needs_only_the_manifest_to_serve() {
    run(async {
        let gateway = start("", Hosts::All).await;
        let list = gateway.envoy.get("/v1/models").await.json();
        let model = list["data"][0]["id"].as_str().unwrap().to_owned();
        // Above Envoy's own limit of 1 MiB.
        for text in ["Hi".to_owned(), "long ".repeat(400_000)] {
            let ask = json!({"model": model, "messages": [{"role": "user", "content": text}]});
            let reply = gateway.envoy.chat(&ask).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            let request = last(&gateway.bedrock);
            assert!(request.was_valid(), "{:?}", request.path);
        }
        let stream = json!({"model": model, "stream": true,
            "messages": [{"role": "user", "content": "Hi"}]});
        let reply = gateway.envoy.chat(&stream).await;
        assert!(reply.is_done(), "{reply:?}");
        let dump = gateway.envoy.admin_page("/config_dump").await;
        assert!(!dump.contains(SECRET_ACCESS_KEY));
    });
}

#[test]
fn a_client_of_the_gateway_cannot_name_a_cluster() {
    run(async {
        let gateway = start("", Hosts::All).await;
        let cluster = format!("bedrock|http|127.0.0.1|{}", gateway.bedrock.addr().port());
        let path = "/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke";
        for host in [
            "127.0.0.1",
            "stand-in.invalid",
            "bedrock-runtime.us-east-1.amazonaws.com",
        ] {
            let call = gateway
                .envoy
                .request(Method::POST, path)
                .header("host", host);
            let call = call.header("x-bedrock-cluster", &cluster).body("{}");
            assert_eq!(gateway.envoy.send(call).await.status, 404, "{host}");
        }
        assert_eq!(gateway.bedrock.requests(), []);
    });
}
