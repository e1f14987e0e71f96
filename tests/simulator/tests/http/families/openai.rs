//! OpenAI-shaped bodies.

use serde_json::{Value, json};

use super::{Both, PNG, both, check, texts, with};

const QWEN: &str = "qwen.qwen3-32b-v1:0";
const GPT_OSS: &str = "openai.gpt-oss-120b-1:0";
const GPT: &str = "us.openai.gpt-6.1-sol";
const KIMI: &str = "moonshot.kimi-k2-thinking";
const GROK: &str = "us.xai.grok-4.6";
const GEMMA: &str = "google.gemma-3-12b-it";
const MINIMAX: &str = "minimax.minimax-m2";
const GLM: &str = "zai.glm-4.7";
const VOXTRAL: &str = "mistral.voxtral-small-24b-2507";

fn good() -> Value {
    json!({"messages": [{"role": "user", "content": "Hi"}]})
}

fn user(content: Value) -> Value {
    json!({"messages": [{"role": "user", "content": content}]})
}

fn tools() -> Value {
    let tool = |name: &str| {
        json!({"type": "function", "function": {"name": name, "parameters": {
            "type": "object", "properties": {"city": {"type": "string"}}}}})
    };
    json!([tool("get_weather"), tool("now")])
}

fn image(url: &str) -> Value {
    user(
        json!([{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": url}}]),
    )
}

/// What a client makes of the chunks, without the identification.
fn assemble(events: &[Value]) -> Value {
    let mut message = json!({"role": "assistant"});
    let mut calls: Vec<Value> = Vec::new();
    for delta in events.iter().filter_map(|e| e.pointer("/choices/0/delta")) {
        for name in ["content", "reasoning_content", "reasoning"] {
            if let Some(piece) = delta[name].as_str() {
                let so_far = message[name].as_str().unwrap_or_default().to_owned();
                message[name] = json!(so_far + piece);
            }
        }
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            let at = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            if at == calls.len() {
                let mut call = call.clone();
                call.as_object_mut().unwrap().remove("index");
                calls.push(call);
                continue;
            }
            let target = &mut calls[at]["function"]["arguments"];
            let piece = call["function"]["arguments"].as_str().unwrap();
            *target = json!(target.as_str().unwrap().to_owned() + piece);
        }
    }
    if !calls.is_empty() {
        message["tool_calls"] = json!(calls);
    }
    message
}

async fn answer(model: &str, fields: Value) -> Both {
    let both = both(model, &with(&good(), &fields)).await;
    let mut message = both.plain["choices"][0]["message"].clone();
    if message["content"].is_null() {
        message["content"] = json!("");
    }
    assert_eq!(assemble(&both.events), message);
    let finish = texts(&both.events, "/choices/0/finish_reason");
    assert_eq!(both.plain["choices"][0]["finish_reason"], json!(finish));
    let end = both.events.iter().rfind(|event| event.is_object()).unwrap();
    assert_eq!(end["usage"], both.plain["usage"]);
    both
}

#[tokio::test]
async fn what_every_model_refuses() {
    let calls =
        json!([{"id": "c1", "type": "function", "function": {"name": "now", "arguments": "{}"}}]);
    let history = |assistant: Value, last: Value| json!({"messages": [{"role": "user", "content": "a"}, assistant, last]});
    let called = json!({"role": "assistant", "content": null, "tool_calls": calls});
    let told = json!({"role": "tool", "tool_call_id": "c1", "content": "noon"});
    let schema =
        json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}});
    check("invoke", &good(), vec![
        (QWEN, json!({}), ""),
        (QWEN, json!({"model": "qwen"}), "Malformed input request: #: extraneous key [model] is not permitted"),
        (QWEN, json!({"stream": false}), "extraneous key [stream] is not permitted"),
        (QWEN, json!({"stream_options": {"include_usage": true}}), "extraneous key [stream_options]"),
        (QWEN, json!({"n": 2}), "extraneous key [n] is not permitted"),
        (QWEN, json!({"logprobs": true}), "extraneous key [logprobs] is not permitted"),
        (QWEN, json!({"metadata": {}}), "extraneous key [metadata] is not permitted"),
        (QWEN, json!({"messages": null}), "required key [messages] not found"),
        (QWEN, json!({"max_tokens": 8192, "temperature": 2, "top_p": 1, "stop": ["a"], "seed": 1, "frequency_penalty": 1}), ""),
        (QWEN, json!({"max_tokens": 8193}), "exceeds the model limit of 8192"),
        (QWEN, json!({"max_tokens": 5, "max_completion_tokens": 5}), "cannot be set both"),
        (QWEN, json!({"temperature": 2.1}), "#/temperature: 2.1 is not less or equal to 2"),
        (QWEN, json!({"stop": ["a", "b", "c", "d", "e"]}), "#/stop: expected maximum item count: 4, found: 5"),
        (QWEN, json!({"stop": ""}), "#/stop: expected minLength: 1"),
        (QWEN, user(json!("")), "'content' must not be blank"),
        (QWEN, user(json!(null)), "'content' must not be null"),
        (QWEN, json!({"messages": [{"role": "system", "content": "a"}]}), "at least one message with the user role"),
        (QWEN, json!({"messages": [{"role": "developer", "content": "a"}, {"role": "user", "content": "b"}]}), "Unexpected message role 'developer'"),
        (QWEN, json!({"messages": [{"role": "user", "content": "b", "cache_control": {}}]}), "extraneous key [cache_control]"),
        (QWEN, history(json!({"role": "assistant", "content": "b", "reasoning_content": "c"}), json!({"role": "user", "content": "c"})), "extraneous key [reasoning_content]"),
        (QWEN, history(called.clone(), told.clone()), ""),
        (QWEN, history(called.clone(), json!({"role": "user", "content": "c"})), "the tool call c1 has no answer"),
        (QWEN, history(json!({"role": "assistant", "content": "b"}), told.clone()), "answers no call of the message before"),
        (QWEN, history(called, json!({"role": "tool", "content": "noon"})), "'tool_call_id' belongs to the tool role"),
        (QWEN, json!({"tools": tools(), "tool_choice": "required"}), ""),
        (QWEN, json!({"tools": tools(), "tool_choice": {"type": "function", "function": {"name": "other"}}}), "not found in 'tools'"),
        (QWEN, json!({"tool_choice": "auto"}), "`tools` must be set"),
        (QWEN, json!({"tools": [{"type": "custom"}]}), "custom is not a valid enum value"),
        (QWEN, json!({"tools": []}), "#/tools: expected minimum item count: 1"),
        (QWEN, json!({"response_format": schema}), ""),
        (QWEN, json!({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "strict": true, "schema": {"type": "object", "properties": {}}}}}), "response_format: For 'object' type"),
        (QWEN, json!({"tools": [{"type": "function", "function": {"name": "f", "strict": true, "parameters": {"type": "object", "properties": {}}}}]}), "tools: For 'object' type"),
        (QWEN, json!({"response_format": {"type": "json_schema"}}), "'json_schema' must be set"),
        (QWEN, image(&format!("data:image/png;base64,{PNG}")), "does not support content of type 'image_url'"),
        (GEMMA, image(&format!("data:image/png;base64,{PNG}")), ""),
        (GEMMA, image("https://example.com/a.png"), "only data URIs"),
        (GEMMA, image(&format!("data:image/jpeg;base64,{PNG}")), "not an image of its media type"),
        (VOXTRAL, user(json!([{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}])), ""),
    ]).await;
}

