//! Every mode serves on every kind of gateway that teams have.

use e2e::istio::CONFIG_SERVICE;
use e2e::{channel_body, run, simulator};
use mesh::{Bench, Case, Workload, team};
use reqwest::Method;
use serde_json::{Value, json};

use super::{ask, check_valid};

/// A chat, a stream, and errors in the client's protocol.
async fn check(pod: &Workload, channel: &Value) {
    let chat = pod.chat_until(&ask(channel, "Hi"), 200).await;
    assert_eq!(chat.text_of_answer(), "You said: Hi");

    let mut stream = ask(channel, "Hi");
    stream["stream"] = json!(true);
    let reply = pod.send(pod.chat_request(&stream)).await.unwrap();
    assert_eq!(reply.streamed_text(), "You said: Hi");
    assert!(reply.is_done(), "{reply:?}");

    // Above Envoy's own limit of 1 MiB.
    let long = ask(channel, &"long ".repeat(400_000));
    let reply = pod.send(pod.chat_request(&long)).await.unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");

    let unknown = json!({"model": "nobody-has-it", "max_tokens": 9,
        "messages": [{"role": "user", "content": "Hi"}]});
    let reply = pod.send(pod.chat_request(&unknown)).await.unwrap();
    reply.error(404, "invalid_request_error", "model_not_found");
    let call = pod.request(Method::POST, "/v1/messages").json(&unknown);
    let reply = pod.send(call).await.unwrap();
    assert_eq!(reply.status, 404, "{reply:?}");
    assert_eq!(
        reply.json()["error"]["type"],
        "not_found_error",
        "{reply:?}"
    );
}

/// One mode on all kinds of gateways; `query` says how a bench's gateways are exported.
async fn check_all(query: impl Fn(&Bench, Case) -> String) {
    for case in Case::ALL {
        eprintln!("{case:?}");
        let bench = Bench::start(&[]).await;
        let bedrock = simulator().await;
        let mut channel = channel_body(&bedrock);
        channel["endpoint"] = json!(bench.endpoint(&bedrock));
        bench.config.create(&channel).await;
        let pod = bench.serve(case, &query(&bench, case)).await;
        check(&pod, &channel).await;
        case.check_team(&pod).await;
        check_valid(&bedrock);
    }
}

#[test]
#[ignore = "needs a real Istio"]
fn a_copy_serves_everywhere() {
    run(check_all(|_, _| String::new()));
}

#[test]
#[ignore = "needs a real Istio"]
fn live_channels_serve_everywhere() {
    run(check_all(|bench, _| bench.live()));
}

#[test]
#[ignore = "needs a real Istio"]
fn live_channels_over_envoys_own_client_serve_everywhere() {
    run(check_all(|bench, _| {
        bench.live() + "&xds_client=envoy_grpc"
    }));
}

#[test]
#[ignore = "needs a real Istio"]
fn routes_serve_everywhere() {
    run(check_all(|bench, case| {
        format!("mode=routes&{}", case.parents(bench))
    }));
}

#[test]
#[ignore = "needs a real Istio"]
fn routes_with_live_channels_serve_everywhere() {
    run(check_all(|bench, case| {
        let xds = format!("xds={CONFIG_SERVICE}:{}", bench.ports.xds);
        format!("mode=routes&{xds}&{}", case.parents(bench))
    }));
}

/// In sidecars the mesh has a virtual host for each host that it knows, and Envoy accepts no second one for the same name.
#[test]
#[ignore = "needs a real Istio"]
fn a_sidecar_serves_an_endpoint_that_the_mesh_knows() {
    run(async {
        let bench = Bench::start(&[]).await;
        let bedrock = simulator().await;
        let mut channel = channel_body(&bedrock);
        channel["endpoint"] = json!(bench.endpoint(&bedrock));
        bench.config.create(&channel).await;
        let mut known = bench.manifest(Case::Sidecar, "mode=routes").await;
        known.retain(|own| own["kind"] == "ServiceEntry");
        assert_eq!(known.len(), 1);
        bench.apply(&known).await;
        let pod = bench.serve(Case::Sidecar, "").await;
        check(&pod, &channel).await;
        Case::Sidecar.check_team(&pod).await;
        check_valid(&bedrock);
    });
}

/// More clusters than Kubernetes stores in one object, and than one header lists.
#[test]
#[ignore = "needs a real Istio"]
fn a_manifest_of_several_filters_serves() {
    run(async {
        let bench = Bench::start(&[]).await;
        let bedrock = simulator().await;
        let channel = channel_body(&bedrock);
        bench.config.create(&channel).await;
        let later = (0..1_500).map(|own| format!("http://e{own}.localhost"));
        let later: Vec<_> = later.collect();
        let query = format!("{}&endpoints={}", bench.live(), later.join(","));
        let pod = bench.serve(Case::Own, &query).await;
        check(&pod, &channel).await;
        let manifest = bench.manifest(Case::Own, &query).await;
        assert!(manifest.len() > 1, "{} documents", manifest.len());
        let clusters = pod.admin_page("/clusters").await.unwrap();
        assert!(
            later
                .iter()
                .all(|own| clusters.contains(own.trim_start_matches("http://")))
        );
        let status = bench.config.status().await;
        assert_eq!(
            status["envoys"][0]["missing_clusters"],
            json!([]),
            "{status}"
        );
        check_valid(&bedrock);
    });
}

/// What stands in a manifest passed Istio's own validation, and not only the API server's.
#[test]
#[ignore = "needs a real Istio"]
fn istio_validates_what_is_applied() {
    run(async {
        let bench = Bench::start(&[]).await;
        let mut gateway = team::gateway(&bench);
        gateway["spec"]["servers"][0]["hosts"] = json!(["*.*"]);
        let refused = bench.plane.kubernetes.try_apply(&gateway).await;
        let reason = refused.unwrap_err();
        assert!(reason.contains("validation.istio.io"), "{reason}");
    });
}
