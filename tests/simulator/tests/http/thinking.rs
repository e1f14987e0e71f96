//! Claude's thinking, efforts and structured answers on `InvokeModel`.

use bedrock_simulator::{redacted_thinking, thinking_signature};
use serde_json::{Value, json};

use crate::client::{Call, SONNET, body, events, start};
use crate::refusals::{OPUS_5_5, check, tool};

const OPUS_4_5: &str = "us.anthropic.claude-opus-4-5-20251101-v1%3A0";
const OPUS_4_6: &str = "us.anthropic.claude-opus-4-6-v1";
const OPUS_4_7: &str = "us.anthropic.claude-opus-4-7";
const OPUS_4_8: &str = "us.anthropic.claude-opus-4-8";
const SONNET_5: &str = "us.anthropic.claude-sonnet-5";
const HAIKU_5_5: &str = "us.anthropic.claude-haiku-5-5";

fn budget() -> Value {
    json!({"type": "enabled", "budget_tokens": 1024})
}

fn thinking_body(text: &str, thinking: &Value) -> Value {
    let mut request = body(text);
    request["max_tokens"] = json!(2000);
    if !thinking.is_null() {
        request["thinking"] = thinking.clone();
    }
    request
}

/// The first block of the answer, which is the same both ways.
async fn thought(model: &str, text: &str, thinking: Value) -> Value {
    let simulator = start().await;
    let request = thinking_body(text, &thinking);
    let (status, answer) = Call::invoke(model, &request).json(&simulator).await;
    assert_eq!(status, 200, "{answer}");
    let bytes = Call::stream(model, &request)
        .send(&simulator)
        .await
        .bytes()
        .await;
    let events = events(&bytes.unwrap());
    let mut block = events[1]["content_block"].clone();
    for event in events
        .iter()
        .filter(|e| e["index"] == 0 && e["type"] == "content_block_delta")
    {
        for name in ["thinking", "signature", "text"] {
            if let Some(piece) = event["delta"][name].as_str() {
                block[name] = json!(block[name].as_str().unwrap().to_owned() + piece);
            }
        }
    }
    assert_eq!(block, answer["content"][0]);
    let delta = events
        .iter()
        .find(|e| e["type"] == "message_delta")
        .unwrap();
    assert_eq!(
        delta["usage"]["output_tokens_details"],
        answer["usage"]["output_tokens_details"]
    );
    block
}

#[tokio::test]
async fn thinking_is_shown_omitted_or_redacted() {
    let adaptive = |display: Value| match display {
        Value::Null => json!({"type": "adaptive"}),
        display => json!({"type": "adaptive", "display": display}),
    };
    let shown = json!({"type": "thinking", "thinking": "The user said: Hi",
        "signature": thinking_signature("The user said: Hi")});
    for (model, thinking) in [
        (SONNET, budget()),
        (OPUS_4_6, adaptive(Value::Null)),
        (OPUS_4_7, adaptive(json!("summarized"))),
        (OPUS_5_5, adaptive(json!("summarized"))),
    ] {
        assert_eq!(thought(model, "Hi", thinking).await, shown, "{model}");
    }
    for (model, thinking) in [
        (OPUS_4_7, adaptive(Value::Null)),
        (OPUS_4_6, adaptive(json!("omitted"))),
        (OPUS_5_5, Value::Null),
        (SONNET_5, Value::Null),
    ] {
        let block = thought(model, "Hi", thinking).await;
        assert_eq!(block["thinking"], "", "{model}");
        assert!(block["signature"].as_str().unwrap().len() > 40, "{model}");
    }
    for (model, thinking) in [
        (SONNET, Value::Null),
        (SONNET_5, json!({"type": "disabled"})),
        (OPUS_4_7, Value::Null),
        (HAIKU_5_5, Value::Null),
    ] {
        assert_eq!(
            thought(model, "Hi", thinking).await["type"],
            "text",
            "{model}"
        );
    }
    let block = thought(SONNET, "Please redact", budget()).await;
    let data = redacted_thinking("The user said: Please redact");
    assert_eq!(block, json!({"type": "redacted_thinking", "data": data}));
}

