//! Amazon Nova.

use serde_json::{Value, json};

use super::{PNG, both, check, with};

const LITE: &str = "amazon.nova-lite-v1:0";
const MICRO: &str = "amazon.nova-micro-v1:0";
const NOVA_2: &str = "us.amazon.nova-2-lite-v1:0";

fn good() -> Value {
    json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]})
}

fn user(content: Value) -> Value {
    json!({"messages": [{"role": "user", "content": content}]})
}

fn tools() -> Value {
    let spec = |name: &str| {
        json!({"toolSpec": {"name": name, "description": "d", "inputSchema": {"json": {
            "type": "object", "properties": {"city": {"type": "string"}}}}}})
    };
    json!({"tools": [spec("get_weather"), spec("now")]})
}

/// What a client makes of Converse-like events.
pub(crate) fn assemble(events: &[Value]) -> (Value, Value, Value) {
    assert_eq!(events[0], json!({"messageStart": {"role": "assistant"}}));
    let mut content: Vec<Value> = Vec::new();
    let mut inputs = String::new();
    let (mut stop, mut metadata) = (Value::Null, Value::Null);
    for event in &events[1..] {
        let (name, inner) = event.as_object().unwrap().iter().next().unwrap();
        let at = inner["contentBlockIndex"]
            .as_u64()
            .map(|at| usize::try_from(at).unwrap());
        match name.as_str() {
            "contentBlockStart" => {
                assert_eq!(at, Some(content.len()));
                let mut call = inner["start"].clone();
                call["toolUse"]["input"] = json!({});
                content.push(call);
                inputs.clear();
            }
            "contentBlockDelta" => {
                if at == Some(content.len()) {
                    content.push(json!({}));
                }
                add(&mut content[at.unwrap()], &inner["delta"], &mut inputs);
            }
            "contentBlockStop" if !inputs.is_empty() => {
                content[at.unwrap()]["toolUse"]["input"] = serde_json::from_str(&inputs).unwrap();
                inputs.clear();
            }
            "messageStop" => stop = inner.clone(),
            "metadata" => metadata = inner.clone(),
            _ => {}
        }
    }
    (
        json!({"role": "assistant", "content": content}),
        stop,
        metadata,
    )
}

fn add(block: &mut Value, delta: &Value, inputs: &mut String) {
    if let Some(piece) = delta.pointer("/toolUse/input") {
        inputs.push_str(piece.as_str().unwrap());
    }
    for (from, to) in [
        ("/text", "text"),
        (
            "/reasoningContent/text",
            "reasoningContent/reasoningText/text",
        ),
        (
            "/reasoningContent/signature",
            "reasoningContent/reasoningText/signature",
        ),
        (
            "/reasoningContent/redactedContent",
            "reasoningContent/redactedContent",
        ),
    ] {
        if let Some(piece) = delta.pointer(from) {
            let target = to
                .split('/')
                .fold(&mut *block, |value, key| &mut value[key]);
            let so_far = target.as_str().unwrap_or_default().to_owned();
            *target = json!(so_far + piece.as_str().unwrap());
        }
    }
}

/// Sends it both ways, which must give the same answer.
async fn answer(model: &str, fields: Value) -> Value {
    let both = both(model, &with(&good(), &fields)).await;
    let (message, stop, metadata) = assemble(&both.events);
    assert_eq!(message, both.plain["output"]["message"]);
    assert_eq!(stop["stopReason"], both.plain["stopReason"]);
    assert_eq!(metadata["usage"], both.plain["usage"]);
    assert_eq!(json!(both.tokens[0]), both.plain["usage"]["inputTokens"]);
    both.plain
}

