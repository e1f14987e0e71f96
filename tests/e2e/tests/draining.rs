//! What the chart's pods do before they stop.

use std::process::Command;

use bedrock_simulator::{Fault, Pace};
use e2e::{Stack, repository, run, simulator};

#[test]
fn an_envoy_that_is_to_stop_waits_for_its_streams() {
    run(async {
        let (stack, bedrock) = (Stack::start().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        bedrock.inject(Fault::paced(Pace {
            between_events_ms: 300,
            ..Pace::default()
        }));
        let body = channel.ask_stream("a text of several words, one by one");
        let mut response = stack.envoy.chat_request(&body).send().await.unwrap();

        let script = repository().join("deploy/helm/bedrock-filter/files/drain.sh");
        let mut drain = Command::new("bash");
        drain
            .arg(script)
            .arg("60")
            .env(
                "ENVOY_ADMIN",
                format!("127.0.0.1/{}", stack.envoy.admin_port()),
            )
            .env("DRAIN_PAUSE", "0");
        let draining = tokio::task::spawn_blocking(move || drain.status().unwrap().success());
        let mut text = Vec::new();
        while let Some(piece) = response.chunk().await.unwrap() {
            text.extend(piece);
            let is_over = text.ends_with(b"[DONE]\n\n");
            assert!(is_over || !draining.is_finished(), "it did not wait");
        }
        assert!(text.ends_with(b"[DONE]\n\n"));
        assert!(draining.await.unwrap());
        // Clients are told to go elsewhere, but whoever still comes is served.
        let late = stack.envoy.chat(&channel.ask("Hi")).await;
        assert_eq!(late.status, 200);
        assert_eq!(late.header("connection"), "close");
    });
}
