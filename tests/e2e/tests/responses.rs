//! OpenAI's Responses API, used through the official package.

use bedrock_simulator::Fault;
use e2e::{run, run_python, shared, simulator};
use serde_json::{Map, Value, json};

use crate::failover;

/// Models, whether they follow schemas, and whether they call tools and think.
const MODELS: [(&str, bool, bool); 5] = [
    ("claude-sonnet-4-5", true, true),
    ("claude-opus-5-5", false, true),
    ("nova-pro", true, true),
    ("mistral-large-2407", true, true),
    ("llama3-8b-instruct", false, false),
];

#[test]
fn the_openai_package_gets_responses_and_can_send_them_back() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let name = |model: &str| format!("responses-{model}");
        let names = |is_it: fn(bool, bool) -> bool| -> Vec<String> {
            let own = MODELS.into_iter();
            let own = own.filter(move |(_, shapes, tools)| is_it(*shapes, *tools));
            own.map(|(model, ..)| name(model)).collect()
        };
        let all = names(|_, _| true);
        let mapping = MODELS.map(|(model, ..)| (name(model), json!(model)));
        let channel = json!({"models": all, "model_mapping": Map::from_iter(mapping)});
        stack.channel_with(&bedrock, &channel).await;
        let input = json!({
            "base_url": format!("{}/v1", stack.envoy.url()),
            "models": all,
            "shaped": names(|shapes, _| shapes),
            "looping": names(|_, tools| tools),
        });
        let found = run_python("responses.py", &input).await;
        for model in &all {
            let answer = "You said: Hi there";
            assert_eq!(
                found["create"][model],
                json!(["completed", answer]),
                "{model}"
            );
            let ends = ["response.created", "response.completed", answer];
            assert_eq!(found["stream"][model], json!(ends), "{model}");
        }
        for (model, city) in found["parse"].as_object().unwrap() {
            assert_eq!(*city, "city", "{model}");
        }
        for way in ["created loop", "streamed loop"] {
            for (model, seen) in found[way].as_object().unwrap() {
                check_loop(&format!("{way} of {model}"), seen);
            }
        }
        assert_eq!(
            found["stored"],
            json!([400, "unsupported_parameter", "previous_response_id"])
        );
        for model in &all {
            let count = json!(["response.input_tokens", true]);
            assert_eq!(found["counted"][model], count, "{model}");
        }
        let missing = found["missing"].as_array().unwrap();
        assert_eq!(missing.len(), 4);
        for error in missing {
            let text = error.to_string();
            assert!(
                text.starts_with(r#"[404,"invalid_request_error","#)
                    && text.contains("Response with id 'resp_1' not found.")
                    && text.contains("send the whole conversation in 'input'"),
                "{text}"
            );
        }
        assert_eq!(found["unknown"], json!([404, "model_not_found", "model"]));
        let thoughts = bedrock.requests();
        let thoughts = thoughts.iter().filter_map(|request| request.body.as_ref());
        let came_back = thoughts
            .filter(|body| body.to_string().contains(r#""type":"thinking"}"#))
            .filter(|body| body["messages"].as_array().is_some_and(|own| own.len() > 2));
        assert!(came_back.count() >= 4, "thoughts come back to Claude");
    });
}

#[track_caller]
fn check_loop(what: &str, seen: &Value) {
    let calls = ["function_call", "custom_tool_call", "function_call"];
    let kinds = seen["kinds"][0].as_array().unwrap();
    let own: Vec<_> = kinds.iter().filter_map(Value::as_str).collect();
    let own: Vec<_> = own
        .into_iter()
        .filter(|kind| kind.ends_with("_call"))
        .collect();
    assert_eq!(own, calls, "{what}: {seen}");
    if what.contains("claude") {
        assert_eq!(kinds[0], "reasoning", "{what}: {seen}");
    }
    let answer = r#"The tools answered:  get_weather of {"city":"city"}; apply_patch of input; agents get_time of {"city":"city"}."#;
    assert_eq!(seen["texts"][1], answer, "{what}");
    assert_eq!(seen["texts"][2], "You said: Hi there", "{what}");
}

#[test]
fn responses_fail_over() {
    run(async {
        let stack = failover::stack().await;
        let (a, b) = (failover::region("a").await, failover::region("b").await);
        let channels = [failover::channel("a", 0, &a), failover::channel("b", 1, &b)];
        failover::create(&stack, &channels).await;
        a.inject(Fault::throttling());
        let body = json!({"model": "claude-sonnet-4-5", "input": "Hi", "stream": true});
        let reply = stack
            .envoy
            .post_bytes("/v1/responses", body.to_string())
            .await;
        failover::served_by(&reply, "b", "2");
        let last = reply.text.trim_end().rsplit("\n\n").next().unwrap();
        assert!(last.starts_with("event: response.completed\n"), "{last}");
        assert!(last.contains("You said: Hi"), "{last}");
        for region in [&a, &b] {
            region.inject(Fault::exception(3, "throttlingException", "Slow down."));
        }
        let reply = stack
            .envoy
            .post_bytes("/v1/responses", body.to_string())
            .await;
        let last = reply.text.trim_end().rsplit("\n\n").next().unwrap();
        assert!(last.starts_with("event: response.failed\n"), "{reply:?}");
        assert!(last.contains("rate_limit_exceeded"), "{reply:?}");
    });
}
