//! Keeps `docs/PARAMETERS.md` true: its tables are what the dialects say, and the dialects do it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use bedrock_filter::bedrock::dialect;
use bedrock_filter::catalog;
use bedrock_filter::catalog::ModelFamily;
use bedrock_filter::chat::{Asked, Treatment};
use bedrock_filter::exchange::Exchange;
use bedrock_filter::protocol::openai_chat::params;
use harness::{Message, routes, send};
use serde_json::{Value, json};

const BEGIN: &str = "<!-- tables: begin -->\n";
const END: &str = "<!-- tables: end -->";

#[test]
fn the_documented_tables_are_the_dialects_own() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/PARAMETERS.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{BEGIN}{}{END}{after}", tables());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, expected).unwrap();
        return;
    }
    assert!(
        page == expected,
        "docs/PARAMETERS.md is out of date; run UPDATE_GOLDEN=1 cargo xtask test parameters::"
    );
}

fn tables() -> String {
    let mut same = String::from("| parameter | every family |\n|---|---|\n");
    let mut by_family = String::from("| parameter |");
    for family in ModelFamily::ALL {
        let _ = write!(by_family, " {} |", name(*family));
    }
    let rule = "---|".repeat(ModelFamily::ALL.len() + 1);
    let _ = write!(by_family, "\n|{rule}\n");
    let mut params = params().to_vec();
    params.sort_unstable_by_key(|param| param.name);
    for param in params {
        let row: Vec<_> = ModelFamily::ALL
            .iter()
            .map(|family| match dialect(*family).treatment(param.param) {
                Treatment::Mapped => "yes",
                Treatment::Ignored => "–",
                Treatment::Refused => "400",
            })
            .collect();
        let name = param.name;
        let _ = match row.first() {
            Some(first) if row.iter().all(|cell| cell == first) => {
                writeln!(same, "| `{name}` | {first} |")
            }
            _ => writeln!(by_family, "| `{name}` | {} |", row.join(" | ")),
        };
    }
    format!("\n## The same for every family\n\n{same}\n## By family\n\n{by_family}\n")
}

/// The family's name in the channel's `model_families`.
fn name(family: ModelFamily) -> String {
    serde_json::to_value(family)
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned()
}

/// Values that ask for something, with what they need beside them.
fn samples(name: &str) -> Vec<Value> {
    let sample = sample(name);
    let mut tamer = sample.clone();
    match name {
        "function_call" => tamer["function_call"] = json!("none"),
        "tool_choice" => tamer["tool_choice"] = json!("none"),
        _ => return vec![sample],
    }
    vec![sample, tamer]
}

/// A value that asks for much.
fn sample(name: &str) -> Value {
    let function = json!({"name": "f", "parameters": {"type": "object", "properties": {}}});
    let tools = json!([{"type": "function", "function": function}]);
    let schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
    match name {
        "anthropic_beta" => json!({"anthropic_beta": ["context-1m-2025-08-07"]}),
        "audio" => json!({"audio": {"voice": "a"}}),
        "cache_control" => json!({"cache_control": {"type": "ephemeral"}}),
        "chat_template_kwargs" => json!({"chat_template_kwargs": {"enable_thinking": true}}),
        "enable_thinking" => json!({"enable_thinking": true}),
        "frequency_penalty" => json!({"frequency_penalty": 1.5}),
        "function_call" => json!({"function_call": {"name": "f"}, "functions": [function]}),
        "functions" => json!({"functions": [function]}),
        "guardrailConfig" => {
            json!({"guardrailConfig": {"guardrailIdentifier": "gr1abc", "guardrailVersion": "1"}})
        }
        "include_reasoning" => json!({"include_reasoning": false}),
        "logit_bias" => json!({"logit_bias": {"5": 1}}),
        "logprobs" => json!({"logprobs": true}),
        "max_completion_tokens" => json!({"max_completion_tokens": 99}),
        "max_tokens" => json!({"max_tokens": 99}),
        "messages" => json!({"messages": [{"role": "user", "content": "Bye"}]}),
        "metadata" => json!({"metadata": {"team": "blue"}}),
        "modalities" => json!({"modalities": ["audio"]}),
        "model" => json!({}),
        "moderation" => json!({"moderation": {}}),
        "n" => json!({"n": 2}),
        "parallel_tool_calls" => json!({"parallel_tool_calls": false, "tools": tools}),
        "performanceConfig" => json!({"performanceConfig": {"latency": "optimized"}}),
        "prediction" => json!({"prediction": {"type": "content", "content": "x"}}),
        "presence_penalty" => json!({"presence_penalty": 1.5}),
        "prompt_cache_key" => json!({"prompt_cache_key": "k"}),
        "prompt_cache_options" => json!({"prompt_cache_options": {"mode": "implicit"}}),
        "prompt_cache_retention" => json!({"prompt_cache_retention": "24h"}),
        "reasoning" => json!({"reasoning": {"effort": "low"}}),
        "reasoningEffort" => json!({"reasoningEffort": "low"}),
        "reasoning_effort" => json!({"reasoning_effort": "low"}),
        "response_format" => json!({"response_format": {
            "type": "json_schema",
            "json_schema": {"name": "a", "strict": true, "schema": schema}
        }}),
        "safety_identifier" => json!({"safety_identifier": "s"}),
        "seed" => json!({"seed": 5}),
        "service_tier" => json!({"service_tier": "flex"}),
        "stop" => json!({"stop": ["END"]}),
        "stop_sequences" => json!({"stop_sequences": ["END"]}),
        "system" => json!({"system": "Be brief."}),
        "store" => json!({"store": true}),
        "stream" => json!({"stream": true}),
        "stream_options" => json!({"stream_options": {"include_usage": true}}),
        "temperature" => json!({"temperature": 0.5}),
        "thinking" => json!({"thinking": {"type": "enabled", "budget_tokens": 2000}}),
        "tool_choice" => json!({"tool_choice": "required", "tools": tools}),
        "tools" => json!({"tools": tools}),
        "top_k" => json!({"top_k": 5}),
        "top_logprobs" => json!({"top_logprobs": 2}),
        "top_p" => json!({"top_p": 0.5}),
        "user" => json!({"user": "u1"}),
        "verbosity" => json!({"verbosity": "low"}),
        "web_search_options" => json!({"web_search_options": {}}),
        _ => panic!("no sample of {name}"),
    }
}

