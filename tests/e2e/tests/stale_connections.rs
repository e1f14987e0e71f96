//! Connections that the other side closes while they are not used.

use bedrock_simulator::{Effect, Fault};
use e2e::{Channel, RawUpstream, SharedStack, Stack, run, shared, simulator};
use reqwest::Method;
use serde_json::{Value, json};

use crate::wire::last;

static FAILOVER: SharedStack = SharedStack::new(|| Stack::builder().failover(3));

const ROUNDS: usize = 50;

/// Each of Envoy's workers has connections of its own.
const WORKERS: usize = 2;

/// Asks often on a channel whose upstream answers one request on each connection, and resets it at the next.
async fn ask_often(stack: &Stack) -> (Channel, RawUpstream) {
    let bedrock = simulator().await;
    let upstream = RawUpstream::before(bedrock.addr()).await;
    let endpoint = json!({"endpoint": upstream.url()});
    let channel = stack.channel_with(&bedrock, &endpoint).await;
    upstream.serve_once_each();
    for round in 0..ROUNDS {
        let body = if round % 2 == 0 {
            channel.ask("Hi")
        } else {
            channel.ask_stream("Hi")
        };
        let reply = stack.envoy.chat(&body).await;
        assert_eq!(reply.status, 200, "round {round}: {reply:?}");
        assert!(!reply.is_cut, "round {round}: {reply:?}");
        assert!(
            round % 2 == 0 || reply.is_done(),
            "round {round}: {reply:?}"
        );
    }
    let connections = upstream.connections();
    // Each was used again, and then replaced.
    assert!(connections >= ROUNDS / 2, "{connections} connections");
    (channel, upstream)
}

#[test]
fn a_closed_connection_is_no_error_for_clients() {
    run(async {
        let stack = shared().await;
        ask_often(&stack).await;
    });
}

#[test]
fn with_failover_it_is_no_fault_of_the_channel_either() {
    run(async {
        let stack = FAILOVER.get().await;
        let (channel, _upstream) = ask_often(&stack).await;
        let path = format!("/api/channels/{}", channel.id);
        let view = stack.config.call(Method::GET, &path, &Value::Null).await;
        let view = view.json();
        let name = view["name"].as_str().expect("a name");
        let metrics = stack.envoy.admin_page("/stats/prometheus").await;
        let own = |metric: &str| {
            let lines = metrics.lines().filter(|line| line.starts_with(metric));
            let label = format!("channel=\"{name}\"");
            let own: Vec<_> = lines.filter(|line| line.contains(&label)).collect();
            own.join("\n")
        };
        let attempts = own("bedrock_attempts_total");
        assert!(
            attempts.contains("reason=\"stale_connection\""),
            "{attempts}"
        );
        assert!(!attempts.contains("unavailable"), "{attempts}");
        assert_eq!(own("bedrock_cooldowns_total"), "");
    });
}

#[test]
fn an_upstream_that_breaks_every_connection_is_tried_twice_and_no_more() {
    run(async {
        let stack = shared().await;
        let bedrock = simulator().await;
        let upstream = RawUpstream::before(bedrock.addr()).await;
        let endpoint = json!({"endpoint": upstream.url()});
        let channel = stack.channel_with(&bedrock, &endpoint).await;
        upstream.say("", e2e::UpstreamEnd::Reset);
        let before = upstream.connections();
        let reply = stack.envoy.chat(&channel.ask("Hi")).await;
        reply.error(503, "server_error", "service_unavailable");
        assert_eq!(upstream.connections(), before + 2);
    });
}

/// A chat of more than 4 MB, most of which is blank, so that it is few tokens.
fn long() -> String {
    format!("Hi{}there", " ".repeat(4_000_000))
}

/// Envoy keeps the body for the second try. A worker's first request opens a connection, and each one after it finds
/// one that was used, so of these at least half are sent twice.
#[test]
fn a_long_request_is_sent_again_whole() {
    const ROUNDS: usize = 2 * WORKERS;
    run(async {
        for stack in [shared().await, FAILOVER.get().await] {
            let bedrock = simulator().await;
            let upstream = RawUpstream::before(bedrock.addr()).await;
            let endpoint = json!({"endpoint": upstream.url()});
            let channel = stack.channel_with(&bedrock, &endpoint).await;
            upstream.serve_once_each();
            let text = long();
            // The simulator would repeat the user's words one by one.
            let mut body = channel.ask("Hi");
            let messages = body["messages"].as_array_mut().expect("messages");
            messages.insert(0, json!({"role": "system", "content": text}));
            for round in 0..ROUNDS {
                let reply = stack.envoy.chat(&body).await;
                assert_eq!(reply.status, 200, "round {round}: {reply:?}");
                let request = last(&bedrock);
                assert!(request.was_valid(), "round {round}: {:?}", request.path);
                assert!(request.body_bytes > text.len(), "round {round}");
            }
            assert_eq!(bedrock.requests().len(), ROUNDS);
            assert_eq!(upstream.connections(), ROUNDS, "each was served once");
        }
    });
}

/// The routes know only whether an answer has begun.
#[test]
fn a_model_that_was_at_work_is_asked_once_more_too() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        bedrock.inject(Fault::new(Effect::Close));
        let reply = stack.envoy.chat(&channel.ask("Hi")).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(bedrock.requests().len(), 2);
    });
}

#[test]
fn an_answer_that_has_begun_is_never_asked_for_again() {
    run(async {
        for stack in [shared().await, FAILOVER.get().await] {
            let bedrock = simulator().await;
            let channel = stack.channel(&bedrock).await;
            for (body, after_events) in [
                (channel.ask("Hi"), 0),
                (channel.ask_stream("Hi"), 0),
                (channel.ask_stream("Hi"), 4),
            ] {
                let before = bedrock.requests().len();
                bedrock.inject(Fault::new(Effect::Cut { after_events }));
                let reply = stack.envoy.chat(&body).await;
                assert!(reply.status != 200 || reply.is_cut, "{reply:?}");
                assert_eq!(bedrock.requests().len(), before + 1, "{reply:?}");
            }
        }
    });
}
