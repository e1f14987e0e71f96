//! What AWS refuses about tools, their calls and their results.

use serde_json::{Value, json};

use crate::client::{HAIKU, SONNET};
use crate::refusals::{OPUS_5_5, chat, check, text, tool};

fn call(id: &str) -> Value {
    json!({"type": "tool_use", "id": id, "name": "now", "input": {}})
}

fn result(id: &str) -> Value {
    json!({"type": "tool_result", "tool_use_id": id, "content": "noon"})
}

#[tokio::test]
async fn tool_definitions_and_choices() {
    let tools = |tools: Value| json!({"tools": tools});
    let choose = |choice: Value| json!({"tools": [tool("now")], "tool_choice": choice});
    let schema = |schema: Value| json!({"tools": [{"name": "now", "input_schema": schema}]});
    let pattern = "tools.0.custom.name: String should match pattern";
    check(vec![
        (
            HAIKU,
            tools(json!([tool("now"), tool("get_weather-2")])),
            "",
        ),
        (HAIKU, tools(json!([tool(&"a".repeat(64))])), ""),
        (HAIKU, tools(json!([tool(&"a".repeat(65))])), pattern),
        (HAIKU, tools(json!([tool("a.b")])), pattern),
        (HAIKU, tools(json!([tool("")])), pattern),
        (
            HAIKU,
            tools(json!([tool("now"), tool("now")])),
            "tools: Tool names must be unique.",
        ),
        (
            HAIKU,
            tools(json!([{"type": "function", "function": {"name": "now"}}])),
            "The provided request is not valid",
        ),
        (
            HAIKU,
            tools(json!([{"name": "now"}])),
            "tools.0.custom.input_schema: Field required",
        ),
        (
            HAIKU,
            tools(json!([{"name": "now", "parameters": {}}])),
            "tools.0.custom.parameters: Extra inputs",
        ),
        (
            HAIKU,
            schema(json!({})),
            "tools.0.custom.input_schema.type: Field required",
        ),
        (
            HAIKU,
            schema(json!({"type": "string"})),
            "tools.0.custom.input_schema.type: Input should be 'object'",
        ),
        (
            HAIKU,
            schema(json!("{}")),
            "tools.0.custom.input_schema: Input should be an object",
        ),
        (
            HAIKU,
            schema(json!({"type": "object", "properties": {"a": {"anyOf": [{"type": "null"}]}}})),
            "",
        ),
        (
            HAIKU,
            schema(json!({"type": "object", "anyOf": [{"required": ["a"]}]})),
            "tools.0.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level",
        ),
        (HAIKU, choose(json!({"type": "any"})), ""),
        (
            HAIKU,
            choose(json!({"type": "auto", "disable_parallel_tool_use": true})),
            "",
        ),
        (HAIKU, choose(json!({"type": "none"})), ""),
        (
            HAIKU,
            choose(json!("auto")),
            "tool_choice: Input should be an object",
        ),
        (
            HAIKU,
            choose(json!({"type": "required"})),
            "tool_choice: Input tag 'required'",
        ),
        (
            HAIKU,
            choose(json!({"type": "none", "disable_parallel_tool_use": true})),
            "tool_choice.none.disable_parallel_tool_use: Extra inputs",
        ),
        (
            HAIKU,
            choose(json!({"type": "tool"})),
            "tool_choice.tool.name: Field required",
        ),
        (
            HAIKU,
            choose(json!({"type": "tool", "name": "other"})),
            "tool_choice: Tool 'other' not found in provided tools",
        ),
        (
            HAIKU,
            json!({"tool_choice": {"type": "auto"}}),
            "tool_choice: tool_choice may only be specified while providing tools.",
        ),
        (
            OPUS_5_5,
            choose(json!({"type": "any"})),
            "tool_choice: forced tool use is not supported",
        ),
    ])
    .await;
}

