//! Tracing, as `docs/METRICS.md` describes it: nothing of a trace goes to Bedrock.

use bedrock_simulator::Simulator;
use e2e::{Bootstrap, Stack, eventually, example, run, simulator};
use serde_json::Value;

use crate::failover;

/// The tracing of `docs/METRICS.md`, to a collector that nobody runs.
fn trace(bootstrap: &mut Bootstrap) {
    let tracing = example("docs/METRICS.md", "## Traces", "yaml");
    let tracing: Value = serde_saphyr::from_str(&tracing).expect("valid YAML");
    bootstrap.connection_manager()["tracing"] = tracing["tracing"].clone();
    bootstrap.add_http2_cluster("otel", 9);
}

/// The part of it that every version knows.
fn trace_as_ever(bootstrap: &mut Bootstrap) {
    trace(bootstrap);
    let tracing = &mut bootstrap.connection_manager()["tracing"];
    let provider = tracing["provider"].take();
    *tracing = serde_json::json!({ "provider": provider });
}

#[test]
fn nothing_of_a_trace_goes_to_bedrock() {
    run(async {
        let stack = Stack::builder().change_bootstrap(trace).start().await;
        let bedrock = simulator().await;
        let channel = stack.channel(&bedrock).await;
        check(&stack, &channel.ask("Hi"), &bedrock).await;
    });
}

/// Before 1.38 it is the clusters that let nothing out, and with failover the filter on them.
#[test]
fn an_envoy_that_propagates_traces_sends_nothing_of_them_either() {
    run(async {
        for attempts in [None, Some(2)] {
            let builder = Stack::builder().attempts(attempts);
            let stack = builder.change_bootstrap(trace_as_ever).start().await;
            let bedrock = failover::region("a").await;
            failover::create(&stack, &[failover::channel("a", 0, &bedrock)]).await;
            let ask = serde_json::json!({
                "model": "claude-sonnet-4-5",
                "messages": [{"role": "user", "content": "Hi"}],
            });
            check(&stack, &ask, &bedrock).await;
        }
    });
}

/// Checks that requests are traced, and that Bedrock does not notice.
async fn check(stack: &Stack, body: &Value, bedrock: &Simulator) {
    for parent in [
        None,
        Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ] {
        let mut request = stack.envoy.chat_request(body);
        if let Some(parent) = parent {
            request = request
                .header("traceparent", parent)
                .header("tracestate", "a=b");
        }
        let reply = stack
            .envoy
            .send(request.header("x-request-id", "r-1"))
            .await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.header("x-request-id"), "r-1");
        let sent = bedrock.requests().pop().unwrap();
        assert!(sent.was_valid(), "{sent:?}");
        for name in ["traceparent", "tracestate", "x-request-id"] {
            assert_eq!(sent.header(name), None, "{sent:?}");
        }
    }
    let page = "/stats?filter=tracing.random_sampling";
    eventually("Envoy has traced", async || {
        let stats = stack.envoy.try_admin_page(page).await?;
        stats
            .lines()
            .any(|line| !line.ends_with(": 0"))
            .then_some(())
    })
    .await;
}
