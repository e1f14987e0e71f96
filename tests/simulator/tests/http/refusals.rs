//! What AWS refuses in a Claude body, one row per rule.

use serde_json::{Value, json};

use crate::client::{Call, HAIKU, SONNET, body, start};

const OPUS_4_6: &str = "us.anthropic.claude-opus-4-6-v1";
const OPUS_4_7: &str = "us.anthropic.claude-opus-4-7";
const OPUS_4_8: &str = "us.anthropic.claude-opus-4-8";
pub(crate) const OPUS_5_5: &str = "us.anthropic.claude-opus-5-5";
const PNG: &str = "iVBORw0KGgo=";

/// Model, change of a good body, message of the refusal (`""`: accepted).
pub(crate) type Row = (&'static str, Value, &'static str);

/// Sends a good body with these top-level fields set (`null` removes one).
pub(crate) async fn check(rows: Vec<Row>) {
    let simulator = start().await;
    for (model, fields, expected) in rows {
        let mut request = body("Hi");
        for (name, value) in fields.as_object().unwrap() {
            match value {
                Value::Null => drop(request.as_object_mut().unwrap().remove(name)),
                value => request[name] = value.clone(),
            }
        }
        let (status, answer) = Call::invoke(model, &request).json(&simulator).await;
        match expected {
            "" => assert_eq!(status, 200, "{fields} {answer}"),
            text => {
                assert_eq!(status, 400, "{fields} {answer}");
                let message = answer["message"].as_str().unwrap();
                assert!(
                    message.starts_with(text),
                    "{fields}\n got: {message}\nwant: {text}"
                );
            }
        }
    }
}

fn user(content: Value) -> Value {
    json!({"messages": [{"role": "user", "content": content}]})
}

pub(crate) fn chat(turns: Value) -> Value {
    let turns = turns.as_array().unwrap().iter();
    let messages: Vec<Value> = turns
        .map(|t| json!({"role": t[0], "content": t[1]}))
        .collect();
    json!({"messages": messages})
}

