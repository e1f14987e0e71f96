//! Requests that are tried on one channel after the other, each attempt signed for its channel.

mod channel_faults;
mod differences;
mod edits;
mod storm;
mod timeouts;

use bedrock_simulator::{Effect, Fault, Key, Pace, Simulator};
use bytes::Bytes;
use e2e::{Lease, Leases, Reply, Stack, run};
use serde_json::{Value, json};

use crate::wire::last;

/// A simulator for one region and account, with its own key.
pub(crate) async fn region(name: &str) -> Simulator {
    let key = Key::new(
        format!("AKID{}", name.to_uppercase()),
        format!("secret-of-{name}"),
    );
    let builder = Simulator::builder().credentials(key).region("us-east-1");
    builder.start().await.expect("a simulator")
}

/// A channel to it.
pub(crate) fn channel(name: &str, priority: u32, bedrock: &Simulator) -> Value {
    json!({
        "name": name,
        "region": "us-east-1",
        "endpoint": bedrock.url(),
        "priority": priority,
        "credentials": {
            "type": "static",
            "access_key_id": format!("AKID{}", name.to_uppercase()),
            "secret_access_key": format!("secret-of-{name}"),
        },
    })
}

pub(crate) async fn create(stack: &Stack, channels: &[Value]) {
    let mut revision = 0;
    for channel in channels {
        let view = stack.config.create(channel).await;
        revision = view["revision"].as_u64().expect("a revision");
    }
    stack.config.wait_active(revision).await;
    stack.wait_served("claude-sonnet-4-5").await;
}

/// A stack with failover and without channels.
pub(crate) async fn stack() -> Lease {
    static STACKS: Leases = Leases::new(|| Stack::builder().failover(3));
    STACKS.get().await
}

/// Two regions, `a` before `b`.
async fn two_regions_on(stack: &Stack) -> (Simulator, Simulator) {
    let (a, b) = (region("a").await, region("b").await);
    create(stack, &[channel("a", 0, &a), channel("b", 1, &b)]).await;
    (a, b)
}

/// A stack with two regions, `a` before `b`.
async fn two_regions() -> (Lease, Simulator, Simulator) {
    let stack = stack().await;
    let (a, b) = two_regions_on(&stack).await;
    (stack, a, b)
}

fn ask(stream: bool) -> Value {
    json!({
        "model": "claude-sonnet-4-5",
        "stream": stream,
        "messages": [{"role": "user", "content": "Hi"}],
    })
}

#[track_caller]
pub(crate) fn served_by(reply: &Reply, channel: &str, attempts: &str) {
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("x-bedrock-channel"), channel, "{reply:?}");
    assert_eq!(reply.header("x-bedrock-attempts"), attempts, "{reply:?}");
}

#[test]
fn one_channel_serves_plain_and_streamed() {
    run(async {
        let stack = stack().await;
        let a = region("a").await;
        create(&stack, &[channel("a", 0, &a)]).await;
        let reply = stack.envoy.chat(&ask(false)).await;
        served_by(&reply, "a", "1");
        assert!(reply.text_of_answer().contains("Hi"));
        let reply = stack.envoy.chat(&ask(true)).await;
        served_by(&reply, "a", "1");
        assert!(reply.is_done(), "{reply:?}");
    });
}

/// Waits until every worker tries a channel first again, after its cool-down. Each request has its
/// own connection, so that both workers get many of them.
async fn recovered(stack: &Stack, channel: &str) {
    let client = reqwest::Client::builder().pool_max_idle_per_host(0);
    let client = client.build().expect("a client");
    let url = format!("{}/v1/chat/completions", stack.envoy.url());
    let mut in_a_row = 0;
    e2e::eventually("the channel is tried first again", async || {
        let sent = client.post(&url).json(&ask(false)).send().await;
        let reply = Reply::read(sent.expect("an answer")).await;
        in_a_row = if reply.header("x-bedrock-channel") == channel {
            in_a_row + 1
        } else {
            0
        };
        (in_a_row == 20).then_some(())
    })
    .await;
}

#[test]
fn a_throttled_or_broken_channel_gives_way_to_the_next() {
    run(async {
        let (stack, a, _b) = two_regions().await;
        for stream in [false, true] {
            for fault in [
                Fault::throttling(),
                Fault::error(503, "ServiceUnavailableException", "busy"),
                Fault::error(500, "InternalServerException", "oops"),
                Fault::error(408, "ModelTimeoutException", "late"),
                Fault::error(424, "ModelErrorException", "oops"),
                // From a proxy in front of Bedrock.
                Fault::raw(520, "text/html", "<html>Unknown error</html>"),
                Fault::new(Effect::Close),
            ] {
                let fault_shown = format!("{fault:?}");
                a.inject(fault);
                let reply = stack.envoy.chat(&ask(stream)).await;
                assert_eq!(
                    reply.header("x-bedrock-attempts"),
                    "2",
                    "{fault_shown}: {reply:?}"
                );
                served_by(&reply, "b", "2");
                recovered(&stack, "a").await;
            }
        }
    });
}

