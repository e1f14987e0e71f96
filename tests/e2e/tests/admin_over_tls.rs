//! The admin port over HTTPS: Envoy fetches the module from it, and commands edit through it.

use std::process::Command;

use bedrock_simulator::Simulator;
use e2e::{
    ADMIN_TOKEN, Artefacts, Authority, Bootstrap, ConfigService, Envoy, Scratch, channel_body,
    documented, eventually, run, simulator,
};
use serde_json::{Value, json};
use xtask::ports::Ports;

/// What `docs/OPERATIONS.md` says for the cluster that fetches the module, with files in `scratch`.
fn tls(scratch: &Scratch) -> Value {
    let example = documented("### HTTPS for the admin port").to_string();
    let folder = scratch.path().display().to_string();
    let example = example.replace("/etc/envoy/tls", &folder);
    let example: Value = serde_json::from_str(&example).unwrap();
    example["transport_socket"].clone()
}

/// Creates the channel with a command, and returns the model that it serves.
fn apply(scratch: &Scratch, config: &ConfigService, bedrock: &Simulator) -> String {
    let body = channel_body(bedrock);
    let model = body["models"][0].as_str().unwrap().to_owned();
    let file = scratch.write("channels.yaml", &json!({"channels": [body]}).to_string());
    let token = scratch.write("token", &format!("{ADMIN_TOKEN}\n"));
    let output = Command::new(Artefacts::from_environment().config_service)
        .args(["apply", "--server", &config.url(""), "--file"])
        .arg(file)
        .arg("--ca-file")
        .arg(scratch.join("ca.pem"))
        .env("BEDROCK_ADMIN_TOKEN_FILE", token)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    model
}

#[test]
fn module_edits_and_chats_go_through_with_a_private_authority() {
    run(async {
        let (artefacts, ports) = (Artefacts::from_environment(), Ports::free().unwrap());
        let (scratch, authority) = (Scratch::new(), Authority::new());
        scratch.write("ca.pem", &authority.pem());
        let (certificate, key) = authority.issue_for(&["config-service.example", "127.0.0.1"]);
        let arguments = [
            format!("--wasm={}", artefacts.module.display()),
            format!(
                "--tls-certificate={}",
                scratch.write("server.pem", &certificate).display()
            ),
            format!("--tls-key={}", scratch.write("server.key", &key).display()),
        ];
        let config = ConfigService::start_over_tls(
            &artefacts.config_service,
            &ports,
            scratch.path(),
            (&arguments, "info"),
            &authority.pem(),
        )
        .await;
        let mut bootstrap = Bootstrap::dynamic(&ports);
        let clusters = bootstrap.document["static_resources"]["clusters"].as_array_mut();
        let mut clusters = clusters.unwrap().iter_mut();
        let cluster = clusters.find(|it| it["name"] == "config-service");
        cluster.unwrap()["transport_socket"] = tls(&scratch);
        // It becomes ready once it has the module.
        let envoy = Envoy::start(&artefacts.envoy, &bootstrap, &ports, &scratch).await;
        let bedrock = simulator().await;
        let model = apply(&scratch, &config, &bedrock);
        config.wait_active(1).await;
        let ask = json!({"model": model, "messages": [{"role": "user", "content": "Hi"}]});
        let answer = eventually("the model is served", async || {
            let reply = envoy.chat(&ask).await;
            (reply.status == 200).then_some(reply)
        })
        .await;
        assert_eq!(answer.text_of_answer(), "You said: Hi");
    });
}
