//! TLS endpoints, where server name, trusted authority and certificate name are all checked; and
//! mutual TLS between Envoy and the config-service.

use std::sync::LazyLock;

use bedrock_simulator::Simulator;
use e2e::{
    Artefacts, Authority, Bootstrap, Channel, ConfigService, Envoy, Scratch, SharedStack, Stack,
    TlsFront, documented, run, simulator, simulator_builder,
};
use serde_json::{Value, json};
use xtask::ports::Ports;

use crate::wire::last;

/// The authority that Envoy trusts.
static TRUSTED: LazyLock<Authority> = LazyLock::new(Authority::new);

static STACK: SharedStack = SharedStack::new(|| Stack::builder().upstream_ca(&TRUSTED.pem()));

async fn channel_to(stack: &Stack, bedrock: &Simulator, endpoint: &str) -> Channel {
    stack
        .channel_with(bedrock, &json!({"endpoint": endpoint}))
        .await
}

/// Checks that chats, plain and streamed, fail as if the endpoint were unreachable, and that
/// nothing arrives.
async fn check_unreachable(stack: &Stack, bedrock: &Simulator, channel: &Channel) {
    for body in [channel.ask("Hi"), channel.ask_stream("Hi")] {
        let reply = stack.envoy.chat(&body).await;
        let message = reply.error(503, "server_error", "service_unavailable");
        for detail in ["CERTIFICATE", "TLS", "SSL", "127.0.0.1", "localhost"] {
            assert!(!message.contains(detail), "{message}");
        }
    }
    assert_eq!(bedrock.requests(), []);
}

#[test]
fn a_tls_endpoint_with_a_trusted_certificate_is_served() {
    run(async {
        let stack = STACK.get().await;
        let (certificate, key) = TRUSTED.issue("localhost");
        let bedrock = simulator_builder()
            .tls(certificate, key)
            .start()
            .await
            .unwrap();
        let authority = format!("localhost:{}", bedrock.addr().port());
        let channel = channel_to(&stack, &bedrock, &format!("https://{authority}")).await;
        for body in [channel.ask("Hi"), channel.ask_stream("Hi")] {
            assert_eq!(stack.envoy.chat(&body).await.status, 200);
            let request = last(&bedrock);
            assert!(request.was_valid(), "{request:?}");
            assert_eq!(request.header("host"), Some(authority.as_str()));
        }
    });
}

#[test]
fn the_server_name_of_the_handshake_is_the_endpoints_host() {
    run(async {
        let (stack, bedrock) = (STACK.get().await, simulator().await);
        let front = TlsFront::start(&bedrock, TRUSTED.issue("localhost")).await;
        let endpoint = format!("https://localhost:{}", front.port());
        let channel = channel_to(&stack, &bedrock, &endpoint).await;
        stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
        assert_eq!(front.names(), [Some("localhost".to_owned())]);
    });
}

#[test]
fn an_ip_address_is_also_checked_against_the_certificate() {
    run(async {
        let (stack, bedrock) = (STACK.get().await, simulator().await);
        for (name, is_served) in [("127.0.0.1", true), ("127.0.0.2", false)] {
            bedrock.clear();
            let front = TlsFront::start(&bedrock, TRUSTED.issue(name)).await;
            let endpoint = format!("https://127.0.0.1:{}", front.port());
            let channel = channel_to(&stack, &bedrock, &endpoint).await;
            if is_served {
                stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
            } else {
                check_unreachable(&stack, &bedrock, &channel).await;
            }
        }
    });
}

#[test]
fn a_certificate_from_an_unknown_authority_is_refused() {
    run(async {
        let (stack, bedrock) = (STACK.get().await, simulator().await);
        let front = TlsFront::start(&bedrock, Authority::new().issue("localhost")).await;
        let endpoint = format!("https://localhost:{}", front.port());
        let channel = channel_to(&stack, &bedrock, &endpoint).await;
        check_unreachable(&stack, &bedrock, &channel).await;
    });
}

#[test]
fn a_certificate_of_another_host_is_refused() {
    run(async {
        let (stack, bedrock) = (STACK.get().await, simulator().await);
        let front = TlsFront::start(&bedrock, TRUSTED.issue("elsewhere.example")).await;
        let endpoint = format!("https://localhost:{}", front.port());
        let channel = channel_to(&stack, &bedrock, &endpoint).await;
        check_unreachable(&stack, &bedrock, &channel).await;
    });
}

/// What `docs/OPERATIONS.md` says for the cluster of the config-service, with files in `scratch`.
fn xds_tls(scratch: &Scratch) -> Value {
    let example = documented("### TLS for xDS").to_string();
    let folder = scratch.path().display().to_string();
    let example = example.replace("/etc/envoy/tls", &folder);
    let example: Value = serde_json::from_str(&example).unwrap();
    example["transport_socket"].clone()
}

#[test]
fn envoy_is_configured_over_mutual_tls() {
    run(async {
        let (artefacts, ports) = (Artefacts::from_environment(), Ports::free().unwrap());
        let (scratch, authority) = (Scratch::new(), Authority::new());
        scratch.write("ca.pem", &authority.pem());
        let mut arguments = vec![
            format!("--wasm={}", artefacts.module.display()),
            format!("--xds-tls-client-ca={}", scratch.join("ca.pem").display()),
        ];
        for (name, stem) in [("config-service.example", "server"), ("envoy", "envoy")] {
            let (certificate, key) = authority.issue(name);
            scratch.write(&format!("{stem}.pem"), &certificate);
            scratch.write(&format!("{stem}.key"), &key);
        }
        let server = scratch.join("server");
        arguments.push(format!("--xds-tls-certificate={}.pem", server.display()));
        arguments.push(format!("--xds-tls-key={}.key", server.display()));
        let options = (arguments.as_slice(), "info");
        let folder = scratch.path();
        let config = ConfigService::start(&artefacts.config_service, &ports, folder, options).await;
        let mut bootstrap = Bootstrap::dynamic(&ports);
        let clusters = bootstrap.document["static_resources"]["clusters"].as_array_mut();
        let mut clusters = clusters.unwrap().iter_mut();
        let cluster = clusters.find(|it| it["name"] == "config-service-xds");
        cluster.unwrap()["transport_socket"] = xds_tls(&scratch);
        let _envoy = Envoy::start(&artefacts.envoy, &bootstrap, &ports, &scratch).await;
        config.wait_active(0).await;
    });
}
