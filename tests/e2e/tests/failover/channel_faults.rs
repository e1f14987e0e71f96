//! Channels through which Bedrock does not serve a model, although another channel may.

use bedrock_simulator::Fault;
use e2e::run;
use serde_json::json;

use super::{ask, channel, create, region, served_by, stack, two_regions};
use crate::wire::last;

/// Bedrock's answers that say that another channel may serve the request.
fn channel_faults() -> [Fault; 5] {
    let error = |status, exception, message| Fault::error(status, exception, message);
    [
        error(
            403,
            "AccessDeniedException",
            "You don't have access to the model with the specified model ID.",
        ),
        error(
            403,
            "AccessDeniedException",
            "Authentication failed: Please make sure your API Key is valid.",
        ),
        error(
            404,
            "ResourceNotFoundException",
            "This model version has reached the end of its life.",
        ),
        error(
            400,
            "ValidationException",
            "The provided model identifier is invalid.",
        ),
        error(400, "ValidationException", "Operation not allowed"),
    ]
}

#[test]
fn a_channel_that_does_not_serve_the_model_gives_way_to_the_next() {
    run(async {
        for fault in channel_faults() {
            let (stack, a, _b) = two_regions().await;
            for stream in [false, true] {
                a.inject(fault.clone());
                let reply = stack.envoy.chat(&ask(stream)).await;
                assert_eq!(
                    reply.header("x-bedrock-channel"),
                    "b",
                    "{fault:?}: {reply:?}"
                );
                assert_eq!(reply.status, 200, "{fault:?}: {reply:?}");
            }
        }
    });
}

#[test]
fn a_channel_that_does_not_serve_one_model_serves_others() {
    run(async {
        let (stack, a, _b) = two_regions().await;
        a.inject(channel_faults()[0].clone());
        served_by(&stack.envoy.chat(&ask(false)).await, "b", "2");
        let mut other = ask(false);
        other["model"] = json!("nova-pro");
        for _ in 0..8 {
            served_by(&stack.envoy.chat(&other).await, "a", "1");
        }
    });
}

#[test]
fn what_the_only_channel_does_not_serve_is_reported_with_the_remedy() {
    run(async {
        let stack = stack().await;
        let a = region("a").await;
        create(&stack, &[channel("a", 0, &a)]).await;
        a.inject(channel_faults()[3].clone());
        let reply = stack.envoy.chat(&ask(false)).await;
        reply.error(502, "server_error", "channel_misconfigured");
        assert!(reply.text.contains("different region"), "{reply:?}");
    });
}

#[test]
fn a_model_without_on_demand_throughput_is_called_through_a_profile_on_request() {
    run(async {
        let stack = stack().await;
        let a = region("a").await;
        let mut asks = channel("a", 0, &a);
        asks["cross_region"] = json!("off");
        let mut plain = asks.clone();
        plain["name"] = json!("plain");
        plain["models"] = json!(["plain"]);
        plain["model_mapping"] = json!({"plain": "claude-sonnet-4-5"});
        asks["retry_with_inference_profile"] = json!(true);
        asks["models"] = json!(["claude-sonnet-4-5"]);
        create(&stack, &[plain, asks]).await;
        let mut body = ask(false);
        body["model"] = json!("plain");
        let reply = stack.envoy.chat(&body).await;
        assert_eq!(reply.status, 502, "{reply:?}");
        assert!(
            reply.text.contains("inference_profile_arn_map"),
            "{reply:?}"
        );
        for stream in [false, true] {
            let reply = stack.envoy.chat(&ask(stream)).await;
            assert_eq!(reply.header("x-bedrock-channel"), "a", "{reply:?}");
            assert_eq!(reply.status, 200, "{reply:?}");
            let path = last(&a).path;
            assert!(
                path.starts_with("/model/us.anthropic.claude-sonnet-4-5"),
                "{path}"
            );
        }
        // A worker remembers what it has learnt.
        for _ in 0..16 {
            stack.envoy.chat(&ask(false)).await;
        }
        let refused = a.requests();
        let refused = refused
            .iter()
            .filter(|own| own.path.starts_with("/model/anthropic."));
        // Once for `plain`, and once for each of the two workers.
        assert!((2..=3).contains(&refused.count()));
    });
}