#[tokio::test]
async fn what_nova_refuses() {
    let call = json!({"toolUse": {"toolUseId": "t1", "name": "now", "input": {}}});
    let result = json!({"toolResult": {"toolUseId": "t1", "content": [{"text": "noon"}]}});
    let history = |last: Value| {
        json!({"toolConfig": tools(), "messages": [
            {"role": "user", "content": [{"text": "a"}]},
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": last}]})
    };
    let image = json!({"image": {"format": "png", "source": {"bytes": PNG}}});
    let limits = |fields: Value| json!({ "inferenceConfig": fields });
    let reasoning = |effort: &str| json!({"type": "enabled", "maxReasoningEffort": effort});
    check("invoke", &good(), vec![
        (LITE, json!({}), ""),
        (LITE, json!({"schemaVersion": "messages-v1", "system": [{"text": "Be brief."}]}), ""),
        (LITE, json!({"schemaVersion": "messages-v2"}), "#/schemaVersion: messages-v2 is not a valid enum value"),
        (LITE, json!({"model": "nova"}), "Malformed input request: #: extraneous key [model] is not permitted, please reformat your input and try again."),
        (LITE, json!({"max_tokens": 5}), "extraneous key [max_tokens] is not permitted"),
        (LITE, json!({"messages": null}), "#: required key [messages] not found"),
        (LITE, json!({"messages": []}), "#/messages: expected minimum item count: 1, found: 0"),
        (LITE, json!({"system": []}), "#/system: expected minimum item count: 1, found: 0"),
        (LITE, json!({"system": "Be brief."}), "#/system: expected type: JSONArray, found: String"),
        (LITE, json!({"system": [{"text": ""}]}), "#/system/0/text: expected minLength: 1, actual: 0"),
        (LITE, user(json!("Hi")), "#/messages/0/content: expected type: JSONArray, found: String"),
        (LITE, user(json!([{"type": "text", "text": "a"}])), "#/messages/0/content/0: extraneous key [type]"),
        (LITE, user(json!([{"text": "a", "cachePoint": {"type": "default"}}])), ""),
        (LITE, user(json!([{"text": "a"}, {"cachePoint": {"type": "default"}}])), "expected exactly one member of a union, found: 0"),
        (LITE, user(json!([{"text": " "}])), "is blank"),
        (LITE, user(json!([image])), ""),
        (MICRO, user(json!([image])), "This model doesn't support the image field."),
        (LITE, user(json!([{"image": {"format": "jpeg", "source": {"bytes": PNG}}}])), "appears to be a image/png image"),
        (LITE, user(json!([{"document": {}}])), "extraneous key [document]"),
        (LITE, json!({"messages": [{"role": "assistant", "content": [{"text": "a"}]}]}), "A conversation must start with a user message"),
        (LITE, json!({"messages": [{"role": "user", "content": [{"text": "a"}]}, {"role": "user", "content": [{"text": "b"}]}]}), "must alternate"),
        (LITE, limits(json!({"maxTokens": 10_000, "temperature": 0.00001, "topP": 1, "topK": 128, "stopSequences": ["END"]})), ""),
        (LITE, limits(json!({"max_new_tokens": 5})), ""),
        (LITE, limits(json!({"maxTokens": 10_001})), "exceeds the model limit of 10000"),
        (LITE, limits(json!({"temperature": 0})), "#/inferenceConfig/temperature: 0 is not greater or equal to 0.00001"),
        (LITE, limits(json!({"temperature": 1.1})), "1.1 is not less or equal to 1"),
        (LITE, limits(json!({"topK": 129})), "129 is not less or equal to 128"),
        (LITE, limits(json!({"stopSequences": [""]})), "#/inferenceConfig/stopSequences/0: expected minLength: 1"),
        (LITE, limits(json!({"reasoningConfig": reasoning("low")})), "extraneous key [reasoningConfig]"),
        (NOVA_2, limits(json!({"reasoningConfig": reasoning("low"), "maxTokens": 9})), ""),
        (NOVA_2, limits(json!({"reasoningConfig": reasoning("high"), "maxTokens": 9})), "maxTokens must be unset"),
        (NOVA_2, limits(json!({"reasoningConfig": reasoning("max")})), "max is not a valid enum value"),
        (LITE, json!({"toolConfig": {"tools": []}}), "#/toolConfig/tools: expected minimum item count: 1"),
        (LITE, history(json!([result])), ""),
        (LITE, history(json!([result, {"text": "b"}])), "cannot be provided in the same turn"),
        (LITE, history(json!([{"text": "b"}])), "Expected toolResult blocks at messages.2.content for the following Ids: t1"),
        (LITE, history(json!([result, result])), "exceeds the number of toolUse blocks"),
        (LITE, user(json!([result])), "The toolConfig field must be defined"),
        (LITE, user(json!([call])), "not supported in a message with the user role"),
    ]).await;
}

#[tokio::test]
async fn text_images_tools_and_limits() {
    let said = answer(LITE, json!({"system": [{"text": "Be brief."}]})).await;
    assert_eq!(
        said["output"]["message"]["content"],
        json!([{"text": "You said: Hi"}])
    );
    assert_eq!(
        said["usage"],
        json!({"inputTokens": 3, "outputTokens": 3, "totalTokens": 6,
        "cacheReadInputTokenCount": 0, "cacheWriteInputTokenCount": 0})
    );
    let image = json!({"image": {"format": "png", "source": {"bytes": PNG}}});
    let seen = answer(LITE, user(json!([{"text": "look"}, image]))).await;
    let text = &seen["output"]["message"]["content"][0]["text"];
    assert_eq!(text, "You said: look I see an image/png of 8 bytes.");
    let mut fields = user(json!([{"text": "call get_weather and now"}]));
    fields["toolConfig"] = tools();
    let called = answer(LITE, fields).await;
    assert_eq!(called["stopReason"], "tool_use");
    let content = called["output"]["message"]["content"].as_array().unwrap();
    assert_eq!(content[1]["toolUse"]["input"], json!({"city": "city"}));
    assert_eq!(content.len(), 3);
    let cut = answer(LITE, json!({"inferenceConfig": {"maxTokens": 2}})).await;
    assert_eq!(cut["stopReason"], "max_tokens");
}

#[tokio::test]
async fn nova_2_hides_its_reasoning() {
    let config = json!({"type": "enabled", "maxReasoningEffort": "medium"});
    let answer = answer(
        NOVA_2,
        json!({"inferenceConfig": {"reasoningConfig": config}}),
    )
    .await;
    let content = &answer["output"]["message"]["content"];
    assert_eq!(
        content[0]["reasoningContent"]["reasoningText"]["text"],
        "[REDACTED]"
    );
    assert_eq!(content[1]["text"], "You said: Hi");
}
