//! A manifest with channels in it lets requests move on to another channel.

use e2e::istio::Hosts;
use e2e::run;
use serde_json::{Value, json};

use super::Exporter;
use crate::failover::{channel, region};

pub(super) fn ask(stream: bool) -> Value {
    json!({
        "model": "claude-sonnet-4-5",
        "stream": stream,
        "messages": [{"role": "user", "content": "Hi"}],
    })
}

#[test]
fn a_copy_fails_over() {
    run(async {
        let exporter = Exporter::start(&["--failover"]).await;
        let (a, b) = (region("a").await, region("b").await);
        exporter.config.create(&channel("a", 0, &a)).await;
        exporter.config.create(&channel("b", 1, &b)).await;
        let mut envoy = exporter.gateway("", Hosts::Team).await;
        envoy.wait_ready().await;
        let chat = async |stream| {
            let call = envoy
                .chat_request(&ask(stream))
                .header("host", e2e::istio::TEAM);
            envoy.send(call).await
        };
        let first = chat(false).await;
        assert_eq!(first.status, 200, "{first:?}");
        assert_eq!(first.header("x-bedrock-channel"), "a");
        drop(a);
        for stream in [false, true, false, true] {
            let reply = chat(stream).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            assert_eq!(reply.header("x-bedrock-channel"), "b");
        }
        assert!(b.requests().iter().all(|own| own.was_valid()));
    });
}
