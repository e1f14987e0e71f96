//! Things that clients of Anthropic's Messages ask for, each alone.

use bedrock_simulator::{redacted_thinking, thinking_signature};
use serde_json::{Value, json};

fn user(content: Value) -> Value {
    json!({"role": "user", "content": content})
}

fn text(text: &str) -> Value {
    json!([{"type": "text", "text": text}])
}

fn assistant(content: Value) -> Value {
    json!({"role": "assistant", "content": content})
}

fn call(id: &str, name: &str) -> Value {
    json!({"type": "tool_use", "id": id, "name": name, "input": {}, "caller": {"type": "direct"}})
}

fn result(id: &str, content: Value) -> Value {
    json!({"type": "tool_result", "tool_use_id": id, "content": content})
}

fn tool(name: &str, schema: Value) -> Value {
    json!({"name": name, "description": "d", "input_schema": schema, "strict": true,
        "eager_input_streaming": true, "defer_loading": true, "input_examples": [{}],
        "allowed_callers": ["direct"], "cache_control": {"type": "ephemeral", "ttl": "1h", "scope": "global"}})
}

fn tools() -> Value {
    let bounded = json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
        "properties": {"days": {"type": "integer", "exclusiveMinimum": 0}}, "propertyNames": {"pattern": "^d"}});
    let either = json!({"anyOf": [{"properties": {"a": {"type": "string"}}}, {"required": ["b"]}]});
    json!([
        tool("get-weather", bounded),
        tool(
            "mcp__a_server_with_a_long_name__and_a_tool_whose_name_is_longer_still",
            either
        ),
    ])
}

fn plain_tool() -> Value {
    json!([{"name": "now", "input_schema": {"type": "object", "properties": {}}}])
}

const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

fn image() -> Value {
    json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG},
        "transformations": []})
}

fn conversation(messages: Value) -> Value {
    json!({"messages": messages})
}

/// A conversation with calls.
fn called(blocks: Value, results: Value) -> Value {
    json!({"messages": [user(json!("Hi")), assistant(blocks), user(results)], "tools": plain_tool()})
}

/// The wishes by name.
pub(super) fn wishes() -> Vec<(&'static str, Value)> {
    let all = [parameters(), thinking(), conversations(), calls()];
    all.into_iter().flatten().collect()
}

