//! Deterministic answers: echo, images, tools, limits, usage.

use serde_json::{Value, json};

use crate::client::{Call, HAIKU, SONNET, body, events, start};

const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

fn tools() -> Value {
    json!([
        {"name": "get_weather", "description": "d", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}},
        {"name": "now", "input_schema": {"type": "object", "properties": {}}},
    ])
}

fn with(mut body: Value, fields: Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Sends it both ways; the stream must add up to the plain answer.
async fn answer(model: &str, body: &Value) -> Value {
    let simulator = start().await;
    let response = Call::invoke(model, body).send(&simulator).await;
    let counts = ["input", "output"].map(|way| {
        let name = format!("x-amzn-bedrock-{way}-token-count");
        response.headers()[&name]
            .to_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
    });
    let plain: Value = response.json().await.unwrap();
    assert_eq!(json!(counts[0]), plain["usage"]["input_tokens"]);
    assert_eq!(json!(counts[1]), plain["usage"]["output_tokens"]);
    let streamed = Call::stream(model, body).send(&simulator).await;
    assert_eq!(
        streamed.headers()["content-type"],
        "application/vnd.amazon.eventstream"
    );
    assert_eq!(
        streamed.headers()["x-amzn-bedrock-content-type"],
        "application/json"
    );
    let streamed = events(&streamed.bytes().await.unwrap());
    assert_eq!(assemble(&streamed), plain);
    plain
}

/// What a client makes of the events.
fn assemble(events: &[Value]) -> Value {
    let mut message = events[0]["message"].clone();
    assert_eq!(events[0]["type"], "message_start");
    let mut inputs: Vec<String> = Vec::new();
    for event in &events[1..] {
        let index = usize::try_from(event["index"].as_u64().unwrap_or(0)).unwrap();
        match event["type"].as_str().unwrap() {
            "content_block_start" => {
                let content = message["content"].as_array_mut().unwrap();
                assert_eq!(content.len(), index, "indexes are dense");
                content.push(event["content_block"].clone());
                inputs.push(String::new());
            }
            "content_block_delta" => {
                let delta = &event["delta"];
                match delta["type"].as_str().unwrap() {
                    "text_delta" => {
                        let text = &mut message["content"][index]["text"];
                        *text = json!(format!(
                            "{}{}",
                            text.as_str().unwrap(),
                            delta["text"].as_str().unwrap()
                        ));
                    }
                    _ => inputs[index].push_str(delta["partial_json"].as_str().unwrap()),
                }
            }
            "content_block_stop" if !inputs[index].is_empty() => {
                message["content"][index]["input"] = serde_json::from_str(&inputs[index]).unwrap();
            }
            "message_delta" => {
                message["stop_reason"] = event["delta"]["stop_reason"].clone();
                message["stop_sequence"] = event["delta"]["stop_sequence"].clone();
                message["usage"]["output_tokens"] = event["usage"]["output_tokens"].clone();
            }
            _ => {}
        }
    }
    let end = events.last().unwrap();
    assert_eq!(end["type"], "message_stop");
    let metrics = &end["amazon-bedrock-invocationMetrics"];
    assert_eq!(metrics["inputTokenCount"], message["usage"]["input_tokens"]);
    assert_eq!(
        metrics["outputTokenCount"],
        message["usage"]["output_tokens"]
    );
    message
}

#[tokio::test]
async fn text_is_echoed_and_words_are_counted() {
    let request = with(body("Grüße, 世界 🌧"), json!({"system": "Be brief."}));
    let answer = answer(SONNET, &request).await;
    assert_eq!(
        answer["content"],
        json!([{"type": "text", "text": "You said: Grüße, 世界 🌧"}])
    );
    assert_eq!(answer["stop_reason"], "end_turn");
    assert_eq!(answer["model"], "claude-sonnet-4-5-20250929");
    assert_eq!(answer["usage"]["input_tokens"], 5);
    assert_eq!(answer["usage"]["output_tokens"], 5);
}

#[tokio::test]
async fn images_are_described() {
    let source = json!({"type": "base64", "media_type": "image/png", "data": PNG});
    let mut request = body("");
    request["messages"][0]["content"] = json!([
        {"type": "text", "text": "What is this?"},
        {"type": "image", "source": source},
    ]);
    let answer = answer(HAIKU, &request).await;
    assert_eq!(
        answer["content"][0]["text"],
        "You said: What is this? I see an image/png of 70 bytes."
    );
}

#[tokio::test]
async fn tools_are_called_in_parallel_and_their_results_repeated() {
    let mut request = with(body("call get_weather and now"), json!({"tools": tools()}));
    let called = answer(HAIKU, &request).await;
    assert_eq!(called["stop_reason"], "tool_use");
    assert_eq!(
        called["content"][0]["text"],
        "Let me call get_weather and now."
    );
    assert_eq!(
        called["content"][1]["input"],
        json!({"city": "city", "days": 1})
    );
    assert_eq!(called["content"][2]["input"], json!({}));
    let results: Vec<Value> = [(1, "4 C"), (2, "noon")]
        .iter()
        .map(|(at, text)| json!({"type": "tool_result", "tool_use_id": called["content"][*at]["id"], "content": text}))
        .collect();
    let messages = request["messages"].as_array_mut().unwrap();
    messages.push(json!({"role": "assistant", "content": called["content"]}));
    messages.push(json!({"role": "user", "content": results}));
    let told = answer(HAIKU, &request).await;
    assert_eq!(told["content"][0]["text"], "The tools answered: 4 C; noon.");
}

#[tokio::test]
async fn a_forced_tool_is_called_without_a_preamble() {
    let choice = json!({"type": "tool", "name": "now"});
    let request = with(body("Hi"), json!({"tools": tools(), "tool_choice": choice}));
    let answer = answer(SONNET, &request).await;
    assert_eq!(answer["content"].as_array().unwrap().len(), 1);
    assert_eq!(answer["content"][0]["name"], "now");
}

#[tokio::test]
async fn max_tokens_and_stop_sequences_end_the_answer() {
    let short = answer(
        HAIKU,
        &with(body("one two three"), json!({"max_tokens": 3})),
    )
    .await;
    assert_eq!(short["content"][0]["text"], "You said: one");
    assert_eq!(short["stop_reason"], "max_tokens");
    let stops = json!({"stop_sequences": ["three", "two"]});
    let stopped = answer(HAIKU, &with(body("one two three"), stops)).await;
    assert_eq!(stopped["content"][0]["text"], "You said: one ");
    assert_eq!(stopped["stop_reason"], "stop_sequence");
    assert_eq!(stopped["stop_sequence"], "two");
}
