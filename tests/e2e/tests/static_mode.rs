//! `envoy/static.yaml`: channels and clusters in the file, no config-service; and what happens to
//! requests when the filter is missing.

use std::io::Write;
use std::process::{Command, Stdio};

use bedrock_simulator::Simulator;
use e2e::{
    Artefacts, Bootstrap, Envoy, SEAL_KEY, SECRET_ACCESS_KEY, Scratch, run, simulator_builder,
};
use reqwest::Method;
use serde_json::{Value, json};
use xtask::ports::Ports;

use crate::wire::last;

/// An Envoy without a config-service; its bootstrap's simulator cluster leads to a running
/// simulator.
struct Standalone {
    envoy: Envoy,
    bedrock: Simulator,
    _scratch: Scratch,
}

/// Starts `envoy/static.yaml` after a change.
async fn start(change: impl FnOnce(&mut Bootstrap)) -> Standalone {
    let (artefacts, ports, scratch) = (
        Artefacts::from_environment(),
        Ports::free().unwrap(),
        Scratch::new(),
    );
    let address = format!("127.0.0.1:{}", ports.simulator).parse().unwrap();
    let bedrock = simulator_builder().listen(address).start().await.unwrap();
    let mut bootstrap = Bootstrap::of_static_yaml(&ports, &artefacts);
    change(&mut bootstrap);
    let envoy = Envoy::start(&artefacts.envoy, &bootstrap, &ports, &scratch).await;
    Standalone {
        envoy,
        bedrock,
        _scratch: scratch,
    }
}

fn ask(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "Hi"}]})
}

#[test]
fn static_yaml_serves_its_channels() {
    run(async {
        let gateway = start(|_| {}).await;
        let list = gateway.envoy.get("/v1/models").await.json();
        let models = list["data"].as_array().unwrap().iter();
        let mut models: Vec<_> = models.map(|model| model["id"].as_str().unwrap()).collect();
        models.sort_unstable();
        assert_eq!(models, ["claude-haiku-4-5", "claude-sonnet-4-5", "gpt-4o"]);
        for model in ["gpt-4o", "claude-sonnet-4-5"] {
            let reply = gateway.envoy.chat(&ask(model)).await;
            assert_eq!(reply.text_of_answer(), "You said: Hi");
            let path = "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc123def456/invoke";
            let request = last(&gateway.bedrock);
            assert!(request.was_valid(), "{request:?}");
            assert_eq!(request.path, path);
        }
        gateway
            .envoy
            .get("/nothing")
            .await
            .error(404, "invalid_request_error", "not_found");
    });
}

/// Anthropic's API, which a hand-written plugin configuration turns on.
fn with_messages(bootstrap: &mut Bootstrap) {
    let value = &mut bootstrap.filter()["typed_config"]["config"]["configuration"]["value"];
    let mut config: Value = serde_json::from_str(value.as_str().unwrap()).unwrap();
    config["anthropic_messages"] = json!(true);
    let mut simulator = config["channels"][1].take();
    simulator["models"] = json!([]);
    simulator["allow_model_ids"] = json!("catalogue");
    config["channels"] = json!([simulator]);
    *value = json!(config.to_string());
}

#[test]
fn messages_are_answered_by_three_families() {
    run(async {
        let gateway = start(with_messages).await;
        for model in ["claude-sonnet-4-5", "nova-lite", "llama3-1-70b-instruct"] {
            let body = json!({
                "model": model,
                "max_tokens": 100,
                "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
            });
            let send = async |body: &Value| {
                let request = gateway.envoy.request(Method::POST, "/v1/messages");
                gateway.envoy.send(request.json(body)).await
            };
            let answer = send(&body).await.json();
            let said = json!([{"type": "text", "text": "You said: Hi"}]);
            assert_eq!(answer["content"], said, "{answer}");
            assert_eq!(answer["stop_reason"], "end_turn");
            assert_eq!(answer["model"], model);
            assert!(last(&gateway.bedrock).was_valid());
            let mut body = body;
            body["stream"] = json!(true);
            let stream = send(&body).await;
            assert!(
                stream.text.starts_with("event: message_start\n"),
                "{stream:?}"
            );
            let end = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
            assert!(stream.text.ends_with(end) && !stream.is_cut, "{stream:?}");
            assert!(last(&gateway.bedrock).was_valid());
        }
    });
}