#[test]
fn an_exception_before_the_first_word_of_a_stream_gives_way_to_the_next() {
    run(async {
        let (stack, a, _b) = two_regions().await;
        // The events that open the answer and its first block do not count as words either.
        for events in 0..3 {
            a.inject(Fault::exception(
                events,
                "throttlingException",
                "Slow down.",
            ));
            let reply = stack.envoy.chat(&ask(true)).await;
            served_by(&reply, "b", "2");
            assert!(reply.is_done(), "{reply:?}");
            recovered(&stack, "a").await;
        }
        // Later is too late, because the client has seen part of the answer.
        a.inject(Fault::exception(3, "throttlingException", "Slow down."));
        let reply = stack.envoy.chat(&ask(true)).await;
        served_by(&reply, "a", "1");
        assert!(!reply.is_done(), "{reply:?}");
    });
}

#[test]
fn an_unreadable_answer_gives_way_to_the_next_channel() {
    run(async {
        let (stack, a, _b) = two_regions().await;
        for stream in [false, true] {
            for fault in [
                Fault::raw(200, "text/html", "<html>Welcome!</html>"),
                Fault::new(Effect::UnknownOperation),
                Fault::new(Effect::Cut { after_events: 0 }),
            ] {
                let fault_shown = format!("{fault:?}");
                a.inject(fault);
                let reply = stack.envoy.chat(&ask(stream)).await;
                assert_eq!(
                    reply.header("x-bedrock-channel"),
                    "b",
                    "{fault_shown}: {reply:?}"
                );
                served_by(&reply, "b", "2");
                recovered(&stack, "a").await;
            }
        }
    });
}

#[test]
fn the_serving_channel_can_be_hidden_from_clients() {
    run(async {
        let stack = Stack::builder().failover(3).hide_answer_headers();
        let stack = stack.start().await;
        let (a, b) = two_regions_on(&stack).await;
        a.inject(Fault::throttling());
        let answered = stack.envoy.chat(&ask(false)).await;
        assert_eq!(answered.status, 200, "{answered:?}");
        for bedrock in [&a, &b] {
            bedrock.inject(Fault::throttling());
        }
        let refused = stack.envoy.chat(&ask(false)).await;
        assert_eq!(refused.status, 429, "{refused:?}");
        for reply in [answered, refused] {
            let mut names = reply.headers.keys();
            let told = names.any(|name| name.as_str().starts_with("x-bedrock"));
            assert!(!told, "{reply:?}");
        }
    });
}

#[test]
fn an_unreachable_region_costs_one_attempt_and_then_none() {
    run(async {
        let stack = stack().await;
        let b = region("b").await;
        let mut gone = channel("a", 0, &b);
        // Nothing listens there.
        let port = xtask::ports::free_port().expect("a free port");
        gone["endpoint"] = json!(format!("http://127.0.0.1:{port}"));
        create(&stack, &[gone, channel("b", 1, &b)]).await;
        let mut attempts = Vec::new();
        for _ in 0..12 {
            let reply = stack.envoy.chat(&ask(false)).await;
            assert_eq!(reply.header("x-bedrock-channel"), "b", "{reply:?}");
            attempts.push(reply.header("x-bedrock-attempts").to_owned());
        }
        let twice = attempts.iter().filter(|own| *own == "2").count();
        // Each of the two workers keeps its own record, and probes now and then.
        assert!((1..=6).contains(&twice), "{attempts:?}");
    });
}

#[test]
fn wrong_credentials_give_way_until_they_are_corrected() {
    run(async {
        let stack = stack().await;
        let (a, b) = (region("a").await, region("b").await);
        let mut wrong = channel("a", 0, &a);
        wrong["credentials"]["secret_access_key"] = json!("mistyped");
        let id = stack.config.create(&wrong).await["id"].clone();
        create(&stack, &[channel("b", 1, &b)]).await;
        for _ in 0..6 {
            let reply = stack.envoy.chat(&ask(false)).await;
            assert_eq!(reply.header("x-bedrock-channel"), "b", "{reply:?}");
        }
        let right = json!({"credentials": channel("a", 0, &a)["credentials"]});
        let id = id.as_str().expect("an id");
        stack.config.patch_and_wait(id, &right).await;
        recovered(&stack, "a").await;
    });
}