fn parameters() -> Vec<(&'static str, Value)> {
    vec![
        ("nothing", json!({})),
        ("a stream", json!({"stream": true})),
        ("few tokens", json!({"max_tokens": 1})),
        ("many tokens", json!({"max_tokens": 1_000_000})),
        (
            "samples",
            json!({"temperature": 0.3, "top_p": 0.9, "top_k": 5}),
        ),
        ("stop sequences", json!({"stop_sequences": ["END", " "]})),
        (
            "a user",
            json!({"metadata": {"user_id": "{\"a\":\"b\"}", "more": 1}}),
        ),
        ("a tier", json!({"service_tier": "standard_only"})),
        (
            "what only Anthropic has",
            json!({"inference_geo": "us", "speed": "standard", "diagnostics": {},
            "cache_control": {"type": "ephemeral"}, "mcp_servers": [], "made_up": 1, "user_profile_id": "p"}),
        ),
        (
            "edits",
            json!({"context_management": {"edits": [
            {"type": "clear_thinking_20251015", "keep": "all"}, {"type": "clear_tool_uses_20250919"}]}}),
        ),
        (
            "one edit that is not made",
            json!({"context_management": {"edits": [
            {"type": "clear_thinking_20251015", "keep": "all"}]}}),
        ),
        (
            "compaction",
            json!({"compaction": {"type": "enabled"}, "context_management": {"edits": [
            {"type": "compact_20260112"}]}}),
        ),
        ("safeguards", json!({"safeguards": []})),
        ("tools", json!({"tools": tools()})),
        (
            "no tools",
            json!({"tools": [], "tool_choice": {"type": "auto"}}),
        ),
        (
            "any tool",
            json!({"tools": tools(), "tool_choice": {"type": "any"}}),
        ),
        (
            "one tool",
            json!({"tools": tools(), "tool_choice": {"type": "tool", "name": "get-weather"}}),
        ),
        (
            "no tool",
            json!({"tools": tools(), "tool_choice": {"type": "none"}}),
        ),
        (
            "one at a time",
            json!({"tools": plain_tool(),
            "tool_choice": {"type": "auto", "disable_parallel_tool_use": true}}),
        ),
        (
            "a search among tools",
            json!({"tools": [plain_tool()[0],
            {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"}]}),
        ),
        (
            "a shell",
            json!({"tools": [{"type": "bash_20250124", "name": "bash"}]}),
        ),
        (
            "a shape",
            json!({"output_config": {"format": {"type": "json_schema", "schema": {
            "type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
            "required": ["a"]}}}}),
        ),
    ]
}

fn thinking() -> Vec<(&'static str, Value)> {
    let adaptive = json!({"type": "adaptive", "display": "summarized"});
    let budget = json!({"type": "enabled", "budget_tokens": 2000});
    vec![
        ("a budget", json!({"thinking": budget, "max_tokens": 4000})),
        (
            "adaptive",
            json!({"thinking": adaptive, "max_tokens": 4000}),
        ),
        (
            "adaptive with effort",
            json!({"thinking": adaptive, "output_config": {"effort": "max"}}),
        ),
        ("disabled", json!({"thinking": {"type": "disabled"}})),
        (
            "disabled with effort",
            json!({"thinking": {"type": "disabled"}, "output_config": {"effort": "xhigh"}}),
        ),
        (
            "between tools",
            json!({"thinking": {"type": "between_tools"}, "max_tokens": 4000}),
        ),
        ("effort alone", json!({"output_config": {"effort": "low"}})),
        (
            "adaptive and a forced tool",
            json!({"thinking": adaptive, "tools": plain_tool(),
            "tool_choice": {"type": "any"}}),
        ),
        (
            "thinking and samples",
            json!({"thinking": budget, "max_tokens": 4000, "temperature": 1, "top_k": 3}),
        ),
        (
            "thinking after calls without thoughts",
            json!({"thinking": budget, "max_tokens": 4000,
            "messages": [user(json!("Hi")), assistant(json!([call("t", "now")])),
                user(json!([result("t", json!("noon"))]))], "tools": plain_tool()}),
        ),
        (
            "thoughts",
            json!({"messages": [user(json!("Hi")), assistant(json!([
            {"type": "thinking", "thinking": "Hm.", "signature": thinking_signature("Hm.")},
            {"type": "redacted_thinking", "data": redacted_thinking("Hm.")},
            {"type": "text", "text": "Yes?"}])), user(json!("So?"))]}),
        ),
        (
            "thoughts of another model",
            json!({"messages": [user(json!("Hi")), assistant(json!([
            {"type": "thinking", "thinking": "Hm.", "signature": ""}, {"type": "text", "text": "Yes?"}])),
            user(json!("So?"))]}),
        ),
        (
            "thoughts alone",
            json!({"messages": [user(json!("Hi")), assistant(json!([
            {"type": "thinking", "thinking": "Hm.", "signature": ""}])), user(json!("So?"))]}),
        ),
    ]
}

fn conversations() -> Vec<(&'static str, Value)> {
    let hour = json!({"type": "ephemeral", "ttl": "1h"});
    let marked = |text: &str| json!([{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}]);
    vec![
        ("a system prompt", json!({"system": "Be brief."})),
        ("a blank system prompt", json!({"system": " "})),
        (
            "marks",
            json!({"system": [{"type": "text", "text": "s", "cache_control": hour}],
            "messages": [user(marked("a")), assistant(json!("Yes?")), user(marked("b"))]}),
        ),
        (
            "short before long marks",
            json!({"system": marked("s"), "messages": [user(json!([
            {"type": "text", "text": "a", "cache_control": hour}]))]}),
        ),
        (
            "many marks",
            json!({"system": marked("s"), "messages": [user(marked("a")), assistant(marked("b")),
            user(marked("c")), assistant(marked("d")), user(marked("e"))]}),
        ),
        (
            "an application first",
            conversation(json!([{"role": "system", "content": "s"}, user(json!("Hi"))])),
        ),
        (
            "an application between",
            conversation(json!([user(json!("Hi")),
            {"role": "system", "content": "s"}, assistant(json!("Yes?")), user(json!("So?"))])),
        ),
        (
            "an application last",
            conversation(json!([user(json!("Hi")), {"role": "system", "content": "s"}])),
        ),
        (
            "an application alone",
            conversation(json!([{"role": "system", "content": "s"}])),
        ),
        (
            "an assistant first",
            conversation(json!([assistant(json!("Yes?")), user(json!("Hi"))])),
        ),
        (
            "a prefill",
            conversation(json!([user(json!("A list.")), assistant(json!("1. "))])),
        ),
        (
            "blank texts",
            conversation(json!([user(json!([{"type": "text", "text": " "},
            {"type": "text", "text": "Hi"}]))])),
        ),
        (
            "nothing said",
            conversation(json!([
                user(json!("Hi")),
                assistant(json!([])),
                user(json!("So?"))
            ])),
        ),
        (
            "twice the user",
            conversation(json!([user(text("a")), user(text("b"))])),
        ),
        ("an image", conversation(json!([user(json!([image()]))]))),
        (
            "a text document",
            conversation(json!([user(
                json!([{"type": "document", "title": "t", "context": "c",
            "source": {"type": "text", "media_type": "text/plain", "data": "A text."},
            "citations": null}, {"type": "text", "text": "Sum up."}])
            )])),
        ),
        (
            "a search result",
            conversation(json!([user(
                json!([{"type": "search_result", "source": "s", "title": "t",
            "content": text("Found.")}, {"type": "text", "text": "Sum up."}])
            )])),
        ),
        (
            "a search by Anthropic",
            conversation(json!([
                user(json!("Hi")),
                assistant(json!([
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
            {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
            {"type": "text", "text": "Found."}])),
                user(json!("So?"))
            ])),
        ),
    ]
}

fn calls() -> Vec<(&'static str, Value)> {
    let failed = |content: Value| json!([{"type": "tool_result", "tool_use_id": "t", "content": content, "is_error": true}]);
    let one = || json!([call("t", "now")]);
    vec![
        ("a call", called(one(), json!([result("t", json!("noon"))]))),
        (
            "a call with blocks",
            called(one(), json!([result("t", text("noon"))])),
        ),
        (
            "a result without content",
            called(one(), json!([{"type": "tool_result", "tool_use_id": "t"}])),
        ),
        (
            "an image for a result",
            called(one(), json!([result("t", json!([image()]))])),
        ),
        ("a failed call", called(one(), failed(json!("no")))),
        (
            "a call that failed in silence",
            called(one(), failed(json!([]))),
        ),
        (
            "a call that failed with an image",
            called(one(), failed(json!([image()]))),
        ),
        (
            "words behind results",
            called(
                one(),
                json!([result("t", json!("noon")),
            {"type": "text", "text": "So?"}]),
            ),
        ),
        (
            "words before results",
            called(
                one(),
                json!([{"type": "text", "text": "So?"},
            result("t", json!("noon"))]),
            ),
        ),
        (
            "results in another order",
            called(
                json!([call("a", "now"), call("b", "now")]),
                json!([result("b", json!("2")), result("a", json!("1"))]),
            ),
        ),
        (
            "a lost result",
            called(one(), json!([{"type": "text", "text": "So?"}])),
        ),
        (
            "a lost call",
            called(text("Yes?"), json!([result("gone", json!("noon"))])),
        ),
        (
            "an id of another vendor",
            called(
                json!([call("functions.now:0", "now")]),
                json!([result("functions.now:0", json!("noon"))]),
            ),
        ),
        (
            "an application between call and result",
            json!({"messages": [user(json!("Hi")), assistant(one()),
            {"role": "system", "content": "s"}, user(json!([result("t", json!("noon"))]))],
            "tools": plain_tool()}),
        ),
        (
            "calls without tools",
            json!({"messages": [user(json!("Hi")), assistant(one()),
            user(json!([result("t", json!("noon"))]))]}),
        ),
        (
            "a call of a tool",
            json!({"tools": tools(), "messages": [user(json!("call get-weather"))]}),
        ),
    ]
}
