//! The parameters of OpenAI's Responses API.

use bedrock_filter::protocol::openai_responses::{FIXED, params};
use golden_cases::RESPONSES;
use serde_json::{Value, json};

use super::Api;

pub(super) fn api() -> Api {
    Api {
        path: RESPONSES,
        mark: "responses",
        depth: "###",
        params: params(),
        fixed: FIXED,
        smallest: |model| json!({"model": model, "input": "Hi"}),
        sample,
        silent: &["include", "model", "reasoning.summary"],
        // Without tools there is nothing to choose.
        dependent: &["tool_choice"],
    }
}

/// A value that asks for as much as possible.
fn sample(name: &str) -> Value {
    let empty = json!({"type": "object", "properties": {}});
    let tools = json!([{"type": "function", "name": "f", "parameters": empty}]);
    let schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
    match name {
        "access_programs" => json!({"access_programs": ["a"]}),
        "background" => json!({"background": true}),
        "background_options" => json!({"background_options": {"a": 1}}),
        "client_metadata" => json!({"client_metadata": {"a": "b"}}),
        "context_management" => json!({"context_management": [{"type": "compaction"}]}),
        "conversation" => json!({"conversation": "conv_1"}),
        "guardrailConfig" => {
            json!({"guardrailConfig": {"guardrailIdentifier": "gr1abc", "guardrailVersion": "1"}})
        }
        "image" => json!({"image": {}}),
        "include" => json!({"include": ["reasoning.encrypted_content"]}),
        "input" => json!({"input": [{"role": "user", "content": "Bye"}]}),
        "instructions" => json!({"instructions": "Be brief."}),
        "max_output_tokens" => json!({"max_output_tokens": 99}),
        "max_tool_calls" => json!({"max_tool_calls": 3}),
        "metadata" => json!({"metadata": {"team": "blue"}}),
        "model" => json!({}),
        "moderation" => json!({"moderation": {}}),
        "parallel_tool_calls" => json!({"parallel_tool_calls": false, "tools": tools}),
        "performanceConfig" => json!({"performanceConfig": {"latency": "optimized"}}),
        "previous_response_id" => json!({"previous_response_id": "resp_1"}),
        "prompt" => json!({"prompt": {"id": "pmpt_1"}}),
        "prompt_cache_key" => json!({"prompt_cache_key": "k"}),
        "prompt_cache_options" => json!({"prompt_cache_options": {"mode": "implicit"}}),
        "prompt_cache_retention" => json!({"prompt_cache_retention": "24h"}),
        "reasoning.context" => json!({"reasoning": {"context": "all_turns"}}),
        "reasoning.effort" => json!({"reasoning": {"effort": "low"}}),
        "reasoning.mode" => json!({"reasoning": {"mode": "a"}}),
        "reasoning.summary" => json!({"reasoning": {"summary": "auto"}}),
        "safety_identifier" => json!({"safety_identifier": "s"}),
        "service_tier" => json!({"service_tier": "flex"}),
        "store" => json!({"store": true}),
        "stream" => json!({"stream": true}),
        "stream_options" => json!({"stream_options": {"include_obfuscation": true}}),
        "temperature" => json!({"temperature": 0.5}),
        "text.format" => json!({"text": {"format": {
            "type": "json_schema", "name": "a", "strict": true, "schema": schema
        }}}),
        "text.verbosity" => json!({"text": {"verbosity": "low"}}),
        "tool_choice" => json!({"tool_choice": "required", "tools": tools}),
        "tools" => json!({"tools": tools}),
        "top_logprobs" => json!({"top_logprobs": 2}),
        "top_p" => json!({"top_p": 0.5}),
        "truncation" => json!({"truncation": "auto"}),
        "user" => json!({"user": "u1"}),
        _ => panic!("no sample of {name}"),
    }
}
