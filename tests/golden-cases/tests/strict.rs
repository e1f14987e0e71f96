//! What the filter sends, given to the strict simulator without an Envoy in between.
//!
//! Plays every golden case and, for every model in the catalogue on each of its APIs, a request for each feature
//! that clients use, and random combinations of these. The simulator has its own tables, so this reveals facts that
//! the filter's catalogue lacks.

mod combinations;
mod messages;
mod responses;

pub(crate) use combinations::check as check_combinations;

use std::fmt::Write as _;
use std::sync::Arc;

use bedrock_filter::catalog::{Model, models};
use bedrock_filter::exchange::Exchange;
use bedrock_filter::routes::Routes;
use bedrock_simulator::{Family, Simulator};
use e2e::{h1_exchange, run, simulator_builder};
use golden_cases::{CHAT, Case, INPUT_TOKENS, MESSAGES, PLUGIN_CONFIG, RESPONSES};
use harness::{Message, routes, send_to};
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

const KEY: &str = "bedrock-api-key-of-the-golden-cases";

/// For questions about videos, which a chat cannot carry.
const VIDEO: &str = "twelvelabs.";

async fn simulator() -> &'static Simulator {
    static SIMULATOR: OnceCell<Simulator> = OnceCell::const_new();
    let start = || async {
        let import = "arn:aws:bedrock:us-east-1:123456789012:imported-model/abc123def456";
        let builder = simulator_builder().own_model(import, Family::OpenAi);
        let builder = builder.bearer_key(KEY);
        builder.start().await.expect("a simulator")
    };
    SIMULATOR.get_or_init(start).await
}

/// Why the simulator refuses a call; none if it accepts it.
async fn fault(call: &Message) -> Option<String> {
    let address = simulator().await.addr();
    let header = |name: &str| call.headers.get_str(name).unwrap_or_default();
    let mut request = format!(
        "POST {} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {KEY}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n",
        header(":path"),
        call.body.len()
    );
    let options = call.headers.0.iter();
    for (name, value) in options.filter(|(name, _)| name.starts_with("x-amzn-")) {
        let _ = write!(request, "{name}: {}\r\n", String::from_utf8_lossy(value));
    }
    request.push_str("\r\n");
    let mut bytes = request.into_bytes();
    bytes.extend_from_slice(&call.body);
    let answer = h1_exchange(address.port(), &bytes).await;
    if answer.starts_with("HTTP/1.1 200") {
        return None;
    }
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    Some(body.to_owned())
}

/// Whether the simulator can check a case: it accepts only thoughts that it signed itself.
pub(crate) fn can_judge(case: &Case) -> bool {
    let text = String::from_utf8_lossy(&case.request);
    let is_signed = ["\"signature\"", "redacted_thinking"];
    let is_own = !is_signed.iter().any(|mark| text.contains(mark));
    [CHAT, RESPONSES, INPUT_TOKENS].contains(&&*case.path) || (case.path == MESSAGES && is_own)
}

/// Checks that the simulator accepts what the filter makes of a case.
pub(crate) fn check(case: &Case) -> Result<(), String> {
    let mut exchange = Exchange::new(routes(PLUGIN_CONFIG));
    match send_to(&mut exchange, &case.path, &case.request) {
        Err(_) => Ok(()),
        Ok(call) => run(fault(&call)).map_or(Ok(()), Err),
    }
}

