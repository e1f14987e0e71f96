//! Keeps `docs/PARAMETERS.md` true: its tables say what the dialects declare, and the dialects do
//! what they declare.

mod responses;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use bedrock_filter::bedrock::dialect;
use bedrock_filter::catalog;
use bedrock_filter::catalog::ModelFamily;
use bedrock_filter::chat::{Asked, Treatment};
use bedrock_filter::exchange::Exchange;
use bedrock_filter::protocol::openai_chat::params;
use golden_cases::CHAT;
use harness::{Message, routes, send_to};
use serde_json::{Value, json};

/// An API whose parameters are on the page.
struct Api {
    path: &'static str,
    /// The name in the markers of its tables.
    mark: &'static str,
    /// How deep their headings are.
    depth: &'static str,
    params: &'static [Asked],
    /// Parameters that are treated the same for every model.
    fixed: &'static [(&'static str, Treatment)],
    /// The smallest request.
    smallest: fn(&str) -> Value,
    /// A value of a parameter that asks for as much as possible, with the other fields that it
    /// needs.
    sample: fn(&str) -> Value,
    /// Parameters that may change only the answer, or that are in every call.
    silent: &'static [&'static str],
    /// Parameters that ask for nothing on their own.
    dependent: &'static [&'static str],
}

fn apis() -> [Api; 2] {
    let chat = Api {
        path: CHAT,
        mark: "tables",
        depth: "##",
        params: params(),
        fixed: &[],
        smallest: |model| json!({"model": model, "messages": [{"role": "user", "content": "Hi"}]}),
        sample,
        silent: &[
            "include_reasoning",
            "model",
            "stop",
            "stop_sequences",
            "stream_options",
        ],
        dependent: &[],
    };
    [chat, responses::api()]
}

#[test]
fn the_documented_tables_are_the_dialects_own() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/PARAMETERS.md");
    let page = fs::read_to_string(&path).unwrap();
    let mut expected = page.clone();
    for api in apis() {
        let begin = format!("<!-- {}: begin -->\n", api.mark);
        let end = format!("<!-- {}: end -->", api.mark);
        let (before, rest) = expected.split_once(&begin).unwrap();
        let (_, after) = rest.split_once(&end).unwrap();
        expected = format!("{before}{begin}{}{end}{after}", tables(&api));
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, expected).unwrap();
        return;
    }
    assert!(
        page == expected,
        "docs/PARAMETERS.md is out of date; run UPDATE_GOLDEN=1 cargo xtask test parameters::"
    );
}

fn cell(treatment: Treatment) -> &'static str {
    match treatment {
        Treatment::Mapped => "yes",
        Treatment::Ignored => "–",
        Treatment::Refused => "400",
    }
}

fn tables(api: &Api) -> String {
    let mut same = Vec::new();
    let mut by_family = String::from("| parameter |");
    for family in ModelFamily::ALL {
        let _ = write!(by_family, " {} |", name(*family));
    }
    let rule = "---|".repeat(ModelFamily::ALL.len() + 1);
    let _ = write!(by_family, "\n|{rule}\n");
    let mut params = api.params.to_vec();
    params.sort_unstable_by_key(|param| param.name);
    for param in params {
        let row: Vec<_> = ModelFamily::ALL
            .iter()
            .map(|family| cell(dialect(*family).treatment(param.param)))
            .collect();
        let name = param.name;
        match row.first() {
            Some(first) if row.iter().all(|cell| cell == first) => same.push((name, *first)),
            _ => {
                let _ = writeln!(by_family, "| `{name}` | {} |", row.join(" | "));
            }
        }
    }
    same.extend(api.fixed.iter().map(|(name, own)| (*name, cell(*own))));
    same.sort_unstable();
    let same: String = same
        .iter()
        .map(|(name, cell)| format!("| `{name}` | {cell} |\n"))
        .collect();
    let depth = api.depth;
    format!(
        "\n{depth} The same for every family\n\n| parameter | every family |\n|---|---|\n{same}\n{depth} By \
         family\n\n{by_family}\n"
    )
}

/// The family's name in the channel's `model_families`.
fn name(family: ModelFamily) -> String {
    serde_json::to_value(family)
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned()
}

