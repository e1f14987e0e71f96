//! Features that clients of OpenAI's Responses API use, where they differ from chat.

use serde_json::{Value, json};

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

fn call(id: &str, name: &str) -> Value {
    json!({"type": "function_call", "call_id": id, "name": name, "arguments": "{}"})
}

fn output(id: &str) -> Value {
    json!({"type": "function_call_output", "call_id": id, "output": "noon"})
}

fn thought(sealed: &str) -> Value {
    json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": sealed})
}

fn tools() -> Value {
    let days = json!({"type": "object", "properties": {"days": {"type": "integer", "minimum": 1}}});
    json!([
        {"type": "function", "name": "get-weather", "parameters": days, "strict": true},
        {"type": "custom", "name": "apply_patch", "description": "Edits.", "format": {
            "type": "grammar", "syntax": "lark", "definition": "start: \"x\""
        }},
        {"type": "namespace", "name": "agents-v1", "tools": [
            {"type": "function", "name": "spawn", "parameters": null, "strict": null}
        ]},
        {"type": "tool_search", "execution": "client", "parameters": {"type": "object"}},
        {"type": "web_search"},
    ])
}

fn schema() -> Value {
    json!({"type": "object", "required": ["tags"], "properties": {
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1}
    }})
}

/// Features that clients use, each on its own.
pub(super) fn wishes() -> Vec<(&'static str, Value)> {
    let history = json!([user("Hi"), call("t", "now"), output("t"), user("So?")]);
    let patch =
        json!({"type": "custom_tool_call", "call_id": "c", "name": "apply_patch", "input": "x"});
    let patched = json!({"type": "custom_tool_call_output", "call_id": "c", "output": "ok"});
    let spawn = json!({
        "type": "function_call", "call_id": "s", "namespace": "agents-v1", "name": "spawn", "arguments": "{}"
    });
    let format = json!({"type": "json_schema", "name": "s", "strict": true, "schema": schema()});
    vec![
        ("nothing", json!({})),
        ("a text", json!({"input": "Hi"})),
        (
            "instructions",
            json!({"input": "Hi", "instructions": "Be brief."}),
        ),
        ("a stream", json!({"stream": true})),
        ("few tokens", json!({"max_output_tokens": 1})),
        (
            "a low effort",
            json!({"reasoning": {"effort": "low", "summary": "auto"}}),
        ),
        ("no effort", json!({"reasoning": {"effort": "none"}})),
        ("an exact shape", json!({"text": {"format": format}})),
        ("JSON", json!({"text": {"format": {"type": "json_object"}}})),
        ("tools", json!({"tools": tools()})),
        ("streamed tools", json!({"tools": tools(), "stream": true})),
        (
            "any tool",
            json!({"tools": tools(), "tool_choice": "required"}),
        ),
        (
            "one tool",
            json!({"tools": tools(), "tool_choice": {"type": "custom", "name": "apply_patch"}}),
        ),
        (
            "one call at a time",
            json!({"tools": tools(), "parallel_tool_calls": false}),
        ),
        (
            "hosted tools alone",
            json!({"tools": [{"type": "web_search"}], "tool_choice": "auto"}),
        ),
        (
            "a history of tools",
            json!({"input": history, "tools": tools()}),
        ),
        (
            "a summary",
            json!({"input": history, "tools": [], "tool_choice": "auto", "parallel_tool_calls": false}),
        ),
        (
            "a history of every kind",
            json!({"tools": tools(), "input": [
                {"role": "developer", "content": "Be brief."},
                user("Hi"),
                thought("bm90IG91cnM="),
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Yes?"}]},
                patch,
                spawn,
                patched,
                {"type": "function_call_output", "call_id": "s", "output": [{"type": "input_text", "text": "ok"}]},
            ]}),
        ),
        (
            "an interrupted turn",
            json!({"input": [user("Hi"), thought("bgw1::AAAA"), call("t", "now"), call("u", "now"), output("u"),
                user("Stop.")], "tools": tools()}),
        ),
        (
            "thoughts alone",
            json!({"input": [user("Hi"), thought("bgw1::AAAA"), user("So?")]}),
        ),
        (
            "an assistant last",
            json!({"input": [user("A list."), {"role": "assistant", "content": "1. "}]}),
        ),
        (
            "instructions alone",
            json!({"input": [{"role": "developer", "content": "Say hi."}]}),
        ),
    ]
}
