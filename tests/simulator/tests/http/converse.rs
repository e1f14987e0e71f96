//! Converse and `ConverseStream`.

mod refusals;

use bedrock_simulator::{Effect, Family, Fault};
use serde_json::{Value, json};

use crate::client::{Call, Frame, builder, decode, events, start};
use crate::families::nova::assemble;
use crate::families::{PNG, check, with};

const HAIKU: &str = "anthropic.claude-3-haiku-20240307-v1:0";
const SONNET: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const OPUS_5_5: &str = "us.anthropic.claude-opus-5-5";
const NOVA: &str = "amazon.nova-lite-v1:0";
const NOVA_2: &str = "us.amazon.nova-2-lite-v1:0";
const LLAMA: &str = "meta.llama3-1-8b-instruct-v1:0";
const LLAMA_4: &str = "us.meta.llama4-scout-17b-instruct-v1:0";
const MISTRAL: &str = "mistral.mistral-large-2402-v1:0";
const COMMAND_R: &str = "cohere.command-r-v1:0";
const GPT_OSS: &str = "openai.gpt-oss-20b-1:0";
const KIMI: &str = "moonshot.kimi-k2-thinking";
const QWEN: &str = "qwen.qwen3-32b-v1:0";
const R1: &str = "us.deepseek.r1-v1:0";
const MISTRAL_7B: &str = "mistral.mistral-7b-instruct-v0:2";
const GLM: &str = "us.zai.glm-5.3";
const GROK: &str = "us.xai.grok-4.7";
const GPT_5_6: &str = "us.openai.gpt-5.6-sol";

fn good() -> Value {
    json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]})
}

fn user(content: Value) -> Value {
    json!({"messages": [{"role": "user", "content": content}]})
}

fn tools(choice: Value) -> Value {
    let spec = |name: &str| {
        json!({"toolSpec": {"name": name, "inputSchema": {"json": {
            "type": "object", "properties": {"city": {"type": "string"}}}}}})
    };
    let mut config = json!({"tools": [spec("get_weather"), spec("now")]});
    if !choice.is_null() {
        config["toolChoice"] = choice;
    }
    json!({ "toolConfig": config })
}

fn document(format: &str, name: &str, bytes: &str) -> Value {
    json!({"document": {"format": format, "name": name, "source": {"bytes": bytes}}})
}

/// A conversation with one call, which `last` answers.
fn history(last: Value) -> Value {
    let call = json!({"toolUse": {"toolUseId": "t1", "name": "now", "input": {}}});
    let mut fields = tools(Value::Null);
    fields["messages"] = json!([
        {"role": "user", "content": [{"text": "a"}]},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": last}]);
    fields
}

/// Sends it both ways, which must give the same answer.
async fn answer(model: &str, fields: Value) -> Value {
    let simulator = start().await;
    let body = with(&good(), &fields);
    let model = model.replace(':', "%3A");
    let response = Call::converse(&model, &body).send(&simulator).await;
    let status = response.status();
    assert!(
        !response
            .headers()
            .keys()
            .any(|name| name.as_str().starts_with("x-amzn-bedrock")),
        "Converse has none of these headers"
    );
    let plain: Value = response.json().await.unwrap();
    assert_eq!(status, 200, "{plain}");
    let streamed = Call::new(&model, "converse-stream", &body)
        .send(&simulator)
        .await;
    let (message, stop, metadata) = assemble(&events(&streamed.bytes().await.unwrap()));
    assert_eq!(message, plain["output"]["message"]);
    for (name, value) in stop
        .as_object()
        .unwrap()
        .iter()
        .chain(metadata.as_object().unwrap())
    {
        assert_eq!(value, &plain[name], "{name}");
    }
    plain
}

#[tokio::test]
async fn structured_output_where_it_is_native() {
    let format = |schema: &str| json!({"outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": schema, "name": "n"}}}}});
    let closed =
        r#"{"type":"object","properties":{"n":{"type":"integer"}},"additionalProperties":false}"#;
    check(
        "converse",
        &good(),
        vec![
            (SONNET, format(closed), ""),
            (
                SONNET,
                format(r#"{"type":"object"}"#),
                "'additionalProperties' must be explicitly set to false",
            ),
            (SONNET, format("{"), "is not a valid JSON schema"),
            (
                HAIKU,
                format(closed),
                "output_config.format: Extra inputs are not permitted",
            ),
            (
                OPUS_5_5,
                format(closed),
                "output_config.format: Extra inputs are not permitted",
            ),
            (QWEN, format(closed), ""),
            (
                NOVA,
                format(closed),
                "doesn't support the outputConfig.textFormat field",
            ),
            (
                LLAMA,
                json!({"outputConfig": {"effort": "low"}}),
                "doesn't support the outputConfig.effort field",
            ),
            (OPUS_5_5, json!({"outputConfig": {"effort": "xhigh"}}), ""),
            (
                SONNET,
                json!({"outputConfig": {"effort": "low"}}),
                "does not support the effort parameter",
            ),
        ],
    )
    .await;
    for model in [SONNET, QWEN] {
        let answer = answer(model, format(closed)).await;
        assert_eq!(
            answer["output"]["message"]["content"][0]["text"],
            r#"{"n":1}"#
        );
    }
}