#[tokio::test]
async fn schemas_that_answers_are_held_to() {
    let format = |schema: Value| json!({"output_config": {"format": {"type": "json_schema", "schema": schema}}});
    let property = |schema: Value| json!({"type": "object", "properties": {"p": schema}, "additionalProperties": false});
    let strict =
        |schema: Value| json!({"tools": [{"name": "now", "strict": true, "input_schema": schema}]});
    let closed = "For 'object' type, 'additionalProperties' must be explicitly set to false";
    let at = |text: &str| -> &'static str { format!("output_config.format.schema: {text}").leak() };
    let open = json!({"type": "object", "properties": {}});
    let mut rows = vec![
        (SONNET, format(property(json!({"type": "string"}))), ""),
        (SONNET, format(open.clone()), at(closed)),
        (SONNET, strict(property(json!({"type": "string"}))), ""),
        (
            SONNET,
            strict(open),
            "tools.0.custom.input_schema: For 'object' type",
        ),
    ];
    for (kind, keyword) in [
        ("integer", "minimum"),
        ("string", "maxLength"),
        ("array", "minItems"),
        ("string", "format"),
    ] {
        let schema = property(json!({"type": kind, keyword: 1}));
        let text = at(&format!(
            "For '{kind}' type, property '{keyword}' is not supported"
        ));
        rows.push((SONNET, format(schema), text));
    }
    check(rows).await;
}

#[tokio::test]
async fn a_history_with_tools_needs_them_below_claude_4() {
    let turns = json!([
        ["user", "q"],
        ["assistant", [call("a")]],
        ["user", [result("a")]]
    ]);
    let mut with_tools = chat(turns.clone());
    with_tools["tools"] = json!([tool("now")]);
    check(vec![
        (HAIKU, with_tools, ""),
        (SONNET, chat(turns.clone()), ""),
        (
            HAIKU,
            chat(turns),
            "Requests which include `tool_use` or `tool_result` blocks must define tools.",
        ),
    ])
    .await;
}

#[tokio::test]
async fn tool_calls_and_results() {
    let with_tools = |turns: Value| {
        let mut request = chat(turns);
        request["tools"] = json!([tool("now")]);
        request
    };
    let use_with = |field: &str, value: Value| {
        let mut block = call("a");
        block[field] = value;
        with_tools(json!([
            ["user", "q"],
            ["assistant", [block]],
            ["user", [result("a")]]
        ]))
    };
    let answered = |blocks: Value| {
        with_tools(json!([
            ["user", "q"],
            ["assistant", [call("a"), call("b")]],
            ["user", blocks]
        ]))
    };
    let open =
        "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: ";
    check(vec![
        (HAIKU, answered(json!([result("a"), result("b"), text("so?")])), ""),
        (HAIKU, answered(json!([result("b"), result("a")])), ""),
        (HAIKU, answered(json!([result("a")])), open),
        (HAIKU, answered(json!([result("a"), text("so?"), result("b")])), open),
        (HAIKU, answered(json!("so?")), open),
        (HAIKU, answered(json!([result("a"), result("b"), result("c")])), "messages.2.content: unexpected `tool_use_id` found in `tool_result` blocks: c."),
        (HAIKU, answered(json!([result("a"), result("b"), result("a")])), "messages.2.content: each tool_use must have a single result."),
        (HAIKU, with_tools(json!([["user", "q"], ["assistant", [call("a"), call("b")]], ["user", [result("a")]], ["user", [result("b")]]])), ""),
        (HAIKU, with_tools(json!([["user", [result("a")]]])), "messages.0.content: unexpected `tool_use_id`"),
        (HAIKU, with_tools(json!([["user", "q"], ["assistant", [call("a")]]])), open),
        (HAIKU, with_tools(json!([["user", "q"], ["assistant", [call("a"), call("a")]], ["user", [result("a")]]])), "messages: `tool_use` ids must be unique"),
        (HAIKU, use_with("id", json!("call|1")), "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"),
        (HAIKU, use_with("name", json!("a b")), "messages.1.content.0.tool_use.name: String should match pattern"),
        (HAIKU, use_with("input", json!("{}")), "messages.1.content.0.tool_use.input: Input should be a valid dictionary"),
        (HAIKU, use_with("input", json!([])), "messages.1.content.0.tool_use.input: Input should be a valid dictionary"),
        (HAIKU, use_with("arguments", json!("{}")), "messages.1.content.0.tool_use.arguments: Extra inputs"),
        (HAIKU, answered(json!([result("a"), {"type": "tool_result", "tool_use_id": "b", "content": [text("")]}])), "messages: text content blocks must be non-empty"),
        (HAIKU, answered(json!([result("a"), {"type": "tool_result", "tool_use_id": "b", "is_error": "no"}])), "messages.2.content.1.tool_result.is_error: Input should be a valid boolean"),
    ])
    .await;
}
