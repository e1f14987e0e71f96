//! Gateways that get their channels from the config-service, and their clusters from a manifest.

use e2e::istio::{CONFIG_SERVICE, Hosts};
use e2e::{eventually, run};
use serde_json::json;

use super::Exporter;
use super::failover::ask;
use crate::failover::{channel, region};

/// Parameters for both of Envoy's gRPC clients.
fn parameters(exporter: &Exporter) -> [String; 2] {
    let address = format!("mode=live&xds={CONFIG_SERVICE}:{}", exporter.ports.xds);
    [address.clone(), format!("{address}&xds_client=envoy_grpc")]
}

#[test]
fn edits_arrive_without_a_new_manifest() {
    run(async {
        for client in [0, 1] {
            let exporter = Exporter::start(&[]).await;
            let (a, b) = (region("a").await, region("b").await);
            let created = exporter.config.create(&channel("a", 0, &a)).await;
            let endpoints = format!("&endpoints={}", b.url());
            let parameters = parameters(&exporter)[client].clone() + &endpoints;
            let mut envoy = exporter.gateway(&parameters, Hosts::Team).await;
            envoy.wait_ready().await;
            let chat = async || {
                let call = envoy.chat_request(&ask(false));
                envoy.send(call.header("host", e2e::istio::TEAM)).await
            };
            assert_eq!(chat().await.status, 200);
            // An endpoint that was named in advance.
            let id = created["id"].as_str().unwrap();
            let moved = json!({
                "endpoint": b.url(),
                "credentials": channel("b", 0, &b)["credentials"],
            });
            exporter.config.patch_and_wait(id, &moved).await;
            assert_eq!(chat().await.status, 200);
            assert_eq!(b.requests().len(), 1);
            exporter.config.delete(id).await;
            let gone = "a chat that no channel serves";
            eventually(gone, async || (chat().await.status == 404).then_some(())).await;
        }
    });
}

#[test]
fn a_live_gateway_fails_over() {
    run(async {
        let exporter = Exporter::start(&["--failover"]).await;
        let (a, b) = (region("a").await, region("b").await);
        exporter.config.create(&channel("a", 0, &a)).await;
        exporter.config.create(&channel("b", 1, &b)).await;
        let [parameters, _] = parameters(&exporter);
        let mut envoy = exporter.gateway(&parameters, Hosts::All).await;
        envoy.wait_ready().await;
        assert_eq!(
            envoy.chat(&ask(false)).await.header("x-bedrock-channel"),
            "a"
        );
        drop(a);
        for stream in [false, true, false] {
            let reply = envoy.chat(&ask(stream)).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            assert_eq!(reply.header("x-bedrock-channel"), "b");
        }
    });
}

#[test]
fn after_an_edit_of_the_endpoint_nothing_goes_to_the_old_one() {
    run(async {
        let exporter = Exporter::start(&["--failover"]).await;
        let (a, b, c) = (region("a").await, region("b").await, region("c").await);
        let created = exporter.config.create(&channel("a", 0, &a)).await;
        let id = created["id"].as_str().unwrap();
        let [parameters, _] = parameters(&exporter);
        let parameters = format!("{parameters}&endpoints={}", b.url());
        let mut envoy = exporter.gateway(&parameters, Hosts::All).await;
        envoy.wait_ready().await;
        assert_eq!(envoy.chat(&ask(false)).await.status, 200);
        let to = |name, bedrock| {
            let channel = channel(name, 0, bedrock);
            json!({"endpoint": channel["endpoint"], "credentials": channel["credentials"]})
        };
        // The manifest has a cluster for this one, but no pool.
        exporter.config.patch_and_wait(id, &to("b", &b)).await;
        let reply = envoy.chat(&ask(false)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        exporter.config.patch_and_wait(id, &to("c", &c)).await;
        let reply = envoy.chat(&ask(false)).await;
        reply.error(503, "server_error", "service_unavailable");
        exporter.config.patch_and_wait(id, &to("a", &a)).await;
        assert_eq!(envoy.chat(&ask(false)).await.status, 200);
        let signer = json!({"signer": "envoy"});
        exporter.config.patch_and_wait(id, &signer).await;
        let reply = envoy.chat(&ask(false)).await;
        reply.error(503, "server_error", "service_unavailable");
        for (bedrock, requests) in [(a, 2), (b, 1), (c, 0)] {
            let seen = bedrock.requests();
            assert_eq!(seen.len(), requests, "{seen:?}");
            assert!(seen.iter().all(|own| own.was_valid()), "{seen:?}");
        }
    });
}

#[test]
fn a_gateway_that_starts_first_recovers_by_itself() {
    run(async {
        let mut exporter = Exporter::start(&[]).await;
        let a = region("a").await;
        exporter.config.create(&channel("a", 0, &a)).await;
        let [parameters, _] = parameters(&exporter);
        let mut envoy = exporter.gateway(&parameters, Hosts::All).await;
        envoy.wait_ready().await;
        exporter.config.stop();
        envoy.restart_unready();
        exporter.config.resume().await;
        envoy.wait_ready().await;
        assert_eq!(envoy.chat(&ask(false)).await.status, 200);
    });
}

#[test]
fn a_gateway_that_was_exported_without_channels_is_known_to_lack_clusters() {
    run(async {
        let exporter = Exporter::start(&[]).await;
        let a = region("a").await;
        for parameters in parameters(&exporter) {
            let mut envoy = exporter.gateway(&parameters, Hosts::All).await;
            envoy.wait_ready().await;
            let created = exporter.config.create(&channel("a", 0, &a)).await;
            let warnings = created["warnings"].to_string();
            assert!(warnings.contains("no_cluster"), "{warnings}");
            exporter
                .config
                .delete(created["id"].as_str().unwrap())
                .await;
        }
    });
}
