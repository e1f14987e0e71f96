//! `GET /api/export/istio` makes an Istio gateway serve.

use bedrock_simulator::Simulator;
use e2e::{
    Artefacts, ConfigService, Envoy, SECRET_ACCESS_KEY, Scratch, channel_body, istio, run,
    simulator,
};
use reqwest::Method;
use serde_json::{Value, json};
use xtask::ports::Ports;

use crate::wire::last;

struct Gateway {
    envoy: Envoy,
    bedrock: Simulator,
    _scratch: Scratch,
}

/// A gateway with the manifest of a config-service that has ended since.
async fn start() -> Gateway {
    let (artefacts, ports, scratch) = (
        Artefacts::from_environment(),
        Ports::free().unwrap(),
        Scratch::new(),
    );
    let module = format!("--wasm={}", artefacts.module.display());
    let options = ([module], "info");
    let config = ConfigService::start(
        &artefacts.config_service,
        &ports,
        scratch.path(),
        (&options.0, options.1),
    )
    .await;
    let bedrock = simulator().await;
    let channel = channel_body(&bedrock);
    let created = config.call(Method::POST, "/api/channels", &channel).await;
    assert_eq!(created.status, 201, "{created:?}");
    let exported = config
        .call(Method::GET, "/api/export/istio", &Value::Null)
        .await;
    assert_eq!(exported.status, 200, "{exported:?}");
    let manifest: Value = serde_saphyr::from_str(&exported.text).unwrap();
    let bootstrap = istio::gateway(&manifest, &ports, &scratch).await;
    drop(config);
    let envoy = Envoy::start(&artefacts.envoy, &bootstrap, &ports, &scratch).await;
    Gateway {
        envoy,
        bedrock,
        _scratch: scratch,
    }
}

#[test]
fn a_gateway_serves_with_nothing_but_the_manifest() {
    run(async {
        let gateway = start().await;
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
        let gateway = start().await;
        let cluster = format!("bedrock|http|127.0.0.1|{}", gateway.bedrock.addr().port());
        let path = "/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke";
        let call = gateway.envoy.request(Method::POST, path);
        let call = call.header("x-bedrock-cluster", &cluster).body("{}");
        assert_eq!(gateway.envoy.send(call).await.status, 404);
        assert_eq!(gateway.bedrock.requests(), []);
    });
}
