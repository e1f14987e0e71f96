//! Answers that are under way when their channel is edited.

use super::*;

/// Starts a stream that stands still after its first events, runs `edit`, and reads the rest.
async fn stream_across(
    stack: &Shared,
    bedrock: &Simulator,
    channel: &Channel,
    edit: impl Future<Output = ()>,
) -> Reply {
    bedrock.inject(Fault::held(3));
    let body = channel.ask_stream("one two three four five six seven eight nine ten");
    let mut response = stack.envoy.chat_request(&body).send().await.unwrap();
    let first = response.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b"data: {"), "{first:?}");
    edit.await;
    bedrock.release();
    let mut reply = Reply::read(response).await;
    reply
        .text
        .insert_str(0, std::str::from_utf8(&first).unwrap());
    reply
}

#[test]
fn a_stream_in_flight_keeps_the_configuration_it_started_with() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let new = arn("newnewnewnew");
        let edit = async {
            stack
                .config
                .patch_and_wait(&channel.id, &map_to(&new))
                .await;
            stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
            assert_eq!(last(&bedrock).path, Channel::path_for(&new, "invoke"));
        };
        let reply = stream_across(&stack, &bedrock, &channel, edit).await;
        assert!(reply.is_done() && !reply.is_cut, "{reply:?}");
        assert!(reply.streamed_text().ends_with("nine ten"), "{reply:?}");
    });
}

#[test]
fn a_stream_in_flight_survives_the_deletion_of_its_channel() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let edit = async {
            stack.config.delete(&channel.id).await;
            expect_gone(&stack, &channel).await;
        };
        let reply = stream_across(&stack, &bedrock, &channel, edit).await;
        assert!(reply.is_done() && !reply.is_cut, "{reply:?}");
        assert!(reply.streamed_text().ends_with("nine ten"), "{reply:?}");
    });
}