/// Checks that nothing reaches Bedrock, whatever the client sends.
async fn check_nothing_leaves(gateway: &Standalone) {
    let cluster = format!("bedrock|http|127.0.0.1|{}", gateway.bedrock.addr().port());
    assert!(gateway.envoy.has_cluster(&cluster).await);
    let chat = gateway.envoy.chat_request(&ask("gpt-4o"));
    let reply = gateway
        .envoy
        .send(chat.header("x-bedrock-cluster", &cluster))
        .await;
    reply.error(503, "server_error", "service_unavailable");
    let models = gateway.envoy.get("/v1/models").await;
    models.error(503, "server_error", "service_unavailable");
    let call = gateway.envoy.request(
        Method::POST,
        "/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke",
    );
    let call = call.header("x-bedrock-cluster", &cluster).body("{}");
    let reply = gateway.envoy.send(call).await;
    assert!([404, 503].contains(&reply.status), "{reply:?}");
    assert!(reply.json()["error"]["message"].is_string(), "{reply:?}");
    assert_eq!(gateway.bedrock.requests(), []);
}

#[test]
fn without_the_filter_nothing_leaves() {
    run(async {
        let gateway = start(|bootstrap| {
            let filters = bootstrap.connection_manager()["http_filters"].as_array_mut();
            filters.unwrap().remove(0);
        })
        .await;
        check_nothing_leaves(&gateway).await;
    });
}

#[test]
fn with_the_filter_disabled_nothing_leaves() {
    run(async {
        let gateway = start(|bootstrap| bootstrap.filter()["disabled"] = json!(true)).await;
        check_nothing_leaves(&gateway).await;
    });
}

/// A module whose filter traps at every request, in base64:
///
/// ```wat
/// (module
///   (memory (export "memory") 1)
///   (func (export "proxy_abi_version_0_2_1"))
///   (func (export "malloc") (param i32) (result i32) i32.const 1024)
///   (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) unreachable))
/// ```
const TRAPPING_MODULE: &str = "AGFzbQEAAAABEANgAABgAX8Bf2ADf39/AX8DBAMAAQIFAwEAAQdIBAZtZW1vcnkCABdwcm94eV9hYmlfdmVyc2lvbl8wXzJfMQAABm1hbGxvYwABGHByb3h5X29uX3JlcXVlc3RfaGVhZGVycwACCg4DAgALBQBBgAgLAwAACw==";

#[test]
fn with_a_failing_module_nothing_leaves_even_with_fail_open() {
    run(async {
        for policy in ["FAIL_OPEN", "FAIL_RELOAD", "FAIL_CLOSED"] {
            let gateway = start(|bootstrap| {
                let config = &mut bootstrap.filter()["typed_config"]["config"];
                config["failure_policy"] = json!(policy);
                if policy != "FAIL_RELOAD" {
                    config.as_object_mut().unwrap().remove("reload_config");
                }
                config["vm_config"]["code"] = json!({"local": {"inline_bytes": TRAPPING_MODULE}});
            })
            .await;
            // The first request on each worker makes its module fail; the others come after that.
            for _ in 0..4 {
                check_nothing_leaves(&gateway).await;
            }
        }
    });
}

/// Lets requests fail over to a pool with the local simulator, with these filters on its cluster.
fn with_pool(bootstrap: &mut Bootstrap, filters: &[Value]) {
    let wasm = bootstrap.wasm();
    let json = wasm["config"]["configuration"]["value"].as_str().unwrap();
    let mut config: Value = serde_json::from_str(json).unwrap();
    config["failover"] = json!({});
    *bootstrap = bootstrap.clone().with_plugin_config(&config.to_string());
    let options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    let codec = "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec";
    let clusters = bootstrap.document["static_resources"]["clusters"].as_array_mut();
    let clusters = clusters.unwrap();
    let of_simulator = |cluster: &&Value| cluster["name"].as_str().unwrap().contains("|http|");
    let mut pool = clusters.iter().find(of_simulator).unwrap().clone();
    pool["name"] = json!("bedrock|pool|local-simulator");
    let mut filters = filters.to_vec();
    filters.push(
        json!({"name": "envoy.filters.http.upstream_codec", "typed_config": {"@type": codec}}),
    );
    pool["typed_extension_protocol_options"] = json!({options: {
        "@type": format!("type.googleapis.com/{options}"),
        "explicit_http_config": {"http_protocol_options": {}},
        "http_filters": filters,
    }});
    let endpoint = &mut pool["load_assignment"]["endpoints"][0]["lb_endpoints"][0];
    endpoint["metadata"] = json!({"filter_metadata": {"bedrock": {"channel": "local-simulator"}}});
    clusters.push(pool);
}