fn image(media_type: &str, data: &str) -> Value {
    user(
        json!([{"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}]),
    )
}

pub(crate) fn tool(name: &str) -> Value {
    json!({"name": name, "input_schema": {"type": "object", "properties": {}}})
}

pub(crate) fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

#[tokio::test]
async fn top_level_fields() {
    check(vec![
        (HAIKU, json!({}), ""),
        (HAIKU, json!({"model": "claude"}), "model: Extra inputs are not permitted"),
        (HAIKU, json!({"stream": true}), "stream: Extra inputs are not permitted"),
        (HAIKU, json!({"n": 1}), "n: Extra inputs are not permitted"),
        (HAIKU, json!({"service_tier": "auto"}), "service_tier: Extra inputs are not permitted"),
        (HAIKU, json!({"anthropic_version": null}), "anthropic_version: Field required"),
        (HAIKU, json!({"anthropic_version": "2023-06-01"}), "anthropic_version: Input should be 'bedrock-2023-05-31'"),
        (HAIKU, json!({"max_tokens": null}), "max_tokens: Field required"),
        (HAIKU, json!({"max_tokens": 0}), "max_tokens: Input should be greater than or equal to 1"),
        (HAIKU, json!({"max_tokens": 1.5}), "max_tokens: Input should be a valid integer"),
        (HAIKU, json!({"max_tokens": 4096}), ""),
        (HAIKU, json!({"max_tokens": 4097}), "max_tokens: 4097 > 4096, which is the maximum allowed number of output tokens for claude-3-haiku-20240307"),
        (HAIKU, json!({"messages": null}), "messages: Field required"),
        (HAIKU, json!({"messages": []}), "messages: at least one message is required"),
        (HAIKU, json!({"messages": {}}), "messages: Input should be a valid list"),
        (HAIKU, json!({"system": "Be brief."}), ""),
        (HAIKU, json!({"system": [text("Be brief.")]}), ""),
        (HAIKU, json!({"system": ""}), "system: text content blocks must be non-empty"),
        (HAIKU, json!({"system": [text(" ")]}), "system: text content blocks must contain non-whitespace text"),
        (HAIKU, json!({"system": [{"type": "image"}]}), "system.0: Input tag 'image'"),
        (HAIKU, json!({"anthropic_beta": ["context-1m-2025-08-07"]}), ""),
        (HAIKU, json!({"anthropic_beta": ["prompt-caching-2024-07-31"]}), "invalid beta flag"),
        (HAIKU, json!({"metadata": {"user_id": "opaque"}}), ""),
        (HAIKU, json!({"metadata": {"team": "a"}}), "metadata.team: Extra inputs are not permitted"),
        (SONNET, json!({"output_config": {"effort": "huge"}}), "output_config.effort: Input should be"),
    ])
    .await;
}

#[tokio::test]
async fn messages_and_text_blocks() {
    check(vec![
        (HAIKU, chat(json!([["assistant", "Hi"]])), "messages: first message must use the \"user\" role"),
        (HAIKU, chat(json!([["user", "a"], ["tool", "b"]])), "messages.1.role: Input should be 'user' or 'assistant'"),
        (HAIKU, chat(json!([["system", "b"]])), "role 'system' is not supported on this model"),
        (OPUS_4_8, chat(json!([["user", "a"], ["system", "b"], ["user", "c"]])), ""),
        (HAIKU, json!({"messages": [{"role": "user", "content": "a", "name": "b"}]}), "messages.0.name: Extra inputs"),
        (HAIKU, json!({"messages": [{"role": "user"}]}), "messages.0.content: Field required"),
        (HAIKU, user(json!("")), "messages.0: all messages must have non-empty content"),
        (HAIKU, user(json!([])), "messages.0: all messages must have non-empty content"),
        (HAIKU, user(json!(" \n")), "messages: text content blocks must contain non-whitespace text"),
        (HAIKU, user(json!([text("")])), "messages: text content blocks must be non-empty"),
        (HAIKU, user(json!([text("a"), text("\t ")])), "messages: text content blocks must contain non-whitespace text"),
        (HAIKU, user(json!([{"type": "text"}])), "messages.0.content.0.text.text: Field required"),
        (HAIKU, user(json!([{"type": "text", "text": "a", "id": 1}])), "messages.0.content.0.text.id: Extra inputs"),
        (HAIKU, user(json!([{"type": "input_text", "text": "a"}])), "messages.0.content.0: Input tag 'input_text' found using 'type' does not match any of the expected tags: 'document', 'image'"),
        (HAIKU, user(json!([{"text": "a"}])), "messages.0.content.0.type: Field required"),
        (HAIKU, user(json!(["a"])), "messages.0.content.0: Input should be an object"),
        (HAIKU, user(json!([{"type": "tool_use", "id": "a", "name": "now", "input": {}}])), "messages.0.content.0: `tool_use` blocks are not allowed here"),
        (HAIKU, chat(json!([["user", "a"], ["user", "b"], ["assistant", "c"], ["user", "d"]])), ""),
    ])
    .await;
}

#[tokio::test]
async fn the_last_assistant_message() {
    let prefill = "This model does not support assistant message prefill.";
    let trailing = "messages: final assistant content cannot end with trailing whitespace";
    check(vec![
        (HAIKU, chat(json!([["user", "a"], ["assistant", "b"]])), ""),
        (
            HAIKU,
            chat(json!([["user", "a"], ["assistant", "b "]])),
            trailing,
        ),
        (
            SONNET,
            chat(json!([["user", "a"], ["assistant", [text("b\n")]]])),
            trailing,
        ),
        (
            OPUS_4_6,
            chat(json!([["user", "a"], ["assistant", "b"]])),
            prefill,
        ),
        (
            OPUS_5_5,
            chat(json!([["user", "a"], ["assistant", "b"]])),
            prefill,
        ),
        (
            HAIKU,
            chat(json!([["user", "a"], ["assistant", "b "], ["user", "c"]])),
            "",
        ),
    ])
    .await;
}

#[tokio::test]
async fn images_and_documents() {
    let url =
        json!([{"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}]);
    let mut assistant = image("image/png", PNG)["messages"][0].clone();
    assistant["role"] = json!("assistant");
    let in_answer = json!({"messages": [{"role": "user", "content": "a"}, assistant, {"role": "user", "content": "b"}]});
    let pdf = |data: &str| {
        user(
            json!([{"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": data}}]),
        )
    };
    check(vec![
        (HAIKU, image("image/png", PNG), ""),
        (HAIKU, image("image/jpeg", "/9j/4A=="), ""),
        (HAIKU, image("image/gif", "R0lGODlh"), ""),
        (HAIKU, image("image/webp", "UklGRgAAAABXRUJQ"), ""),
        (HAIKU, user(url), "messages.0.content.0.image.source: Input tag 'url'"),
        (HAIKU, image("image/bmp", PNG), "messages.0.content.0.image.source.base64.media_type: Input should be 'image/jpeg'"),
        (HAIKU, image("image/png", "iVBORw0KGgo"), "messages.0.content.0.image.source.base64: invalid base64 data"),
        (HAIKU, image("image/png", "data:image/png;base64,iVBORw0KGgo="), "messages.0.content.0.image.source.base64: invalid base64 data"),
        (HAIKU, image("image/png", ""), "messages.0.content.0.image.source.base64.data: Could not process image"),
        (HAIKU, image("image/jpeg", PNG), "messages.0.content.0.image.source.base64.data: The image was specified using the image/jpeg media type, but the image appears to be a image/png image"),
        (HAIKU, user(json!([{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}, "detail": "low"}])), "messages.0.content.0.image.detail: Extra inputs"),
        (HAIKU, in_answer, "messages.1.content.0: `image` blocks are not allowed here"),
        (HAIKU, pdf("JVBERi0xLjc="), ""),
        (HAIKU, pdf(PNG), "messages.0.content.0.document.source.base64.data: The PDF specified was not valid."),
    ])
    .await;
}

#[tokio::test]
async fn sampling_stop_sequences_and_thinking() {
    let deprecated = "`temperature` is deprecated for this model.";
    let both = json!({"temperature": 0.5, "top_p": 0.9});
    let budget = |tokens: u64| json!({"max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": tokens}});
    let thinking = |kind: &str| json!({"thinking": {"type": kind}});
    check(vec![
        (HAIKU, json!({"temperature": 0, "top_p": 1, "top_k": 5}), ""),
        (HAIKU, json!({"temperature": 1.1}), "temperature: Input should be less than or equal to 1"),
        (HAIKU, json!({"temperature": -0.1}), "temperature: Input should be greater than or equal to 0"),
        (HAIKU, json!({"temperature": "1"}), "temperature: Input should be a valid number"),
        (HAIKU, json!({"top_p": 2}), "top_p: Input should be less than or equal to 1"),
        (HAIKU, json!({"top_k": -1}), "top_k: Input should be greater than or equal to 0"),
        (HAIKU, both.clone(), ""),
        (SONNET, both.clone(), "`temperature` and `top_p` cannot both be specified for this model."),
        (OPUS_4_6, both, "`temperature` and `top_p` cannot both be specified for this model."),
        (SONNET, json!({"temperature": 0.5}), ""),
        (OPUS_4_7, json!({"temperature": 1}), deprecated),
        (OPUS_5_5, json!({"temperature": 0.5}), deprecated),
        (OPUS_4_7, json!({"top_p": 0.5}), "`top_p` is deprecated for this model."),
        (OPUS_4_7, json!({"top_k": 5}), "`top_k` is deprecated for this model."),
        (HAIKU, json!({"stop_sequences": ["END", "\n\nHuman:"]}), ""),
        (HAIKU, json!({"stop_sequences": ["END", "\n"]}), "stop_sequences: each stop sequence must contain non-whitespace"),
        (HAIKU, json!({"stop_sequences": "END"}), "stop_sequences: Input should be a valid list"),
        (SONNET, budget(1024), ""),
        (SONNET, budget(1023), "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"),
        (SONNET, budget(2000), "`max_tokens` must be greater than `thinking.budget_tokens`."),
        (HAIKU, budget(1024), "\"thinking.type.enabled\" is not supported"),
        (OPUS_4_7, budget(1024), "\"thinking.type.enabled\" is not supported"),
        (OPUS_4_7, thinking("adaptive"), ""),
        (SONNET, thinking("adaptive"), "adaptive thinking is not supported on this model"),
        (SONNET, thinking("disabled"), ""),
        (OPUS_5_5, thinking("disabled"), "\"thinking.type.disabled\" is not supported"),
        (OPUS_4_7, json!({"thinking": {"type": "adaptive"}, "tools": [tool("now")], "tool_choice": {"type": "any"}}), "Thinking may not be enabled when tool_choice forces tool use."),
    ])
    .await;
}

#[tokio::test]
async fn at_most_four_cache_points() {
    let cached =
        |text: &str| json!({"type": "text", "text": text, "cache_control": {"type": "ephemeral"}});
    let point =
        |control: Value| user(json!([{"type": "text", "text": "a", "cache_control": control}]));
    let schema = json!({"type": "object", "properties": {"cache_control": {"type": "string"}}});
    let four: Vec<Value> = ["a", "b", "c", "d"].map(cached).to_vec();
    let ordered = |first: &str, second: &str| {
        let mut request = point(json!({"type": "ephemeral", "ttl": second}));
        request["tools"] = json!([tool("now")]);
        request["tools"][0]["cache_control"] = json!({"type": "ephemeral", "ttl": first});
        request
    };
    let mut more = user(json!(four));
    more["system"] = json!([cached("e")]);
    let mut named = user(json!(four));
    named["tools"] = json!([{"name": "now", "input_schema": schema}]);
    check(vec![
        (HAIKU, user(json!(four)), ""),
        (HAIKU, named, ""),
        (
            HAIKU,
            more,
            "A maximum of 4 blocks with cache_control may be provided. Found 5.",
        ),
        (
            HAIKU,
            point(json!({"type": "ephemeral", "ttl": "1h"})),
            "messages.0.content.0.cache_control.ephemeral.ttl: Extra inputs are not permitted",
        ),
        (SONNET, point(json!({"type": "ephemeral", "ttl": "1h"})), ""),
        (SONNET, ordered("1h", "5m"), ""),
        (
            SONNET,
            ordered("5m", "1h"),
            "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block.",
        ),
        (
            SONNET,
            point(json!({"type": "ephemeral", "ttl": "2h"})),
            "messages.0.content.0.text.cache_control.ttl: Input should be '5m' or '1h'",
        ),
        (
            HAIKU,
            point(json!({"type": "persistent"})),
            "messages.0.content.0.text.cache_control: Input tag 'persistent'",
        ),
        (
            HAIKU,
            point(json!({"type": "ephemeral", "scope": "global"})),
            "messages.0.content.0.text.cache_control.scope: Extra inputs",
        ),
    ])
    .await;
}