#[tokio::test]
async fn what_individual_vendors_refuse() {
    let developer = json!({"messages": [{"role": "developer", "content": "a"}, {"role": "user", "content": "b"}]});
    check(
        "invoke",
        &good(),
        vec![
            (KIMI, json!({"stop": ["a"]}), "extraneous key [stop]"),
            (GROK, json!({"stop": ["a"]}), "extraneous key [stop]"),
            (GPT, json!({"stop": ["a"]}), "extraneous key [stop]"),
            (GPT_OSS, json!({"stop": ["a"]}), ""),
            (GPT_OSS, developer, ""),
            (
                GPT_OSS,
                image(&format!("data:image/png;base64,{PNG}")),
                "does not support content of type 'image_url'",
            ),
            (GPT_OSS, json!({"reasoning_effort": "high"}), ""),
            (
                GPT_OSS,
                json!({"reasoning_effort": "none"}),
                "'none' is not one of 'low', 'medium', 'high'",
            ),
            (
                GPT,
                json!({"reasoning_effort": "xhigh", "verbosity": "low"}),
                "",
            ),
            (
                GPT,
                json!({"max_tokens": 20}),
                "extraneous key [max_tokens]",
            ),
            (
                GPT,
                json!({"max_completion_tokens": 15}),
                "must be at least 16",
            ),
            (GPT, json!({"max_completion_tokens": 16}), ""),
            (KIMI, json!({"temperature": 1.1}), "between 0 and 1"),
            (KIMI, json!({"temperature": 1}), ""),
            (
                KIMI,
                json!({"tools": tools(), "tool_choice": "required"}),
                "'required' is not supported",
            ),
            (
                KIMI,
                user(json!([{"type": "text", "text": "a"}])),
                "'content' should be a valid string",
            ),
            (
                GEMMA,
                json!({"reasoning_effort": "low"}),
                "extraneous key [reasoning_effort]",
            ),
            (
                QWEN,
                json!({"verbosity": "low"}),
                "extraneous key [verbosity]",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn text_tools_and_structured_answers() {
    let said = answer(QWEN, json!({})).await.plain;
    assert_eq!(said["choices"][0]["message"]["content"], "You said: Hi");
    assert_eq!(said["object"], "chat.completion");
    assert_eq!(
        said["usage"],
        json!({"prompt_tokens": 1, "completion_tokens": 3, "total_tokens": 4})
    );
    let mut fields = user(json!("call get_weather and now"));
    fields["tools"] = tools();
    let called = answer(QWEN, fields.clone()).await.plain;
    assert_eq!(called["choices"][0]["finish_reason"], "tool_calls");
    let calls = called["choices"][0]["message"]["tool_calls"]
        .as_array()
        .unwrap();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0]["function"]["arguments"], r#"{"city":"city"}"#);
    fields["parallel_tool_calls"] = json!(false);
    let one = answer(QWEN, fields).await.plain;
    assert_eq!(
        one["choices"][0]["message"]["tool_calls"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
    let format = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}});
    let json = answer(QWEN, json!({"response_format": format})).await.plain;
    assert_eq!(json["choices"][0]["message"]["content"], r#"{"n":1}"#);
}

#[tokio::test]
async fn reasoning_is_where_the_vendor_puts_it() {
    let effort = json!({"reasoning_effort": "low"});
    for (model, fields, name, text) in [
        (
            GPT_OSS,
            json!({}),
            "content",
            "<reasoning>The user said: Hi</reasoning>You said: Hi",
        ),
        (
            KIMI,
            json!({}),
            "content",
            "<reasoning>The user said: Hi</reasoning>You said: Hi",
        ),
        (QWEN, json!({}), "content", "You said: Hi"),
        (
            QWEN,
            effort.clone(),
            "content",
            "<think>The user said: Hi</think>You said: Hi",
        ),
        (
            MINIMAX,
            effort.clone(),
            "content",
            "<think>The user said: Hi</think>You said: Hi",
        ),
        (
            GLM,
            effort.clone(),
            "reasoning_content",
            "The user said: Hi",
        ),
        ("deepseek.v3.2", effort, "reasoning", "The user said: Hi"),
    ] {
        let answer = answer(model, fields).await;
        assert_eq!(answer.plain["choices"][0]["message"][name], text, "{model}");
    }
    let inline = answer(GPT_OSS, json!({})).await;
    let whole = &inline.events[1]["choices"][0]["delta"]["content"];
    assert_eq!(whole, "<reasoning>The user said: Hi</reasoning>");
}

#[tokio::test]
async fn some_vendors_leave_out_or_add_fields() {
    assert!(answer(MINIMAX, json!({})).await.plain.get("id").is_none());
    let writer = answer("writer.palmyra-vision-7b", json!({})).await;
    assert_eq!(writer.events.last(), Some(&json!("[DONE]")));
}