/// Checks that every model, on each of its APIs, accepts what the filter sends it.
pub(crate) fn check_models() -> Result<(), String> {
    let mut faults = String::new();
    for api in ["invoke", "converse"] {
        let routes = channel(api);
        for model in served(api) {
            let chats = wishes().into_iter().map(|own| (CHAT, own));
            let responses = responses::wishes().into_iter();
            let responses = responses.map(|own| (RESPONSES, own));
            let messages = messages::wishes().into_iter();
            let messages = messages.map(|own| (MESSAGES, own));
            for (path, (wish, fields)) in chats.chain(responses).chain(messages) {
                if let Some(fault) = asked(&routes, model, path, &fields) {
                    let id = model.id;
                    let _ = writeln!(faults, "{id} on {api}, {path}, {wish}: {fault}");
                }
            }
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

/// The models that an API serves.
fn served(api: &str) -> impl Iterator<Item = &'static Model> {
    let served = models().filter(move |model| match api {
        "invoke" => model.invoke,
        _ => model.converse,
    });
    served.filter(|model| !model.id.starts_with(VIDEO))
}

fn channel(api: &str) -> Arc<Routes> {
    let channel = json!({
        "name": api,
        "region": "us-east-1",
        "credentials": {"type": "static", "access_key_id": "AKIDEXAMPLE", "secret_access_key": "s"},
        "cross_region": "global",
        "allow_model_ids": "catalogue",
        "api": api,
    });
    routes(&json!({"schema": 1, "revision": 1, "channels": [channel]}).to_string())
}

/// What is wrong with the call that a request becomes, if it becomes one: the filter may refuse it.
fn asked(routes: &Arc<Routes>, model: &Model, path: &str, fields: &Value) -> Option<String> {
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(model.id));
    let conversation = if path == RESPONSES {
        "input"
    } else {
        "messages"
    };
    if path == MESSAGES {
        body.insert("max_tokens".to_owned(), json!(100));
    }
    body.insert(conversation.to_owned(), json!([user("Hi")]));
    body.extend(fields.as_object().unwrap().clone());
    let mut exchange = Exchange::new(Arc::clone(routes));
    let call = send_to(
        &mut exchange,
        path,
        Value::Object(body).to_string().as_bytes(),
    );
    match call {
        // These are faults of this table, not of the request.
        Err((404 | 500.., body)) => Some(String::from_utf8_lossy(&body).into_owned()),
        Err(_) => None,
        Ok(call) => run(fault(&call)),
    }
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

fn assistant(text: &str) -> Value {
    json!({"role": "assistant", "content": text})
}

fn calls(calls: &[(&str, &str)]) -> Value {
    let calls = calls.iter().map(|(id, name)| {
        json!({"id": id, "type": "function", "function": {"name": name, "arguments": "{}"}})
    });
    json!({"role": "assistant", "content": null, "tool_calls": calls.collect::<Vec<_>>()})
}

fn result(id: &str) -> Value {
    json!({"role": "tool", "tool_call_id": id, "content": "noon"})
}

fn tool(name: &str, parameters: &Value) -> Value {
    json!({"type": "function", "function": {"name": name, "parameters": parameters, "strict": true}})
}

fn tools() -> Value {
    let bounded =
        json!({"type": "object", "properties": {"days": {"type": "integer", "minimum": 1}}});
    let either = json!({"anyOf": [{"properties": {"a": {"type": "string"}}}, {"required": ["b"]}]});
    let referring = json!({"type": "object", "properties": {"p": {"$ref": "#/$defs/P"}},
        "$defs": {"P": {"type": "string", "format": "date"}}});
    json!([
        tool("get-weather", &bounded),
        tool("either", &either),
        tool("referring", &referring),
    ])
}

fn schema(strict: bool) -> Value {
    json!({"type": "json_schema", "json_schema": {"name": "s", "strict": strict, "schema": {
        "type": "object", "required": ["tags"],
        "properties": {"tags": {"type": "array", "items": {"type": "string"}, "minItems": 1}}}}})
}

/// Features that clients use, each on its own, because a model that lacks one may have the others.
fn wishes() -> Vec<(&'static str, Value)> {
    let history = [user("Hi"), calls(&[("t", "now")]), result("t"), user("So?")];
    let named = json!({"type": "function", "function": {"name": "get-weather"}});
    let hour =
        json!([{"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]);
    let short = json!([{"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}}]);
    let hidden = json!([{"type": "redacted_thinking", "data": ""}]);
    vec![
        ("nothing", json!({})),
        ("a stream", json!({"stream": true})),
        ("stop", json!({"stop": ["\nObservation:", " "]})),
        ("temperature", json!({"temperature": 0.3})),
        ("a high temperature", json!({"temperature": 1.7})),
        (
            "temperature and top_p",
            json!({"temperature": 0.3, "top_p": 0.9}),
        ),
        ("top_k", json!({"top_k": 900})),
        ("seed", json!({"seed": -1})),
        ("few tokens", json!({"max_tokens": 1})),
        ("many tokens", json!({"max_tokens": 1_000_000})),
        ("no effort", json!({"reasoning_effort": "none"})),
        ("a low effort", json!({"reasoning_effort": "low"})),
        ("the highest effort", json!({"reasoning_effort": "max"})),
        ("a penalty", json!({"frequency_penalty": 0.1})),
        ("a user", json!({"user": "u-1"})),
        ("tools", json!({"tools": tools()})),
        ("streamed tools", json!({"tools": tools(), "stream": true})),
        ("no tool", json!({"tools": tools(), "tool_choice": "none"})),
        (
            "any tool",
            json!({"tools": tools(), "tool_choice": "required"}),
        ),
        ("one tool", json!({"tools": tools(), "tool_choice": named})),
        (
            "one call at a time",
            json!({"tools": tools(), "parallel_tool_calls": false}),
        ),
        (
            "a call of a tool",
            json!({"tools": tools(), "messages": [user("call get-weather")]}),
        ),
        ("JSON", json!({"response_format": {"type": "json_object"}})),
        ("a shape", json!({"response_format": schema(false)})),
        ("an exact shape", json!({"response_format": schema(true)})),
        (
            "an exact shape or tools",
            json!({"response_format": schema(true), "tools": tools()}),
        ),
        (
            "a history of tools",
            json!({"messages": history, "tools": tools()}),
        ),
        ("a history without tools", json!({"messages": history})),
        (
            "JSON after tools",
            json!({"messages": history, "response_format": schema(true)}),
        ),
        (
            "lost results",
            json!({"messages": [user("Hi"), calls(&[("t", "now"), ("t", "now")]), result("t"), user("So?"), calls(&[("u", "now")])]}),
        ),
        (
            "lost calls",
            json!({"messages": [result("gone"), user("Hi"), assistant("Yes?"), result("late")]}),
        ),
        (
            "no user",
            json!({"messages": [{"role": "system", "content": "Say hi."}]}),
        ),
        (
            "a system prompt",
            json!({"messages": [{"role": "system", "content": "Be brief."}, user("Hi")]}),
        ),
        (
            "an assistant first",
            json!({"messages": [assistant("Yes?"), user("Hi")]}),
        ),
        (
            "a system message last",
            json!({"messages": [user("Hi"), assistant("Yes?"), {"role": "system", "content": "Go on."}]}),
        ),
        (
            "a prefill",
            json!({"messages": [user("A list."), assistant("1. ")]}),
        ),
        (
            "marks",
            json!({"messages": [{"role": "system", "content": short}, {"role": "user", "content": hour}, assistant("Yes?"), user("Hi")]}),
        ),
        (
            "thoughts",
            json!({"messages": [user("Hi"), {"role": "assistant", "content": "Yes?", "thinking_blocks": hidden}, user("So?")]}),
        ),
    ]
}
