//! Channels that differ in model, account or ability.

use bedrock_simulator::{Fault, Key, Simulator};
use e2e::run;
use serde_json::json;

use super::{ask, channel, create, region, served_by, stack};
use crate::wire::last;

#[test]
fn the_next_channel_may_have_another_model_behind_the_name() {
    run(async {
        let stack = stack().await;
        let (a, b) = (region("a").await, region("b").await);
        let mut nova = channel("b", 1, &b);
        nova["model_mapping"] = json!({"claude-sonnet-4-5": "nova-pro"});
        create(&stack, &[channel("a", 0, &a), nova]).await;
        for stream in [false, true] {
            a.inject(Fault::throttling());
            let reply = stack.envoy.chat(&ask(stream)).await;
            served_by(&reply, "b", "2");
            let path = last(&b).path;
            assert!(path.contains("amazon.nova-pro"), "{path}");
        }
    });
}

#[test]
fn channels_of_one_endpoint_back_each_other_up() {
    run(async {
        let stack = stack().await;
        let bedrock = Simulator::builder()
            .credentials(Key::new("AKIDA", "secret-of-a"))
            .credentials(Key::new("AKIDB", "secret-of-b"))
            .region("us-east-1");
        let bedrock = bedrock.start().await.expect("a simulator");
        create(
            &stack,
            &[channel("a", 0, &bedrock), channel("b", 1, &bedrock)],
        )
        .await;
        bedrock.inject(Fault::throttling());
        let reply = stack.envoy.chat(&ask(false)).await;
        served_by(&reply, "b", "2");
        let signed = last(&bedrock).header("authorization").unwrap().to_owned();
        assert!(signed.contains("Credential=AKIDB/"), "{signed}");
    });
}

#[test]
fn a_request_that_only_one_channel_can_carry_goes_only_there() {
    run(async {
        let stack = stack().await;
        let (a, b) = (region("a").await, region("b").await);
        let mut titan = channel("b", 0, &b);
        titan["model_mapping"] = json!({"claude-sonnet-4-5": "titan-text-express"});
        create(&stack, &[titan, channel("a", 1, &a)]).await;
        let mut body = ask(false);
        body["tools"] = json!([{"type": "function", "function": {"name": "f"}}]);
        let reply = stack.envoy.chat(&body).await;
        served_by(&reply, "a", "1");
        assert!(b.requests().is_empty());
        // Without tools, both can.
        b.inject(Fault::throttling());
        let reply = stack.envoy.chat(&ask(false)).await;
        served_by(&reply, "a", "2");
    });
}