/// A call that followed a thought, and its result.
fn history(first: Value) -> Value {
    let call = json!({"type": "tool_use", "id": "t1", "name": "now", "input": {}});
    let blocks: Vec<Value> = [first, call]
        .into_iter()
        .filter(|block| !block.is_null())
        .collect();
    json!({"max_tokens": 2000, "thinking": budget(), "tools": [tool("now")], "messages": [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": blocks},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "noon"}]}]})
}

#[tokio::test]
async fn thoughts_come_back_signed_and_unchanged() {
    let thinking = |text: &str, signature: String| json!({"type": "thinking", "thinking": text, "signature": signature});
    let omitted = thought(OPUS_4_7, "Hi", json!({"type": "adaptive"})).await;
    let mut unthinking = history(Value::Null);
    unthinking["thinking"] = Value::Null;
    check(vec![
        (SONNET, history(thinking("I think", thinking_signature("I think"))), ""),
        (SONNET, history(omitted), ""),
        (SONNET, history(json!({"type": "redacted_thinking", "data": redacted_thinking("x")})), ""),
        (SONNET, history(thinking("I thought", thinking_signature("I think"))), "messages.1.content.0: Invalid `signature` in `thinking` block"),
        (SONNET, history(thinking("I think", "EuYB".into())), "messages.1.content.0: Invalid `signature` in `thinking` block"),
        (SONNET, history(json!({"type": "thinking", "thinking": "I think"})), "messages.1.content.0.thinking.signature: Field required"),
        (SONNET, history(json!({"type": "redacted_thinking", "data": "EuYB"})), "messages.1.content.0: Invalid `data` in `redacted_thinking` block"),
        (SONNET, history(json!({"type": "redacted_thinking", "data": ""})), "messages.1.content.0.redacted_thinking.data: Field required"),
        (SONNET, history(Value::Null), "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`."),
        (SONNET, unthinking, ""),
    ])
    .await;
}

#[tokio::test]
async fn efforts_and_formats_by_model() {
    let effort = |effort: &str| json!({"output_config": {"effort": effort}});
    let format = |schema: Value| json!({"output_config": {"format": {"type": "json_schema", "schema": schema}}});
    let closed = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": false});
    let mut bounded = closed.clone();
    bounded["properties"]["n"]["minimum"] = json!(1);
    let unsupported = "This model does not support effort level";
    let mut strict = tool("now");
    strict["strict"] = json!(true);
    strict["input_schema"]["additionalProperties"] = json!(false);
    check(vec![
        (SONNET, effort("low"), "This model does not support the effort parameter."),
        (OPUS_4_5, effort("high"), ""),
        (OPUS_4_5, effort("max"), unsupported),
        (OPUS_4_6, effort("max"), ""),
        (OPUS_4_6, effort("xhigh"), unsupported),
        (OPUS_4_7, effort("xhigh"), ""),
        (SONNET_5, json!({"output_config": {"effort": "max"}, "thinking": {"type": "disabled"}}), unsupported),
        (SONNET, format(closed.clone()), ""),
        (OPUS_4_8, format(closed.clone()), ""),
        (OPUS_4_7, format(closed.clone()), "output_config.format: Extra inputs are not permitted"),
        (OPUS_5_5, format(closed.clone()), "output_config.format: Extra inputs are not permitted"),
        (SONNET, format(json!({"type": "object"})), "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"),
        (SONNET, format(bounded), "output_config.format.schema: For 'integer' type, property 'minimum' is not supported"),
        (SONNET, json!({"tools": [strict]}), ""),
        (OPUS_4_7, json!({"tools": [strict]}), "tools.0.custom.strict: Extra inputs are not permitted"),
    ])
    .await;
    let simulator = start().await;
    let mut request = body("Hi");
    request["output_config"] = format(closed)["output_config"].clone();
    let (_, answer) = Call::invoke(SONNET, &request).json(&simulator).await;
    assert_eq!(answer["content"][0]["text"], r#"{"n":1}"#);
}
