//! Tool calls: requested, forced, in parallel, streamed, and answered.

use e2e::{Channel, run, shared, simulator};
use serde_json::{Value, json};

use crate::wire::last_body;

fn function(name: &str) -> Value {
    let parameters = json!({
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city"],
    });
    let function = json!({"name": name, "description": "A tool.", "parameters": parameters});
    json!({"type": "function", "function": function})
}

fn ask(channel: &Channel, text: &str, fields: &Value) -> Value {
    let mut body = channel.ask_with(text, fields);
    body["tools"] = json!([function("get_weather"), function("get_time")]);
    body
}

/// Names and parsed arguments of the calls in a message.
fn calls(message: &Value) -> Vec<(String, Value)> {
    let call = |call: &Value| {
        assert_eq!(call["type"], "function");
        let arguments = call["function"]["arguments"].as_str().unwrap();
        let name = call["function"]["name"].as_str().unwrap();
        (name.to_owned(), serde_json::from_str(arguments).unwrap())
    };
    message["tool_calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(call)
        .collect()
}

fn expected(names: &[&str]) -> Vec<(String, Value)> {
    let arguments = json!({"city": "city", "days": 1});
    names
        .iter()
        .map(|name| ((*name).to_owned(), arguments.clone()))
        .collect()
}

#[test]
fn a_forced_tool_is_called() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let choice = json!({"type": "function", "function": {"name": "get_time"}});
        for (choice, sent, called) in [
            (
                choice,
                json!({"type": "tool", "name": "get_time"}),
                "get_time",
            ),
            (json!("required"), json!({"type": "any"}), "get_weather"),
        ] {
            let body = ask(&channel, "Hi", &json!({"tool_choice": choice}));
            let reply = stack.envoy.chat(&body).await;
            assert_eq!(reply.choice()["finish_reason"], "tool_calls");
            assert_eq!(reply.choice()["message"]["content"], Value::Null);
            assert_eq!(calls(&reply.choice()["message"]), expected(&[called]));
            assert_eq!(last_body(&bedrock)["tool_choice"], sent);
        }
        let tools = last_body(&bedrock)["tools"].clone();
        let parameters = function("get_weather")["function"]["parameters"].clone();
        let tool =
            json!({"name": "get_weather", "description": "A tool.", "input_schema": parameters});
        assert_eq!(tools[0], tool);
        let body = ask(&channel, "call get_time", &json!({"tool_choice": "none"}));
        let reply = stack.envoy.chat(&body).await;
        assert_eq!(reply.text_of_answer(), "You said: call get_time");
    });
}

#[test]
fn parallel_calls_are_in_order_and_can_be_forbidden() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let body = ask(&channel, "call get_weather and get_time", &json!({}));
        let reply = stack.envoy.chat(&body).await;
        let message = &reply.choice()["message"];
        assert_eq!(message["content"], "Let me call get_weather and get_time.");
        assert_eq!(calls(message), expected(&["get_weather", "get_time"]));
        let body = ask(
            &channel,
            "call get_weather and get_time",
            &json!({"parallel_tool_calls": false}),
        );
        let reply = stack.envoy.chat(&body).await;
        assert_eq!(
            calls(&reply.choice()["message"]),
            expected(&["get_weather"])
        );
        let sent = json!({"type": "auto", "disable_parallel_tool_use": true});
        assert_eq!(last_body(&bedrock)["tool_choice"], sent);
    });
}

#[test]
fn streamed_calls_have_dense_indexes_and_complete_arguments() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let body = ask(
            &channel,
            "call get_weather and get_time",
            &json!({"stream": true}),
        );
        let reply = stack.envoy.chat(&body).await;
        assert!(reply.is_done(), "{reply:?}");
        assert_eq!(reply.finish_reason(), "tool_calls");
        assert_eq!(
            reply.streamed_text(),
            "Let me call get_weather and get_time."
        );
        assert_eq!(
            calls(&joined(&reply.events())),
            expected(&["get_weather", "get_time"])
        );
    });
}

/// Assembles streamed tool calls, as clients do.
fn joined(events: &[Value]) -> Value {
    let mut calls: Vec<Value> = Vec::new();
    let deltas = events.iter().map(|event| &event["choices"][0]["delta"]);
    for delta in deltas.flat_map(|delta| delta["tool_calls"].as_array().into_iter().flatten()) {
        let index = usize::try_from(delta["index"].as_u64().unwrap()).unwrap();
        assert!(index <= calls.len(), "a gap before index {index}");
        if index == calls.len() {
            assert!(delta["id"].is_string(), "{delta}");
            calls.push(delta.clone());
            continue;
        }
        let arguments = calls[index]["function"]["arguments"].as_str().unwrap();
        let piece = delta["function"]["arguments"].as_str().unwrap();
        calls[index]["function"]["arguments"] = json!(format!("{arguments}{piece}"));
    }
    json!({"tool_calls": calls})
}

#[test]
fn results_go_back_to_the_model_with_their_calls() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let mut body = ask(&channel, "call get_weather and get_time", &json!({}));
        let first = stack.envoy.chat(&body).await.choice()["message"].clone();
        let ids = [&first["tool_calls"][0]["id"], &first["tool_calls"][1]["id"]];
        let messages = body["messages"].as_array_mut().unwrap();
        messages.push(first.clone());
        // In the wrong order; Bedrock gets them in the order of the calls.
        messages.push(json!({"role": "tool", "tool_call_id": ids[1], "content": "noon"}));
        messages.push(json!({"role": "tool", "tool_call_id": ids[0], "content": "rain"}));
        let reply = stack.envoy.chat(&body).await;
        assert_eq!(reply.text_of_answer(), "The tools answered: rain; noon.");
        let sent = last_body(&bedrock);
        let turns = sent["messages"].as_array().unwrap();
        assert_eq!(turns.len(), 3);
        let (asked, answered) = (&turns[1]["content"], &turns[2]["content"]);
        assert_eq!(asked[1]["input"], json!({"city": "city", "days": 1}));
        for (index, text) in ["rain", "noon"].into_iter().enumerate() {
            assert_eq!(asked[index + 1]["id"], *ids[index]);
            let content = json!([{"type": "text", "text": text}]);
            let result =
                json!({"type": "tool_result", "tool_use_id": ids[index], "content": content});
            assert_eq!(answered[index], result);
        }
    });
}