#[tokio::test]
async fn every_family_gives_the_same_answer() {
    for model in [
        HAIKU,
        NOVA,
        LLAMA,
        MISTRAL,
        COMMAND_R,
        "us.writer.palmyra-x5-v1:0",
        GPT_5_6,
        "ai21.jamba-1-5-mini-v1:0",
    ] {
        let said = answer(model, json!({"system": [{"text": "Be brief."}]})).await;
        let content = json!([{"text": "You said: Hi"}]);
        assert_eq!(said["output"]["message"]["content"], content, "{model}");
        assert_eq!(said["stopReason"], "end_turn");
        assert_eq!(said["usage"]["totalTokens"], 6, "{model}");
    }
    // Llama and Palmyra call tools in whole answers alone.
    for model in [HAIKU, NOVA, COMMAND_R, GPT_5_6] {
        let mut fields = user(json!([{"text": "call get_weather and now"}]));
        fields["toolConfig"] = tools(Value::Null)["toolConfig"].clone();
        let called = answer(model, fields).await;
        assert_eq!(called["stopReason"], "tool_use", "{model}");
        let content = called["output"]["message"]["content"]
            .as_array()
            .unwrap()
            .clone();
        assert_eq!(content[1]["toolUse"]["input"], json!({"city": "city"}));
        assert_eq!(content.len(), 3);
    }
}

#[tokio::test]
async fn reasoning_of_open_models_has_no_signature() {
    for model in [GPT_OSS, R1, KIMI] {
        let said = answer(model, json!({})).await;
        let block = json!({"reasoningContent": {"reasoningText": {"text": "The user said: Hi"}}});
        assert_eq!(said["output"]["message"]["content"][0], block, "{model}");
    }
}