/// The filter as installed on pools.
fn upstream_filter(bootstrap: &mut Bootstrap) -> Value {
    let mut filter = bootstrap.filter().clone();
    let config = json!({"schema": 1, "stage": "upstream"}).to_string();
    filter["typed_config"]["config"]["configuration"]["value"] = json!(config);
    filter
}

/// The pool sends nothing. A worker notices at its first request, and continues without failover.
async fn check_pool_sends_nothing(gateway: &Standalone) {
    let mut refused = 0;
    for _ in 0..16 {
        let reply = gateway.envoy.chat(&ask("gpt-4o")).await;
        if reply.status == 200 {
            continue;
        }
        reply.error(503, "server_error", "service_unavailable");
        refused += 1;
    }
    assert!((1..=4).contains(&refused), "{refused} of 16 were refused");
    let sent = gateway.bedrock.requests();
    assert!(sent.iter().all(|request| request.was_valid()), "{sent:?}");
    assert_eq!(sent.len(), 16 - refused);
}

#[test]
fn a_pool_without_the_filter_sends_nothing() {
    run(async {
        let gateway = start(|bootstrap| with_pool(bootstrap, &[])).await;
        check_pool_sends_nothing(&gateway).await;
    });
}

#[test]
fn a_pool_whose_filter_does_not_know_the_request_sends_nothing() {
    run(async {
        let gateway = start(|bootstrap| {
            let mut filter = upstream_filter(bootstrap);
            filter["typed_config"]["config"]["vm_config"]["vm_id"] = json!("another");
            with_pool(bootstrap, &[filter]);
        })
        .await;
        check_pool_sends_nothing(&gateway).await;
    });
}

#[test]
fn a_pool_sends_no_request_that_bypassed_the_listener_stage() {
    run(async {
        let gateway = start(|bootstrap| {
            let filter = upstream_filter(bootstrap);
            with_pool(bootstrap, &[filter]);
            let hosts = &mut bootstrap.connection_manager()["route_config"]["virtual_hosts"];
            let route = json!({
                "match": {"prefix": "/direct"},
                "route": {"cluster": "bedrock|pool|local-simulator"},
            });
            hosts[0]["routes"].as_array_mut().unwrap().insert(0, route);
        })
        .await;
        for method in [Method::GET, Method::POST] {
            for _ in 0..4 {
                let request = gateway.envoy.request(method.clone(), "/direct");
                let body = if method == Method::GET { "" } else { "{}" };
                let reply = gateway.envoy.send(request.body(body)).await;
                assert_eq!(reply.status, 503, "{reply:?}");
                assert_eq!(gateway.bedrock.requests(), []);
            }
        }
        // The filter's own requests are sent.
        let reply = gateway.envoy.chat(&ask("gpt-4o")).await;
        assert_eq!(reply.text_of_answer(), "You said: Hi");
    });
}

/// Seals a secret with the config-service's own command.
fn seal(artefacts: &Artefacts, channel: &str, secret: &str) -> String {
    let mut command = Command::new(&artefacts.config_service);
    command
        .args([
            "seal",
            "secret",
            "--channel",
            channel,
            "--field",
            "secret_access_key",
        ])
        .env("BEDROCK_SEAL_KEY", SEAL_KEY)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    stdin.write_all(secret.as_bytes()).unwrap();
    drop(stdin);
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn static_yaml_accepts_sealed_credentials() {
    run(async {
        let sealed = seal(
            &Artefacts::from_environment(),
            "local-simulator",
            SECRET_ACCESS_KEY,
        );
        let gateway = start(|bootstrap| {
            let wasm = bootstrap.wasm();
            let json = wasm["config"]["configuration"]["value"].as_str().unwrap();
            let mut config: Value = serde_json::from_str(json).unwrap();
            config["channels"][1]["credentials"]["secret_access_key"] = json!(sealed);
            config["channels"].as_array_mut().unwrap().remove(0);
            *bootstrap = bootstrap.clone().with_plugin_config(&config.to_string());
        })
        .await;
        let reply = gateway.envoy.chat(&ask("gpt-4o")).await;
        assert_eq!(reply.text_of_answer(), "You said: Hi");
        assert!(last(&gateway.bedrock).was_valid());
        let dump = gateway.envoy.admin_page("/config_dump").await;
        assert!(dump.contains(&sealed), "{dump}");
        assert!(!dump.contains(SECRET_ACCESS_KEY), "{dump}");
    });
}
