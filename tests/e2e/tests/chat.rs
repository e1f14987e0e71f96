//! Chats over raw HTTP.

use e2e::{run, shared, simulator};

#[test]
fn a_plain_chat_is_answered_in_openai_shape() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let reply = stack.envoy.chat(&channel.ask("Hi there")).await;
        assert_eq!(reply.text_of_answer(), "You said: Hi there");
    });
}