#[tokio::test]
async fn claudes_reasoning_round_trips_signed() {
    let thinking = json!({"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        "additionalModelResponseFieldPaths": ["/usage/output_tokens_details", "/stop_sequence"]});
    for (text, kind) in [
        ("Hi", "reasoningText"),
        ("Please redact", "redactedContent"),
    ] {
        let mut fields = thinking.clone();
        fields["messages"] = json!([{"role": "user", "content": [{"text": text}]}]);
        let said = answer(SONNET, fields.clone()).await;
        assert!(said["additionalModelResponseFields"]["usage"]["output_tokens_details"]["thinking_tokens"].is_u64());
        let message = said["output"]["message"].clone();
        assert!(
            message["content"][0]["reasoningContent"]
                .get(kind)
                .is_some(),
            "{said}"
        );
        let messages = fields["messages"].as_array_mut().unwrap();
        messages.push(message);
        messages.push(json!({"role": "user", "content": [{"text": "more"}]}));
        answer(SONNET, fields.clone()).await;
        fields["messages"][1]["content"][0]["reasoningContent"] =
            json!({"reasoningText": {"text": "forged", "signature": "AAAA"}});
        check(
            "converse",
            &good(),
            vec![(SONNET, fields, "Invalid `signature` in `thinking` block")],
        )
        .await;
    }
}

#[tokio::test]
async fn controls_are_body_fields_and_come_back() {
    let simulator = start().await;
    let mut call = Call::converse(&NOVA.replace(':', "%3A"), &good());
    call.headers
        .push(("x-amzn-bedrock-service-tier", "flex".into()));
    let (status, answer_) = call.json(&simulator).await;
    assert_eq!(status, 400, "{answer_}");
    let guardrail =
        json!({"guardrailIdentifier": "abc", "guardrailVersion": "1", "trace": "enabled"});
    let echoed = answer(NOVA, json!({"serviceTier": {"type": "flex"}, "performanceConfig": {"latency": "optimized"}, "guardrailConfig": guardrail})).await;
    assert_eq!(echoed["serviceTier"]["type"], "flex");
    assert_eq!(echoed["performanceConfig"]["latency"], "optimized");
    assert!(echoed["trace"]["guardrail"].is_object());
    simulator.inject(Fault::new(Effect::GuardrailIntervened {
        message: "Blocked.".into(),
    }));
    call.headers.clear();
    let (_, blocked) = call.json(&simulator).await;
    assert_eq!(blocked["stopReason"], "guardrail_intervened");
    assert_eq!(
        blocked["output"]["message"]["content"],
        json!([{"text": "Blocked."}])
    );
}

#[tokio::test]
async fn the_callers_own_models_are_served_only_by_invoke() {
    let arn = "arn:aws:bedrock:us-east-1:123456789012:imported-model/abcdef123456";
    let segment = arn.replace(':', "%3A").replace('/', "%2F");
    let simulator = builder()
        .own_model(arn, Family::OpenAi)
        .start()
        .await
        .unwrap();
    let body = json!({"messages": [{"role": "user", "content": "Hi"}]});
    let (status, answer) = Call::invoke(&segment, &body).json(&simulator).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["choices"][0]["message"]["content"], "You said: Hi");
    let (status, answer) = Call::converse(&segment, &good()).json(&simulator).await;
    assert_eq!(status, 400, "{answer}");
    let profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc";
    let simulator = builder()
        .inference_profile(profile, NOVA)
        .start()
        .await
        .unwrap();
    let segment = profile.replace(':', "%3A").replace('/', "%2F");
    for operation in ["invoke", "converse"] {
        let (status, answer) = Call::new(&segment, operation, &good())
            .json(&simulator)
            .await;
        assert_eq!(status, 200, "{answer}");
    }
}

#[tokio::test]
async fn faults_hit_converse_streams_too() {
    let simulator = start().await;
    let call = Call::new(&NOVA.replace(':', "%3A"), "converse-stream", &good());
    simulator.inject(Fault::exception(2, "throttlingException", "slow"));
    let bytes = call.send(&simulator).await.bytes().await.unwrap();
    let (frames, rest) = decode(&bytes).unwrap();
    assert_eq!((frames.len(), rest), (3, 0));
    let expected = Frame::Exception("throttlingException".into(), json!({"message": "slow"}));
    assert_eq!(frames[2], expected);
    simulator.inject(Fault::new(Effect::CachedTokens { read: 7, write: 3 }));
    let bytes = call.send(&simulator).await.bytes().await.unwrap();
    let (_, _, metadata) = assemble(&events(&bytes));
    let usage = &metadata["usage"];
    assert_eq!(
        [
            &usage["cacheReadInputTokens"],
            &usage["cacheWriteInputTokens"]
        ],
        [7, 3]
    );
    assert_eq!(usage["totalTokens"], 14);
}
