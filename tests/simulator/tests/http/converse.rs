//! Converse and `ConverseStream`.

use bedrock_simulator::{Effect, Family, Fault};
use serde_json::{Value, json};

use crate::client::{Call, builder, events, start};
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

/// A conversation with one call that `last` answers.
fn history(last: Value) -> Value {
    let call = json!({"toolUse": {"toolUseId": "t1", "name": "now", "input": {}}});
    let mut fields = tools(Value::Null);
    fields["messages"] = json!([
        {"role": "user", "content": [{"text": "a"}]},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": last}]);
    fields
}

/// Both ways, put together the same.
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
async fn shapes_are_those_of_the_service_model() {
    let limits = |fields: Value| json!({ "inferenceConfig": fields });
    check("converse", &good(), vec![
        (NOVA, json!({}), ""),
        (NOVA, json!({"system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}]}), ""),
        (NOVA, json!({"messages": null}), "Member 'messages' must not be null"),
        (NOVA, json!({"messages": []}), "1 validation error detected: Value at 'messages' failed to satisfy constraint: Member must have length greater than or equal to 1"),
        (NOVA, json!({"model": "nova"}), "extraneous key [model]"),
        (NOVA, json!({"stream": true}), "extraneous key [stream]"),
        (NOVA, json!({"max_tokens": 9}), "extraneous key [max_tokens]"),
        (NOVA, user(json!("Hi")), "messages.0.content: expected type: JSONArray, found: String"),
        (NOVA, user(json!([{"text": "a", "image": {"format": "png", "source": {"bytes": PNG}}}])), "messages.0.content.0: expected exactly one member of a union, found: 2"),
        (NOVA, user(json!([{}])), "expected exactly one member of a union, found: 0"),
        (NOVA, user(json!([{"text": "\n"}])), "The text field in the ContentBlock object at messages.0.content.0 is blank."),
        (NOVA, json!({"system": [{"text": ""}]}), "Value at 'system.0.text' failed to satisfy constraint: Member must have length greater than or equal to 1"),
        (NOVA, limits(json!({"maxTokens": 9, "temperature": 1, "topP": 0, "stopSequences": ["END"]})), ""),
        (NOVA, limits(json!({"maxTokens": 0})), "Value at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1"),
        (NOVA, limits(json!({"temperature": 1.5})), "Member must have value less than or equal to 1"),
        (NOVA, limits(json!({"stopSequences": [""]})), "Value at 'inferenceConfig.stopSequences.0'"),
        (NOVA, limits(json!({"topK": 5})), "inferenceConfig: extraneous key [topK]"),
        (NOVA, limits(json!({"maxTokens": 10_001})), "exceeds the model limit of 10000"),
        (NOVA, json!({"guardrailConfig": {"guardrailIdentifier": "abc", "guardrailVersion": "DRAFT", "trace": "enabled"}}), ""),
        (NOVA, json!({"guardrailConfig": {"guardrailIdentifier": "abc"}}), "must be provided together"),
        (NOVA, json!({"guardrailConfig": {"guardrailIdentifier": "abc", "guardrailVersion": "1", "trace": "ENABLED"}}), "Member must satisfy enum value set: [enabled, disabled, enabled_full]"),
        (NOVA, json!({"guardrailConfig": {"guardrailIdentifier": "abc", "guardrailVersion": "1", "streamProcessingMode": "sync"}}), "extraneous key [streamProcessingMode]"),
        (NOVA, json!({"performanceConfig": {"latency": "optimized"}, "serviceTier": {"type": "flex"}}), ""),
        (NOVA, json!({"serviceTier": {"type": "auto"}}), "Value at 'serviceTier.type'"),
        (NOVA, json!({"requestMetadata": {"team": "a b:_@$#=/+,-."}}), ""),
        (NOVA, json!({"requestMetadata": {"team": "ü"}}), "The request metadata"),
        (NOVA, json!({"requestMetadata": {"team": 1}}), "requestMetadata.team: expected type: String"),
        (NOVA, json!({"additionalModelResponseFieldPaths": ["stop_sequence"]}), "not a valid JSON pointer"),
        ("amazon.titan-text-express-v1", json!({}), "This action doesn't support the model that you provided."),
    ]).await;
    let streamed = json!({"guardrailConfig": {"guardrailIdentifier": "abc", "guardrailVersion": "1", "streamProcessingMode": "async"}});
    check("converse-stream", &good(), vec![(NOVA, streamed, "")]).await;
}

#[tokio::test]
async fn turns_and_tool_results() {
    let result = json!({"toolResult": {"toolUseId": "t1", "content": [{"json": {"ok": true}}], "status": "success"}});
    let text = json!({"text": "b"});
    let mut without = history(json!([result]));
    without["toolConfig"] = Value::Null;
    let roles = |roles: [&str; 2]| {
        let turn = |role: &str| json!({"role": role, "content": [{"text": "a"}]});
        json!({"messages": roles.map(turn)})
    };
    check("converse", &good(), vec![
        (NOVA, history(json!([result])), ""),
        (NOVA, history(json!([result, {"cachePoint": {"type": "default"}}])), ""),
        (NOVA, without, "The toolConfig field must be defined when using toolUse and toolResult content blocks."),
        (NOVA, history(json!([result, text])), "Conversation blocks and tool result blocks cannot be provided in the same turn."),
        (SONNET, history(json!([result, text])), ""),
        (SONNET, history(json!([text, result])), "`tool_use` ids were found without `tool_result` blocks immediately after"),
        (NOVA, history(json!([text])), "Expected toolResult blocks at messages.2.content for the following Ids: t1"),
        (NOVA, roles(["user", "user"]), "A conversation must alternate between user and assistant roles."),
        (NOVA, roles(["assistant", "user"]), "A conversation must start with a user message."),
        (NOVA, roles(["user", "system"]), "This model doesn't support the system role in messages."),
        ("us.anthropic.claude-opus-4-8", json!({"messages": [
            {"role": "user", "content": [{"text": "a"}]}, {"role": "system", "content": [{"text": "b"}]},
            {"role": "assistant", "content": [{"text": "c"}]}, {"role": "user", "content": [{"text": "d"}]}]}), ""),
    ]).await;
}

#[tokio::test]
async fn tool_configurations() {
    let (auto, any, tool) = (
        json!({"auto": {}}),
        json!({"any": {}}),
        json!({"tool": {"name": "now"}}),
    );
    check("converse", &good(), vec![
        (NOVA, tools(tool.clone()), ""),
        (HAIKU, tools(any.clone()), ""),
        (MISTRAL, tools(any.clone()), ""),
        (MISTRAL, tools(tool.clone()), "doesn't support the toolConfig.toolChoice.tool field"),
        (LLAMA, tools(Value::Null), ""),
        (LLAMA, tools(auto.clone()), "doesn't support the toolConfig.toolChoice.auto field"),
        (COMMAND_R, tools(any.clone()), "doesn't support the toolConfig.toolChoice.any field"),
        (KIMI, tools(any), "doesn't support the toolConfig.toolChoice.any field"),
        (R1, tools(Value::Null), "This model doesn't support tool use."),
        ("meta.llama3-8b-instruct-v1:0", tools(Value::Null), "This model doesn't support tool use."),
        (NOVA, tools(json!({"tool": {"name": "other"}})), "names a tool that is not in toolConfig.tools"),
        (NOVA, tools(json!({"auto": {}, "any": {}})), "exactly one member of a union, found: 2"),
        (NOVA, tools(json!({"none": {}})), "extraneous key [none]"),
        (NOVA, json!({"toolConfig": {"toolChoice": auto}}), "Member 'tools' must not be null"),
        (NOVA, json!({"toolConfig": {"tools": []}}), "Value at 'toolConfig.tools'"),
        (NOVA, json!({"toolConfig": {"tools": [{"toolSpec": {"name": "a b", "inputSchema": {"json": {}}}}]}}), "regular expression pattern: [a-zA-Z0-9_-]{1,64}"),
        (NOVA, json!({"toolConfig": {"tools": [{"toolSpec": {"name": "a", "description": "", "inputSchema": {"json": {}}}}]}}), "Value at 'toolConfig.tools.0.toolSpec.description'"),
        (NOVA, json!({"toolConfig": {"tools": [{"toolSpec": {"name": "a", "inputSchema": {"json": "{}"}}}]}}), "expected type: JSONObject, found: String"),
        (NOVA, json!({"toolConfig": {"tools": [{"systemTool": {"name": "nova_grounding"}}]}}), "doesn't support the toolConfig.tools.systemTool field"),
        (NOVA_2, json!({"toolConfig": {"tools": [{"systemTool": {"name": "nova_grounding"}}]}}), ""),
        (LLAMA_4, tools(Value::Null), ""),
    ]).await;
    let refused = "This model doesn't support tool use in streaming mode.";
    check(
        "converse-stream",
        &good(),
        vec![(LLAMA_4, tools(Value::Null), refused)],
    )
    .await;
}

#[tokio::test]
async fn images_and_documents() {
    let ask = json!({"text": "look"});
    let image = json!({"image": {"format": "png", "source": {"bytes": PNG}}});
    let pdf = |name: &str| document("pdf", name, "JVBERi0xLjc=");
    let five: Vec<Value> = ["a", "b", "c", "d", "e"].map(pdf).to_vec();
    let named = |extra: &str| {
        let mut blocks = five.clone();
        blocks.extend([pdf(extra), ask.clone()]);
        user(json!(blocks))
    };
    check(
        "converse",
        &good(),
        vec![
            (NOVA, user(json!([image])), ""),
            (
                LLAMA,
                user(json!([image])),
                "This model doesn't support the image field.",
            ),
            (
                NOVA,
                user(json!([{"image": {"format": "png", "source": {"bytes": "!"}}}])),
                "not valid base64",
            ),
            (
                NOVA,
                user(json!([{"image": {"format": "gif", "source": {"bytes": PNG}}}])),
                "appears to be a image/png image",
            ),
            (
                NOVA,
                user(json!([{"image": {"format": "bmp", "source": {"bytes": PNG}}}])),
                "Value at 'messages.0.content.0.image.format'",
            ),
            (NOVA, user(json!([pdf("My file (1)"), ask])), ""),
            (
                NOVA,
                user(json!([pdf("file")])),
                "a text block must accompany a document",
            ),
            (
                NOVA,
                user(json!([pdf("my_file.pdf"), ask])),
                "Value at 'messages.0.content.0.document.name'",
            ),
            (
                NOVA,
                user(json!([pdf("two  spaces"), ask])),
                "Value at 'messages.0.content.0.document.name'",
            ),
            (NOVA, named("f"), "Too many documents"),
            (NOVA, named("a"), "Document names must be unique."),
            (
                NOVA,
                user(json!([document("pdf", "a", PNG), ask])),
                "The PDF specified was not valid.",
            ),
            (
                LLAMA,
                user(json!([pdf("a"), ask])),
                "This model doesn't support documents.",
            ),
            (LLAMA, user(json!([document("txt", "a", "SGk="), ask])), ""),
            (HAIKU, user(json!([document("csv", "a", "SGk="), ask])), ""),
            (HAIKU, user(json!([pdf("a"), ask])), ""),
        ],
    )
    .await;
}

#[tokio::test]
async fn additional_fields_by_family() {
    let extra = |fields: Value| json!({ "additionalModelRequestFields": fields });
    let refused =
        "The model returned the following errors: Malformed input request: #: extraneous key";
    check("converse", &good(), vec![
        (HAIKU, extra(json!({"top_k": 5})), ""),
        (HAIKU, extra(json!({"topK": 5})), "The model returned the following errors: topK: Extra inputs are not permitted"),
        (HAIKU, extra(json!({"anthropic_beta": ["nonsense"]})), "The model returned the following errors: invalid beta flag"),
        (SONNET, extra(json!({"thinking": {"type": "enabled", "budget_tokens": 1023}})), "thinking.enabled.budget_tokens"),
        (SONNET, json!({"inferenceConfig": {"temperature": 0.5, "topP": 0.5}}), "cannot both be specified for this model"),
        (OPUS_5_5, json!({"inferenceConfig": {"temperature": 0.5}}), "`temperature` is deprecated for this model."),
        (NOVA, extra(json!({"inferenceConfig": {"topK": 20}})), ""),
        (NOVA, extra(json!({"top_k": 20})), refused),
        (NOVA, extra(json!({"reasoningConfig": {"type": "disabled"}})), "extraneous key [reasoningConfig]"),
        (NOVA_2, extra(json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}})), ""),
        (GPT_OSS, extra(json!({"reasoning_effort": "low"})), ""),
        (GPT_OSS, extra(json!({"reasoning": {"effort": "low"}})), refused),
        (GPT_5_6, extra(json!({"reasoning": {"effort": "xhigh"}})), ""),
        (COMMAND_R, extra(json!({"k": 5, "p": 0.5, "seed": 1})), ""),
        (MISTRAL, extra(json!({"top_k": 5})), ""),
        (LLAMA, extra(json!({"top_k": 5})), refused),
        (LLAMA, extra(json!("{}")), "expected type: JSONObject, found: String"),
        (KIMI, json!({"inferenceConfig": {"stopSequences": ["a"]}}), "doesn't support the stopSequences field"),
        (LLAMA, json!({"messages": [
            {"role": "user", "content": [{"text": "a"}]},
            {"role": "assistant", "content": [{"reasoningContent": {"reasoningText": {"text": "b"}}}, {"text": "c"}]},
            {"role": "user", "content": [{"text": "d"}]}]}), "doesn't support the reasoningContent field"),
    ]).await;
    let mut single = tools(Value::Null);
    single["additionalModelRequestFields"] =
        json!({"tool_choice": {"type": "auto", "disable_parallel_tool_use": true}});
    let mut twice = tools(json!({"auto": {}}));
    twice["additionalModelRequestFields"] = single["additionalModelRequestFields"].clone();
    let mut merged = tools(json!({"auto": {}}));
    merged["additionalModelRequestFields"] =
        json!({"tool_choice": {"disable_parallel_tool_use": true}});
    check(
        "converse",
        &good(),
        vec![
            (HAIKU, single, ""),
            (HAIKU, twice, "tool_choice.type must not be set twice"),
            (HAIKU, merged, ""),
        ],
    )
    .await;
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
async fn every_family_answers_alike() {
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
    for model in [HAIKU, NOVA, LLAMA, COMMAND_R, GPT_5_6] {
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
async fn models_of_the_callers_own_are_served_by_invoke_alone() {
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
