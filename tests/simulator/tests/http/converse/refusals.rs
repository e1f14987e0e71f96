//! What Converse refuses, one row per rule.

use super::*;

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
    let strict = |schema: Value| json!({"toolConfig": {"tools": [{"toolSpec": {"name": "a", "strict": true, "inputSchema": {"json": schema}}}]}});
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
        (QWEN, strict(json!({"type": "object", "properties": {}})), "toolConfig.tools: For 'object' type"),
        (QWEN, strict(json!({"type": "object", "properties": {}, "additionalProperties": false})), ""),
        (NOVA, json!({"toolConfig": {"tools": [{"toolSpec": {"name": "a", "inputSchema": {"json": {"type": "object", "$defs": {}}}}}]}}), "extraneous key [$defs]"),
    ]).await;
    let mut hyphen = tools(json!({"any": {}}));
    hyphen["toolConfig"]["tools"][0]["toolSpec"]["name"] = json!("get-weather");
    let simulator = start().await;
    let failed = Call::converse(NOVA, &with(&good(), &hyphen))
        .json(&simulator)
        .await;
    assert_eq!(failed.0, 424, "{}", failed.1);
    let refused = "This model doesn't support tool use in streaming mode.";
    check(
        "converse-stream",
        &good(),
        vec![
            (LLAMA_4, tools(Value::Null), refused),
            (
                "us.meta.llama3-3-70b-instruct-v1:0",
                tools(Value::Null),
                refused,
            ),
            (
                "mistral.mistral-large-2407-v1:0",
                tools(Value::Null),
                refused,
            ),
            ("us.writer.palmyra-x5-v1:0", tools(Value::Null), refused),
            (NOVA, tools(Value::Null), ""),
        ],
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
        (MISTRAL_7B, json!({"system": [{"text": "Be brief."}]}), "This model doesn't support system messages."),
        (MISTRAL, json!({"system": [{"text": "Be brief."}]}), ""),
        (GPT_OSS, json!({"inferenceConfig": {"stopSequences": ["a"]}}), "doesn't support the stopSequences field"),
        (GLM, json!({"inferenceConfig": {"stopSequences": ["a"]}}), "doesn't support the stopSequences field"),
        (QWEN, json!({"inferenceConfig": {"stopSequences": ["a"], "temperature": 0.5}}), ""),
        (GROK, json!({"inferenceConfig": {"temperature": 0.5}}), "doesn't support the temperature field"),
        (GPT_5_6, json!({"inferenceConfig": {"topP": 0.5}}), "doesn't support the topP field"),
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