/// The models of a family that are called through the API that the family is for.
fn models(family: ModelFamily) -> Vec<&'static str> {
    let of_family = catalog::models().filter(|model| match family {
        ModelFamily::Converse => model.converse,
        family => model.family == family && model.invoke,
    });
    of_family.map(|model| model.id).collect()
}

/// What Bedrock gets for a request with these fields, or the parameter at fault.
fn call(family: ModelFamily, model: &str, fields: &Value) -> Result<String, String> {
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": "Hi"}]});
    let object = body.as_object_mut().unwrap();
    object.extend(fields.as_object().unwrap().clone());
    let config = json!({"channels": [{
        "name": "a",
        "region": "us-east-1",
        "api": match family {
            ModelFamily::Converse => "converse",
            _ => "invoke",
        },
        "credentials": {
            "type": "static",
            "access_key_id": "AKIDEXAMPLE",
            "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
        }
    }]});
    let mut exchange = Exchange::new(routes(&config.to_string()));
    match send(&mut exchange, body.to_string().as_bytes()) {
        Ok(Message { headers, body }) => {
            let own = headers
                .0
                .iter()
                .filter(|(name, _)| name == ":path" || name.starts_with("x-amzn-bedrock-"));
            let own: Vec<_> = own
                .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)))
                .collect();
            Ok(format!(
                "{}\n{}",
                own.join("\n"),
                String::from_utf8(body).unwrap()
            ))
        }
        Err((status, body)) => {
            assert_eq!(status, 400, "{}", String::from_utf8_lossy(&body));
            let error: Value = serde_json::from_slice(&body).unwrap();
            Err(error["error"]["param"]
                .as_str()
                .unwrap_or_default()
                .to_owned())
        }
    }
}

/// The same without the parameter itself.
fn without(fields: &Value, name: &str) -> Value {
    let mut rest = fields.clone();
    rest.as_object_mut().unwrap().remove(name);
    rest
}

fn pairs(treatment: Treatment) -> Vec<(ModelFamily, Asked)> {
    let all = ModelFamily::ALL.iter().flat_map(|family| {
        let params = params().iter().map(move |param| (*family, *param));
        params.filter(move |(family, param)| dialect(*family).treatment(param.param) == treatment)
    });
    all.collect()
}

#[test]
fn what_is_refused_is_named() {
    for (family, param) in pairs(Treatment::Refused) {
        let name = param.name;
        let alone = json!({name: sample(name)[name]});
        for model in models(family) {
            let seen = call(family, model, &alone).unwrap_err();
            assert_eq!(seen, name, "{model}");
        }
    }
}

#[test]
fn what_is_ignored_changes_nothing() {
    for (family, param) in pairs(Treatment::Ignored) {
        for fields in samples(param.name) {
            let rest = without(&fields, param.name);
            for model in models(family) {
                let (with, plain) = (call(family, model, &fields), call(family, model, &rest));
                assert_eq!(with, plain, "{} of {model}", param.name);
            }
        }
    }
}

#[test]
fn what_is_mapped_changes_the_call_of_some_model() {
    let without_effect = pairs(Treatment::Mapped)
        .into_iter()
        .filter(|(family, param)| {
            let samples = samples(param.name);
            let changes = |model: &str| {
                samples.iter().any(|fields| {
                    let with = call(*family, model, fields);
                    with.is_ok() && with != call(*family, model, &without(fields, param.name))
                })
            };
            // The model is in every call; the others may change the answer alone.
            let shows = !matches!(
                param.name,
                "include_reasoning" | "model" | "stop" | "stop_sequences" | "stream_options"
            );
            shows && !models(*family).into_iter().any(changes)
        });
    let without_effect: Vec<_> = without_effect
        .map(|(family, param)| format!("{} of {}", param.name, name(family)))
        .collect();
    assert!(without_effect.is_empty(), "{without_effect:?}");
}
