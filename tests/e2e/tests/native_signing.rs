//! Channels whose requests Envoy's own `aws_request_signing` signs.

use bedrock_simulator::{Fault, Key, Simulator};
use e2e::{ACCESS_KEY_ID, Channel, REGION, SECRET_ACCESS_KEY, run, shared, simulator};
use serde_json::{Value, json};

use crate::wire::last;

fn by_envoy() -> Value {
    json!({"signer": "envoy"})
}

#[test]
fn the_signature_is_valid_for_arns_streams_and_long_bodies() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel_with(&bedrock, &by_envoy()).await;
        stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
        let request = last(&bedrock);
        assert_eq!(request.path, channel.path("invoke"));
        let signed = request.header("authorization").unwrap();
        // Envoy signs the body's hash as a header; the filter does not.
        assert!(signed.contains("x-amz-content-sha256"), "{signed}");
        let reply = stack.envoy.chat(&channel.ask_stream("Hi")).await;
        assert!(reply.is_done(), "{reply:?}");
        let path = channel.path("invoke-with-response-stream");
        assert_eq!(last(&bedrock).path, path);
        let long = "Zürich \"☂\"\n".repeat(200_000);
        let answer = stack.envoy.chat(&channel.ask(&long)).await.text_of_answer();
        assert!(answer.contains("Zürich"));
    });
}

#[test]
fn two_accounts_behind_one_endpoint_keep_their_own_keys() {
    run(async {
        let stack = shared().await;
        let other = Key::new("AKIDOTHER", "another-secret");
        let bedrock = Simulator::builder()
            .credentials(Key::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY))
            .credentials(other)
            .region(REGION);
        let bedrock = bedrock.start().await.unwrap();
        let mut fields = by_envoy();
        let first = stack.channel_with(&bedrock, &fields).await;
        fields["credentials"] = json!({
            "type": "static",
            "access_key_id": "AKIDOTHER",
            "secret_access_key": "another-secret",
        });
        let second = stack.channel_with(&bedrock, &fields).await;
        for (channel, key) in [
            (&first, ACCESS_KEY_ID),
            (&second, "AKIDOTHER"),
            (&first, ACCESS_KEY_ID),
        ] {
            stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
            let signed = last(&bedrock).header("authorization").unwrap().to_owned();
            assert!(signed.contains(&format!("Credential={key}/")), "{signed}");
        }
    });
}

#[test]
fn a_rotated_key_signs_the_next_request() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let mut fields = by_envoy();
        fields["credentials"] = json!({
            "type": "static",
            "access_key_id": ACCESS_KEY_ID,
            "secret_access_key": "a-mistyped-secret",
        });
        let channel: Channel = stack.channel_with(&bedrock, &fields).await;
        let refused = stack.envoy.chat(&channel.ask("Hi")).await;
        refused.error(502, "server_error", "upstream_authentication_failed");
        let right = json!({"credentials": {
            "type": "static",
            "access_key_id": ACCESS_KEY_ID,
            "secret_access_key": SECRET_ACCESS_KEY,
        }});
        stack.config.patch_and_wait(&channel.id, &right).await;
        stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
    });
}

#[test]
fn bedrocks_errors_are_translated_as_usual() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel_with(&bedrock, &by_envoy()).await;
        bedrock.inject(Fault::throttling());
        let reply = stack.envoy.chat(&channel.ask("Hi")).await;
        reply.error(429, "rate_limit_error", "rate_limit_exceeded");
    });
}
