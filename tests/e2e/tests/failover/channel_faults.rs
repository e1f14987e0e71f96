//! Channels that Bedrock does not serve a model through: another one may.

use bedrock_simulator::Fault;
use e2e::run;
use serde_json::json;

use super::{ask, channel, create, region, served_by, stack, two_regions};

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
fn what_the_only_channel_does_not_serve_is_told_with_the_remedy() {
    run(async {
        let stack = stack().await;
        let a = region("a").await;
        create(&stack, &[channel("a", 0, &a)]).await;
        a.inject(channel_faults()[3].clone());
        let reply = stack.envoy.chat(&ask(false)).await;
        reply.error(502, "server_error", "channel_misconfigured");
        assert!(reply.text.contains("another region"), "{reply:?}");
    });
}
