//! Keeps `docs/PARAMETERS.md` true: its tables are what the dialects say, and the dialects do it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use bedrock_filter::bedrock::ModelFamily;
use bedrock_filter::catalog;
use bedrock_filter::exchange::Exchange;
use bedrock_filter::openai::{Param, Treatment};
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
    for param in Param::ALL {
        let row: Vec<_> = ModelFamily::ALL
            .iter()
            .map(|family| match family.dialect().treatment(*param) {
                Treatment::Mapped => "yes",
                Treatment::Ignored => "–",
                Treatment::Refused => "400",
            })
            .collect();
        let name = param.name();
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
fn samples(param: Param) -> Vec<Value> {
    let sample = sample(param);
    let mut tamer = sample.clone();
    match param {
        Param::FunctionCall => tamer["function_call"] = json!("none"),
        Param::ToolChoice => tamer["tool_choice"] = json!("none"),
        _ => return vec![sample],
    }
    vec![sample, tamer]
}

/// A value that asks for much.
fn sample(param: Param) -> Value {
    let function = json!({"name": "f", "parameters": {"type": "object", "properties": {}}});
    let tools = json!([{"type": "function", "function": function}]);
    let schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
    match param {
        Param::AnthropicBeta => json!({"anthropic_beta": ["context-1m-2025-08-07"]}),
        Param::Audio => json!({"audio": {"voice": "a"}}),
        Param::FrequencyPenalty => json!({"frequency_penalty": 0.5}),
        Param::FunctionCall => json!({"function_call": {"name": "f"}, "functions": [function]}),
        Param::Functions => json!({"functions": [function]}),
        Param::GuardrailConfig => {
            json!({"guardrailConfig": {"guardrailIdentifier": "gr1abc", "guardrailVersion": "1"}})
        }
        Param::LogitBias => json!({"logit_bias": {"5": 1}}),
        Param::Logprobs => json!({"logprobs": true}),
        Param::MaxCompletionTokens => json!({"max_completion_tokens": 99}),
        Param::MaxTokens => json!({"max_tokens": 99}),
        Param::Messages => json!({"messages": [{"role": "user", "content": "Bye"}]}),
        Param::Metadata => json!({"metadata": {"team": "blue"}}),
        Param::Modalities => json!({"modalities": ["audio"]}),
        Param::Model => json!({}),
        Param::Moderation => json!({"moderation": {}}),
        Param::N => json!({"n": 2}),
        Param::ParallelToolCalls => json!({"parallel_tool_calls": false, "tools": tools}),
        Param::PerformanceConfig => json!({"performanceConfig": {"latency": "optimized"}}),
        Param::Prediction => json!({"prediction": {"type": "content", "content": "x"}}),
        Param::PresencePenalty => json!({"presence_penalty": 0.5}),
        Param::PromptCacheKey => json!({"prompt_cache_key": "k"}),
        Param::PromptCacheOptions => json!({"prompt_cache_options": {"mode": "implicit"}}),
        Param::PromptCacheRetention => json!({"prompt_cache_retention": "24h"}),
        Param::ReasoningEffort => json!({"reasoning_effort": "low"}),
        Param::ResponseFormat => json!({"response_format": {
            "type": "json_schema",
            "json_schema": {"name": "a", "strict": true, "schema": schema}
        }}),
        Param::SafetyIdentifier => json!({"safety_identifier": "s"}),
        Param::Seed => json!({"seed": 5}),
        Param::ServiceTier => json!({"service_tier": "flex"}),
        Param::Stop => json!({"stop": ["END"]}),
        Param::Store => json!({"store": true}),
        Param::Stream => json!({"stream": true}),
        Param::StreamOptions => json!({"stream_options": {"include_usage": true}}),
        Param::Temperature => json!({"temperature": 0.5}),
        Param::Thinking => json!({"thinking": {"type": "enabled", "budget_tokens": 2000}}),
        Param::ToolChoice => json!({"tool_choice": "required", "tools": tools}),
        Param::Tools => json!({"tools": tools}),
        Param::TopK => json!({"top_k": 5}),
        Param::TopLogprobs => json!({"top_logprobs": 2}),
        Param::TopP => json!({"top_p": 0.5}),
        Param::User => json!({"user": "u1"}),
        Param::Verbosity => json!({"verbosity": "low"}),
        Param::WebSearchOptions => json!({"web_search_options": {}}),
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
fn without(fields: &Value, param: Param) -> Value {
    let mut rest = fields.clone();
    rest.as_object_mut().unwrap().remove(param.name());
    rest
}

fn pairs(treatment: Treatment) -> Vec<(ModelFamily, Param)> {
    let all = ModelFamily::ALL.iter().flat_map(|family| {
        let params = Param::ALL.iter().map(move |param| (*family, *param));
        params.filter(move |(family, param)| family.dialect().treatment(*param) == treatment)
    });
    all.collect()
}

#[test]
fn what_is_refused_is_named() {
    for (family, param) in pairs(Treatment::Refused) {
        let alone = json!({param.name(): sample(param)[param.name()]});
        for model in models(family) {
            let seen = call(family, model, &alone).unwrap_err();
            assert_eq!(seen, param.name(), "{model}");
        }
    }
}

#[test]
fn what_is_ignored_changes_nothing() {
    for (family, param) in pairs(Treatment::Ignored) {
        for fields in samples(param) {
            let rest = without(&fields, param);
            for model in models(family) {
                let (with, plain) = (call(family, model, &fields), call(family, model, &rest));
                assert_eq!(with, plain, "{} of {model}", param.name());
            }
        }
    }
}

#[test]
fn what_is_mapped_changes_the_call_of_some_model() {
    let without_effect = pairs(Treatment::Mapped)
        .into_iter()
        .filter(|(family, param)| {
            let samples = samples(*param);
            let changes = |model: &str| {
                samples.iter().any(|fields| {
                    let with = call(*family, model, fields);
                    with.is_ok() && with != call(*family, model, &without(fields, *param))
                })
            };
            // The model is in every call; the others may change the answer alone.
            let shows = !matches!(param, Param::Model | Param::Stop | Param::StreamOptions);
            shows && !models(*family).into_iter().any(changes)
        });
    let without_effect: Vec<_> = without_effect
        .map(|(family, param)| format!("{} of {}", param.name(), name(family)))
        .collect();
    assert!(without_effect.is_empty(), "{without_effect:?}");
}
