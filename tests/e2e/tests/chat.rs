//! Chats over raw HTTP: what the client gets, and the body that Bedrock gets.

use e2e::{run, shared, simulator};
use serde_json::{Value, json};

use crate::wire::last_body;

/// A PNG of one pixel.
pub(crate) const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

#[test]
fn a_plain_chat_is_answered_in_openais_format() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let reply = stack.envoy.chat(&channel.ask("Hi there")).await;
        assert_eq!(reply.text_of_answer(), "You said: Hi there");
        assert_eq!(reply.header("content-type"), "application/json");
        let answer = reply.json();
        assert_eq!(answer["object"], "chat.completion");
        assert_eq!(answer["model"], channel.model);
        assert!(answer["created"].as_u64() > Some(1_700_000_000), "{answer}");
        assert!(
            answer["id"].as_str().unwrap().starts_with("chatcmpl-"),
            "{answer}"
        );
        assert_eq!(answer["choices"].as_array().unwrap().len(), 1);
        assert_eq!(reply.choice()["index"], 0);
        assert_eq!(reply.choice()["finish_reason"], "stop");
        assert_eq!(reply.choice()["message"]["role"], "assistant");
        check_usage(&answer["usage"], 4);
        let expected = json!({
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 16384,
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi there"}]}],
        });
        assert_eq!(last_body(&bedrock), expected);
    });
}

#[test]
fn a_stream_carries_the_text_and_ends_with_done() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let text = "Hi there, streaming people of Köln 🌧";
        let reply = stack.envoy.chat(&channel.ask_stream(text)).await;
        assert_eq!(reply.streamed_text(), format!("You said: {text}"));
        assert_eq!(reply.finish_reason(), "stop");
        assert!(reply.is_done() && !reply.is_cut, "{reply:?}");
        assert!(!reply.text.contains("usage"), "{reply:?}");
        let events = reply.events();
        assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
        for event in &events {
            assert_eq!(event["object"], "chat.completion.chunk");
            assert_eq!(event["id"], events[0]["id"]);
            assert_eq!(event["model"], channel.model);
        }
        // Only the path says that it is a stream.
        assert!(last_body(&bedrock).get("stream").is_none());
        let path = &bedrock.requests()[0].path;
        assert_eq!(*path, channel.path("invoke-with-response-stream"));
    });
}

#[test]
fn include_usage_adds_one_last_chunk_with_the_counts() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let fields = json!({"stream": true, "stream_options": {"include_usage": true}});
        let reply = stack
            .envoy
            .chat(&channel.ask_with("Hi there", &fields))
            .await;
        assert!(reply.is_done(), "{reply:?}");
        let events = reply.events();
        let (last, others) = events.split_last().unwrap();
        assert_eq!(last["choices"], json!([]));
        check_usage(&last["usage"], 4);
        assert!(
            others.iter().all(|event| event["usage"].is_null()),
            "{reply:?}"
        );
        assert!(
            others.iter().all(|event| event.get("usage").is_some()),
            "{reply:?}"
        );
    });
}

#[test]
fn system_and_developer_messages_become_the_system_prompt() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let body = json!({
            "model": channel.model,
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
                {"role": "user", "content": "One"},
                {"role": "assistant", "content": "Two"},
                {"role": "user", "content": "Three"},
            ],
        });
        let reply = stack.envoy.chat(&body).await;
        assert_eq!(reply.text_of_answer(), "You said: Three");
        let text = |text: &str| json!([{"type": "text", "text": text}]);
        let expected = json!({
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 16384,
            "system": [
                {"type": "text", "text": "Be brief."},
                {"type": "text", "text": "Be kind."},
            ],
            "messages": [
                {"role": "user", "content": text("One")},
                {"role": "assistant", "content": text("Two")},
                {"role": "user", "content": text("Three")},
            ],
        });
        assert_eq!(last_body(&bedrock), expected);
    });
}

#[test]
fn an_image_in_a_data_uri_reaches_the_model() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let url = format!("data:image/png;base64,{PIXEL}");
        let body = json!({
            "model": channel.model,
            "messages": [{"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": url}},
            ]}],
        });
        let reply = stack.envoy.chat(&body).await;
        let answer = "You said: What is this? I see an image/png of 70 bytes.";
        assert_eq!(reply.text_of_answer(), answer);
        let expected = json!([
            {"type": "text", "text": "What is this?"},
            {"type": "image", "source":
                {"type": "base64", "media_type": "image/png", "data": PIXEL}},
        ]);
        assert_eq!(last_body(&bedrock)["messages"][0]["content"], expected);
    });
}

#[test]
fn stop_and_sampling_are_passed_on_and_a_stop_sequence_ends_the_answer() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let fields = json!({"stop": ["END"], "temperature": 0.5});
        let body = channel.ask_with("before END after", &fields);
        let reply = stack.envoy.chat(&body).await;
        assert_eq!(reply.text_of_answer(), "You said: before ");
        assert_eq!(reply.choice()["finish_reason"], "stop");
        let sent = last_body(&bedrock);
        assert_eq!(sent["stop_sequences"], json!(["END"]));
        assert_eq!(sent["temperature"], 0.5);
    });
}

#[test]
fn max_tokens_in_both_spellings_cut_the_answer() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        for name in ["max_tokens", "max_completion_tokens"] {
            let body = channel.ask_with("one two three four", &json!({ name: 3 }));
            let reply = stack.envoy.chat(&body).await;
            assert_eq!(reply.text_of_answer(), "You said: one");
            assert_eq!(reply.choice()["finish_reason"], "length");
            assert_eq!(last_body(&bedrock)["max_tokens"], 3);
        }
    });
}

#[test]
fn models_are_listed_and_retrieved_from_the_configuration() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let list = stack.envoy.get("/v1/models").await.json();
        assert_eq!(list["object"], "list");
        let models = list["data"].as_array().unwrap();
        let model = models.iter().find(|model| model["id"] == channel.model);
        assert_eq!(model.unwrap()["object"], "model");
        let one = stack
            .envoy
            .get(&format!("/v1/models/{}", channel.model))
            .await;
        assert_eq!((one.status, &one.json()), (200, model.unwrap()));
        let none = stack.envoy.get("/v1/models/no-such-model").await;
        none.error(404, "invalid_request_error", "model_not_found");
        assert_eq!(bedrock.requests().len(), 0);
    });
}

#[test]
fn an_unknown_model_is_404_model_not_found() {
    run(async {
        let stack = shared().await;
        let body =
            json!({"model": "no-such-model", "messages": [{"role": "user", "content": "a"}]});
        let reply = stack.envoy.chat(&body).await;
        let message = reply.error(404, "invalid_request_error", "model_not_found");
        assert!(message.contains("no-such-model"), "{message}");
        assert_eq!(reply.json()["error"]["param"], "model");
    });
}

#[track_caller]
fn check_usage(usage: &Value, completion: u64) {
    let count = |name: &str| usage[name].as_u64().unwrap();
    assert_eq!(count("completion_tokens"), completion, "{usage}");
    assert!(count("prompt_tokens") > 0, "{usage}");
    let sum = count("prompt_tokens") + count("completion_tokens");
    assert_eq!(count("total_tokens"), sum, "{usage}");
}
