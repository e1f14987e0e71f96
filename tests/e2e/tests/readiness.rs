//! The probe in `docker-compose.yml`, which shows whether an Envoy serves.

use std::process::{Command, Stdio};

use e2e::{Reply, Stack, eventually, repository, run};
use reqwest::Method;
use serde_json::Value;

/// What the probe says about a stack's Envoy.
fn is_ready(stack: &Stack) -> bool {
    let file = repository().join("docker-compose.yml");
    let text = std::fs::read_to_string(file).expect("the file");
    let document: Value = serde_saphyr::from_str(&text).expect("valid YAML");
    let test = &document["services"]["envoy"]["healthcheck"]["test"];
    let words = test.as_array().expect("a command").iter();
    let words: Vec<_> = words.map(|word| word.as_str().expect("a word")).collect();
    let ["CMD", program, arguments @ ..] = words.as_slice() else {
        panic!("no command: {words:?}");
    };
    let port = format!("/{}", stack.envoy.port());
    let arguments = arguments
        .iter()
        .map(|argument| argument.replace("/10000", &port));
    let mut probe = Command::new(program);
    probe.args(arguments).stderr(Stdio::null());
    probe.status().expect("the probe runs").success()
}

#[test]
fn an_envoy_is_ready_once_the_filter_answers() {
    run(async {
        let stack = Stack::builder().start_unready().await;
        eventually("the probe succeeds", async || {
            is_ready(&stack).then_some(())
        })
        .await;
        let reply = stack.envoy.get("/v1/models").await;
        assert_eq!(reply.json()["object"], "list");
    });
}

#[test]
fn an_envoy_without_the_key_is_not_ready_although_it_listens() {
    run(async {
        let stack = Stack::builder().envoy_seal_key("");
        let stack = stack.start_unready().await;
        eventually("the status says so", async || {
            let status = stack.config.status().await;
            (status["envoys"][0]["state"] == "rejected").then_some(())
        })
        .await;
        assert!(!is_ready(&stack));
        // A refusal opens the listener, and the admin interface's `/ready` reports that.
        let reply = eventually("the listener answers", async || {
            let request = stack.envoy.request(Method::GET, "/v1/models");
            Some(Reply::read(request.send().await.ok()?).await)
        })
        .await;
        reply.error(503, "server_error", "service_unavailable");
        assert!(!is_ready(&stack));
    });
}
