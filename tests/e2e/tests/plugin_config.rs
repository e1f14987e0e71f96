//! Plugin configurations that do not compile are refused with a reason, and the last good one
//! keeps serving.

use bedrock_simulator::Simulator;
use e2e::{
    ACCESS_KEY_ID, Artefacts, Bootstrap, ConfigService, EcdsServer, Envoy, REGION,
    SECRET_ACCESS_KEY, Scratch, eventually, run, simulator,
};
use serde_json::{Value, json};
use xtask::ports::Ports;

use crate::wire::last;

const MODEL: &str = "claude-sonnet-4-5";

fn arn(profile: &str) -> String {
    format!("arn:aws:bedrock:{REGION}:123456789012:application-inference-profile/{profile}")
}

/// A configuration of one channel, which maps the model to a profile.
fn config(bedrock: &Simulator, profile: &str) -> Value {
    json!({"schema": 1, "channels": [{
        "name": "one",
        "region": REGION,
        "endpoint": bedrock.url(),
        "credentials": {
            "type": "static",
            "access_key_id": ACCESS_KEY_ID,
            "secret_access_key": SECRET_ACCESS_KEY,
        },
        "inference_profile_arn_map": {MODEL: arn(profile)},
    }]})
}

/// Configurations with a fault, each with what Envoy's log says about it.
fn faulty(bedrock: &Simulator) -> Vec<(String, &'static str)> {
    let with = |pointer: &str, value: Value| {
        let mut config = config(bedrock, "bad");
        *config.pointer_mut(pointer).unwrap() = value;
        config.to_string()
    };
    let mut unknown = config(bedrock, "bad");
    unknown["channels"][0]["regions"] = json!("us-east-1");
    let mut broken = config(bedrock, "bad").to_string();
    broken.truncate(broken.len() - 2);
    vec![
        (broken, "EOF"),
        (
            unknown.to_string(),
            "/channels/0/regions: unknown field `regions`",
        ),
        (
            with("/channels/0/region", json!("mars")),
            "/channels/0/region: ",
        ),
        (
            with("/channels/0/endpoint", json!("ftp://x")),
            "/channels/0/endpoint: ",
        ),
        (
            with("/channels/0/credentials/secret_access_key", json!(5)),
            "/channels/0/credentials",
        ),
        (with("/schema", json!(2)), "/schema: "),
    ]
}

fn check_secretless(text: &str) {
    assert!(!text.contains(SECRET_ACCESS_KEY), "a secret leaked: {text}");
}

#[test]
fn envoy_does_not_start_with_a_faulty_static_configuration() {
    run(async {
        let (artefacts, bedrock) = (Artefacts::from_environment(), simulator().await);
        for (config, reason) in faulty(&bedrock) {
            let (ports, scratch) = (Ports::free().unwrap(), Scratch::new());
            let bootstrap =
                Bootstrap::of_static_yaml(&ports, &artefacts).with_plugin_config(&config);
            let mut envoy = Envoy::start_unready(&artefacts.envoy, &bootstrap, &ports, &scratch);
            envoy.wait_exit().await;
            let log = envoy.log();
            let refusal = log
                .lines()
                .find(|line| line.contains("plugin configuration refused: "));
            let refusal = refusal.unwrap_or_else(|| panic!("no refusal of {config} in\n{log}"));
            assert!(refusal.contains(reason), "{reason}: {refusal}");
            check_secretless(&log);
        }
    });
}

#[test]
fn a_push_that_envoy_refuses_is_shown_with_the_reason() {
    run(async {
        let artefacts = Artefacts::from_environment();
        let (ports, scratch) = (Ports::free().unwrap(), Scratch::new());
        // Envoy has no such file, so it refuses the resource, whatever the configuration
        // says.
        let module = ["--wasm-path-in-envoy=/nowhere/filter.wasm".to_owned()];
        let options = (module.as_slice(), "info");
        let folder = scratch.path();
        let service =
            ConfigService::start(&artefacts.config_service, &ports, folder, options).await;
        let bootstrap = Bootstrap::dynamic(&ports);
        let envoy = Envoy::start_unready(&artefacts.envoy, &bootstrap, &ports, &scratch);
        let refused = eventually("the refusal", async || {
            let node = service.status().await["envoys"][0].clone();
            (node["state"] == "rejected").then_some(node)
        })
        .await;
        let reason = refused["rejected"]["reason"].as_str().unwrap();
        assert!(reason.contains("/nowhere/filter.wasm"), "{refused}");
        assert_eq!(refused["active_revision"], Value::Null);
        // Envoy opens its listener nevertheless, but answers itself instead of the missing
        // filter.
        for path in ["/v1/models", "/anything"] {
            let reply = eventually("an answer", async || {
                let response = envoy
                    .request(reqwest::Method::GET, path)
                    .send()
                    .await
                    .ok()?;
                Some(e2e::Reply::read(response).await)
            })
            .await;
            reply.error(503, "server_error", "service_unavailable");
        }
    });
}

#[test]
fn a_faulty_push_is_refused_and_the_last_good_configuration_keeps_serving() {
    run(async {
        let (artefacts, bedrock) = (Artefacts::from_environment(), simulator().await);
        let (ports, scratch) = (Ports::free().unwrap(), Scratch::new());
        let server = EcdsServer::start(&artefacts, &config(&bedrock, "good1").to_string()).await;
        let bootstrap = Bootstrap::of_static_yaml(&ports, &artefacts)
            .with_ecds_server(server.port())
            .with_endpoint(bedrock.addr().port());
        let envoy = Envoy::start(&artefacts.envoy, &bootstrap, &ports, &scratch).await;
        let profile = async || {
            let body = json!({"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]});
            envoy.chat(&body).await.text_of_answer();
            last(&bedrock).path
        };
        let path = |name: &str| e2e::Channel::path_for(&arn(name), "invoke");
        assert_eq!(profile().await, path("good1"));
        for (number, (config, reason)) in faulty(&bedrock).into_iter().enumerate() {
            let version = format!("bad{number}");
            server.send(&version, &config);
            let refusal = eventually("the refusal", async || server.refusal(&version)).await;
            check_secretless(&refusal);
            assert!(
                envoy.log().contains(reason),
                "{reason} is not in\n{}",
                envoy.log()
            );
            assert_eq!(profile().await, path("good1"));
        }
        let stat = "extension_config_discovery.http_filter.bedrock.update_rejected";
        let page = envoy.admin_page(&format!("/stats?filter={stat}")).await;
        let (_, refused) = page.trim().split_once(": ").expect("the counter");
        assert_eq!(refused, faulty(&bedrock).len().to_string(), "{page}");
        server.send("good2", &config(&bedrock, "good2").to_string());
        eventually("the good configuration", async || {
            (profile().await == path("good2")).then_some(())
        })
        .await;
        // A region that has no cluster yet.
        let mut new = config(&bedrock, "good3");
        new["channels"][0]["endpoint"] = Value::Null;
        server.send("good3", &new.to_string());
        let body = json!({"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]});
        let reply = eventually("the new region", async || {
            let reply = envoy.chat(&body).await;
            (reply.status != 200).then_some(reply)
        })
        .await;
        reply.error(503, "server_error", "service_unavailable");
        check_secretless(&envoy.log());
    });
}