#[test]
fn a_faulty_request_is_not_retried() {
    run(async {
        let (stack, a, b) = two_regions().await;
        a.inject(Fault::error(400, "ValidationException", "no such thing"));
        let reply = stack.envoy.chat(&ask(false)).await;
        assert_eq!(reply.status, 400, "{reply:?}");
        assert_eq!(reply.header("x-bedrock-channel"), "a", "{reply:?}");
        assert!(b.requests().is_empty());
    });
}

#[test]
fn the_last_error_reaches_the_client_when_all_channels_fail() {
    run(async {
        let (stack, a, b) = two_regions().await;
        for bedrock in [&a, &b] {
            bedrock.inject(Fault::throttling());
        }
        let reply = stack.envoy.chat(&ask(false)).await;
        reply.error(429, "rate_limit_error", "rate_limit_exceeded");
        assert_eq!(reply.header("x-bedrock-attempts"), "2", "{reply:?}");
        for bedrock in [&a, &b] {
            bedrock.inject(Fault::exception(0, "throttlingException", "Slow down."));
        }
        let reply = stack.envoy.chat(&ask(true)).await;
        reply.error(429, "rate_limit_error", "rate_limit_exceeded");
    });
}

/// Whether Envoy's metrics have this one, with at least these labels, and this value.
fn counts(metrics: &str, metric: &str, labels: &str, value: u32) -> bool {
    metrics.lines().any(|line| {
        let own = line.strip_prefix(metric).unwrap_or_default();
        let own = own.strip_prefix('{').and_then(|own| own.split_once("} "));
        own.is_some_and(|(own, count)| {
            let is_there = |label| own.split(',').any(|own| own == label);
            labels.split(',').all(is_there) && count == value.to_string()
        })
    })
}

#[test]
fn attempts_failovers_and_cooldowns_are_counted() {
    run(async {
        // One that has not counted anything yet.
        let stack = Stack::builder().failover(3).start().await;
        let (a, _b) = two_regions_on(&stack).await;
        a.inject(Fault::error(503, "ServiceUnavailableException", "busy"));
        let reply = stack.envoy.chat(&ask(false)).await;
        served_by(&reply, "b", "2");
        let metrics = stack.envoy.admin_page("/stats/prometheus").await;
        for (metric, labels) in [
            (
                "bedrock_attempts_total",
                r#"channel="a",reason="unavailable""#,
            ),
            ("bedrock_attempts_total", r#"channel="b",reason="answered""#),
            (
                "bedrock_failovers_total",
                r#"channel="a",reason="unavailable""#,
            ),
            (
                "bedrock_cooldowns_total",
                r#"channel="a",reason="unavailable""#,
            ),
        ] {
            let own: Vec<_> = metrics
                .lines()
                .filter(|own| own.contains("bedrock_"))
                .collect();
            let found = counts(&metrics, metric, labels, 1);
            assert!(found, "no {metric}{{{labels}}} in {own:#?}");
        }
    });
}

#[test]
fn a_long_request_that_ends_with_trailers_is_complete_in_every_attempt() {
    run(async {
        let (stack, a, b) = two_regions().await;
        a.inject(Fault::throttling());
        let mut body = ask(false);
        body["messages"][0]["content"] = json!("long ".repeat(200_000));
        let body = body.to_string();
        let pieces = body.as_bytes().chunks(10_000);
        let pieces = pieces.map(Bytes::copy_from_slice).collect();
        let mut trailers = http::HeaderMap::new();
        trailers.insert("x-checksum", "1".parse().expect("a value"));
        let path = "/v1/chat/completions";
        let (status, text) =
            e2e::h2_post_with_trailers(stack.envoy.port(), path, pieces, trailers).await;
        assert_eq!(status, 200, "{text}");
        for bedrock in [&a, &b] {
            let request = last(bedrock);
            assert!(request.body_bytes > 1_000_000, "{request:?}");
            assert!(request.header("x-checksum").is_none());
        }
    });
}

#[test]
fn retry_after_reaches_the_client_and_sets_the_cooldown() {
    run(async {
        let (stack, a, b) = two_regions().await;
        for bedrock in [&a, &b] {
            bedrock.inject(
                Fault::throttling()
                    .with_header("retry-after", "30")
                    .times(8),
            );
        }
        let reply = stack.envoy.chat(&ask(false)).await;
        reply.error(429, "rate_limit_error", "rate_limit_exceeded");
        assert_eq!(reply.header("retry-after"), "30", "{reply:?}");
    });
}

/// No answer for longer than any test takes.
pub(crate) fn hang() -> Fault {
    Fault::paced(Pace {
        before_headers_ms: 600_000,
        ..Pace::default()
    })
}