/// Values that ask for something, with the other fields that they need.
fn samples(api: &Api, name: &str) -> Vec<Value> {
    let sample = (api.sample)(name);
    let mut tamer = sample.clone();
    match name {
        "function_call" => tamer["function_call"] = json!("none"),
        "tool_choice" => tamer["tool_choice"] = json!("none"),
        _ => return vec![sample],
    }
    vec![sample, tamer]
}

/// A value that asks for as much as possible.
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

/// The models of a family that are called through the family's API.
fn models(family: ModelFamily) -> Vec<&'static str> {
    let of_family = catalog::models().filter(|model| match family {
        ModelFamily::Converse => model.converse,
        family => model.family == family && model.invoke,
    });
    of_family.map(|model| model.id).collect()
}

/// What Bedrock gets for a request with these fields, or the parameter at fault.
fn call(api: &Api, family: ModelFamily, model: &str, fields: &Value) -> Result<String, String> {
    let mut body = (api.smallest)(model);
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
    match send_to(&mut exchange, api.path, body.to_string().as_bytes()) {
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

/// The same without the parameter itself, which may be inside another.
fn without(fields: &Value, name: &str) -> Value {
    let mut rest = fields.clone();
    let (place, name) = match name.split_once('.') {
        Some((outer, inner)) => (&mut rest[outer], inner),
        None => (&mut rest, name),
    };
    if let Some(object) = place.as_object_mut() {
        object.remove(name);
    }
    rest
}

fn pairs(api: &Api, treatment: Treatment) -> Vec<(ModelFamily, Asked)> {
    let all = ModelFamily::ALL.iter().flat_map(|family| {
        let params = api.params.iter().map(move |param| (*family, *param));
        params.filter(move |(family, param)| dialect(*family).treatment(param.param) == treatment)
    });
    all.collect()
}

#[test]
fn what_is_refused_is_named() {
    for api in apis() {
        for (family, param) in pairs(&api, Treatment::Refused) {
            let name = param.name;
            if api.dependent.contains(&name) {
                continue;
            }
            let top = name.split('.').next().unwrap();
            let alone = json!({top: (api.sample)(name)[top]});
            for model in models(family) {
                let seen = call(&api, family, model, &alone).unwrap_err();
                assert_eq!(seen, name, "{model}");
            }
        }
        let refused = api.fixed.iter();
        let refused = refused.filter(|(_, treatment)| *treatment == Treatment::Refused);
        for (name, _) in refused {
            let seen = call(&api, ModelFamily::Nova, "nova-lite", &(api.sample)(name));
            assert_eq!(seen.unwrap_err(), *name);
        }
    }
}

#[test]
fn what_is_ignored_changes_nothing() {
    for api in apis() {
        let fixed = api.fixed.iter();
        let fixed = fixed.filter(|(_, treatment)| *treatment == Treatment::Ignored);
        let fixed = fixed.map(|(name, _)| (ModelFamily::Anthropic, *name));
        let pairs = pairs(&api, Treatment::Ignored).into_iter();
        for (family, name) in pairs.map(|(family, own)| (family, own.name)).chain(fixed) {
            for fields in samples(&api, name) {
                let rest = without(&fields, name);
                for model in models(family) {
                    let with = call(&api, family, model, &fields);
                    let plain = call(&api, family, model, &rest);
                    assert_eq!(with, plain, "{name} of {model}");
                }
            }
        }
    }
}

#[test]
fn what_is_mapped_changes_the_call_of_some_model() {
    for api in apis() {
        let without_effect =
            pairs(&api, Treatment::Mapped)
                .into_iter()
                .filter(|(family, param)| {
                    let samples = samples(&api, param.name);
                    let changes = |model: &str| {
                        samples.iter().any(|fields| {
                            let with = call(&api, *family, model, fields);
                            let rest = without(fields, param.name);
                            with.is_ok() && with != call(&api, *family, model, &rest)
                        })
                    };
                    !api.silent.contains(&param.name) && !models(*family).into_iter().any(changes)
                });
        let without_effect: Vec<_> = without_effect
            .map(|(family, param)| format!("{} of {}", param.name, name(family)))
            .collect();
        assert!(without_effect.is_empty(), "{without_effect:?}");
    }
}
