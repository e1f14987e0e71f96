//! Channels that do not start to answer in time.

use bedrock_simulator::{Fault, Pace, Simulator};
use e2e::{Stack, run};
use serde_json::json;

use super::{ask, channel, counts, create, hang, recovered, region, served_by, stack};
use crate::wire::last;

/// Two regions, `a` before `b`, whose answers must start within this many seconds.
async fn two_regions_within(stack: &Stack, seconds: u32) -> (Simulator, Simulator) {
    let (a, b) = (region("a").await, region("b").await);
    let mut channels = [channel("a", 0, &a), channel("b", 1, &b)];
    for own in &mut channels {
        own["first_byte_timeout_seconds"] = json!(seconds);
        own["request_timeout_seconds"] = json!(seconds);
    }
    create(stack, &channels).await;
    (a, b)
}

#[test]
fn a_region_that_hangs_gives_way_after_its_time_limit_and_cools_down() {
    run(async {
        // One that has not counted anything yet.
        let stack = Stack::builder().failover(3).start().await;
        let (a, b) = two_regions_within(&stack, 5).await;
        for stream in [false, true] {
            a.inject(hang());
            let reply = stack.envoy.chat(&ask(stream)).await;
            served_by(&reply, "b", "2");
            assert_eq!(
                last(&b).header("x-envoy-upstream-rq-per-try-timeout-ms"),
                None
            );
            recovered(&stack, "a").await;
        }
        let metrics = stack.envoy.admin_page("/stats/prometheus").await;
        for metric in ["failovers", "cooldowns"] {
            let (metric, labels) = (
                format!("bedrock_{metric}_total"),
                r#"channel="a",reason="unavailable""#,
            );
            assert!(counts(&metrics, &metric, labels, 2), "no {metric}");
        }
    });
}

#[test]
fn no_channel_gets_less_time_than_its_own_setting() {
    run(async {
        let stack = stack().await;
        let (a, b) = (region("a").await, region("b").await);
        let mut hasty = channel("b", 1, &b);
        hasty["first_byte_timeout_seconds"] = json!(1);
        create(&stack, &[channel("a", 0, &a), hasty]).await;
        a.inject(Fault::paced(Pace {
            before_headers_ms: 3_000,
            ..Pace::default()
        }));
        served_by(&stack.envoy.chat(&ask(true)).await, "a", "1");
    });
}

#[test]
fn a_model_that_thinks_before_answering_does_not_count_as_hanging() {
    run(async {
        let stack = stack().await;
        let (a, _b) = two_regions_within(&stack, 10).await;
        let slow = Fault::paced(Pace {
            between_events_ms: 600_000,
            ..Pace::default()
        });
        let mut thinks = ask(true);
        thinks["thinking"] = json!({"type": "enabled", "budget_tokens": 1024});
        thinks["max_tokens"] = json!(2048);
        for (body, expected) in [(thinks, "a"), (ask(true), "b")] {
            a.inject(slow.clone());
            // Only the headers; the rest takes minutes.
            let head = stack.envoy.chat_request(&body).send().await;
            let head = head.expect("an answer");
            assert_eq!(head.status(), 200, "{head:?}");
            assert_eq!(head.headers()["x-bedrock-channel"], expected, "{head:?}");
        }
    });
}
