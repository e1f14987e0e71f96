//! Gateways that start while something is not there.

use e2e::{channel_body, eventually, run, simulator};
use mesh::{Bench, Case};
use reqwest::Method;
use serde_json::json;

use super::{ask, check_valid};

#[test]
#[ignore = "needs a real Istio"]
fn a_copy_serves_while_the_config_service_is_away() {
    run(async {
        let mut bench = Bench::start(&["--failover"]).await;
        let bedrock = simulator().await;
        let channel = channel_body(&bedrock);
        bench.config.create(&channel).await;
        let mut pod = bench.serve(Case::Shared, "").await;
        pod.chat_until(&ask(&channel, "Hi"), 200).await;
        bench.config.stop();
        // A pod that starts afresh has nothing but what istiod sends.
        pod.stop();
        pod.resume();
        pod.wait_ready().await;
        pod.chat_until(&ask(&channel, "Hi"), 200).await;
        check_valid(&bedrock);
    });
}

#[test]
#[ignore = "needs a real Istio"]
fn a_live_gateway_waits_for_the_config_service() {
    run(async {
        for case in [Case::Own, Case::Shared] {
            eprintln!("{case:?}");
            let mut bench = Bench::start(&[]).await;
            let bedrock = simulator().await;
            let channel = channel_body(&bedrock);
            bench.config.create(&channel).await;
            bench.apply(&case.documents(&bench)).await;
            let manifest = bench.apply_manifest(case, &bench.live()).await;
            bench.config.stop();
            let mut pod = bench.start_pod(case, &manifest).await;
            if case == Case::Shared {
                pod.wait_ready().await;
                case.check_team(&pod).await;
                let reply = pod.chat_until(&ask(&channel, "Hi"), 503).await;
                assert_eq!(reply.json()["error"]["code"], "service_unavailable");
            }
            bench.config.resume().await;
            pod.wait_ready().await;
            pod.chat_until(&ask(&channel, "Hi"), 200).await;
            check_valid(&bedrock);
        }
    });
}

#[test]
#[ignore = "needs a real Istio"]
fn a_running_live_gateway_goes_on_without_the_config_service() {
    run(async {
        let mut bench = Bench::start(&[]).await;
        let bedrock = simulator().await;
        let channel = channel_body(&bedrock);
        bench.config.create(&channel).await;
        let pod = bench.serve(Case::Own, &bench.live()).await;
        pod.chat_until(&ask(&channel, "Hi"), 200).await;
        bench.config.kill();
        for _ in 0..10 {
            let reply = pod
                .send(pod.chat_request(&ask(&channel, "Hi")))
                .await
                .unwrap();
            assert_eq!(reply.status, 200, "{reply:?}");
        }
    });
}

#[test]
#[ignore = "needs a real Istio"]
fn a_missing_module_costs_chats_alone() {
    run(async {
        for case in [Case::Shared, Case::GatewayApi, Case::Sidecar] {
            eprintln!("{case:?}");
            let bench = Bench::start(&[]).await;
            let bedrock = simulator().await;
            let channel = channel_body(&bedrock);
            bench.config.create(&channel).await;
            let query = "module=/nowhere/bedrock_filter.wasm";
            let pod = bench.serve(case, query).await;
            let chat = pod.chat_until(&ask(&channel, "Hi"), 503).await;
            assert_eq!(chat.json()["error"]["code"], "service_unavailable");
            let message = pod.request(Method::POST, "/v1/messages").json(&json!({}));
            let message = pod.send(message).await.unwrap();
            assert_eq!(message.json()["error"]["type"], "overloaded_error");
            case.check_team(&pod).await;
            assert_eq!(bedrock.requests(), []);
        }
    });
}

#[test]
#[ignore = "needs a real Istio"]
fn a_gateway_without_the_manifest_is_as_it_was() {
    run(async {
        let bench = Bench::start(&[]).await;
        let bedrock = simulator().await;
        let channel = channel_body(&bedrock);
        bench.config.create(&channel).await;
        bench.apply(&Case::Shared.documents(&bench)).await;
        let manifest = bench.apply_manifest(Case::Shared, "").await;
        let mut pod = bench.start_pod(Case::Shared, &manifest).await;
        pod.wait_ready().await;
        pod.chat_until(&ask(&channel, "Hi"), 200).await;
        for document in &manifest {
            bench.plane.kubernetes.delete(document).await;
        }
        eventually("the filter is gone", async || {
            let call = pod.chat_request(&ask(&channel, "Hi"));
            let reply = pod.send(call).await?;
            (reply.status == 404 && reply.text.is_empty()).then_some(())
        })
        .await;
        Case::Shared.check_team(&pod).await;
    });
}
