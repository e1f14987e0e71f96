//! Command R and R+.

use serde_json::{Map, Value, json};

use crate::catalog::Model;
use crate::error::AwsError;
use crate::family::ask::{Ask, Tool, count_fields, strings};
use crate::family::reply::{Call, Reply};
use crate::family::schema::{COUNT, FILLED, FRACTION, Key, MAY, MUST, Shape, TEXT};
use crate::family::{Answer, Dialect, Overrides, digits, field, list, number, pieces};

pub(crate) struct CommandR;

const MANY: usize = usize::MAX;
const P: Key = ("p", MAY, Shape::Number(0.01, 0.99));
const K: Key = ("k", MAY, Shape::Integer(0, 500));
const FREQUENCY: Key = ("frequency_penalty", MAY, FRACTION);
const PRESENCE: Key = ("presence_penalty", MAY, FRACTION);
const SEED: Key = ("seed", MAY, Shape::Integer(0, i64::MAX));

const CALL: Shape = Shape::Object(&[("name", MUST, FILLED), ("parameters", MUST, Shape::Json)]);
const RESULT: Shape = Shape::Object(&[
    ("call", MUST, CALL),
    ("outputs", MUST, Shape::List(1, MANY, &Shape::Json)),
]);
const TURN: Shape = Shape::Object(&[
    (
        "role",
        MUST,
        Shape::OneOf(&["USER", "CHATBOT", "SYSTEM", "TOOL"]),
    ),
    ("message", MAY, TEXT),
    ("tool_calls", MAY, Shape::List(1, MANY, &CALL)),
    ("tool_results", MAY, Shape::List(1, MANY, &RESULT)),
]);
const PARAMETER: Shape = Shape::Object(&[
    ("description", MAY, TEXT),
    (
        "type",
        MUST,
        Shape::OneOf(&["str", "int", "float", "bool", "list", "dict"]),
    ),
    ("required", MAY, Shape::Boolean),
]);
const TOOL: Shape = Shape::Object(&[
    ("name", MUST, FILLED),
    ("description", MUST, FILLED),
    ("parameter_definitions", MAY, Shape::Map(&PARAMETER)),
]);
const BODY: Shape = Shape::Object(&[
    ("message", MUST, TEXT),
    ("preamble", MAY, TEXT),
    ("chat_history", MAY, Shape::List(0, MANY, &TURN)),
    ("max_tokens", MAY, COUNT),
    ("temperature", MAY, FRACTION),
    P,
    K,
    FREQUENCY,
    PRESENCE,
    SEED,
    ("stop_sequences", MAY, Shape::List(0, MANY, &FILLED)),
    ("tools", MAY, Shape::List(1, MANY, &TOOL)),
    ("tool_results", MAY, Shape::List(1, MANY, &RESULT)),
    ("documents", MAY, Shape::List(0, MANY, &Shape::Map(&TEXT))),
    ("search_queries_only", MAY, Shape::Boolean),
    (
        "prompt_truncation",
        MAY,
        Shape::OneOf(&["OFF", "AUTO_PRESERVE_ORDER"]),
    ),
    ("return_prompt", MAY, Shape::Boolean),
    ("raw_prompting", MAY, Shape::Boolean),
    ("force_single_step", MAY, Shape::Boolean),
]);
/// `additionalModelRequestFields` of Converse.
pub(crate) const ADDITIONAL: Shape = Shape::Object(&[P, K, FREQUENCY, PRESENCE, SEED]);

impl Dialect for CommandR {
    fn validate(&self, model: &Model, body: &Value) -> Result<(), AwsError> {
        BODY.check_invoke(body)?;
        let blank = field(body, "message").is_none_or(|text| text.trim().is_empty());
        let results = body.get("tool_results").is_some();
        let text = match () {
            () if blank && !results => "message must be at least 1 token long.",
            () if results && body.get("tools").is_none() => {
                "tool_results can only be specified with tools."
            }
            () if number(body, "max_tokens").is_some_and(|asked| asked > model.max_tokens) => {
                "max_tokens exceeds the limit of the model."
            }
            () => return check_history(list(body, "chat_history")),
        };
        Err(AwsError::validation(text))
    }

    fn answer(&self, _model: &Model, body: &Value, overrides: &Overrides) -> Answer {
        let reply = ask(body).reply(overrides);
        let response = response(&reply, body);
        let finish = response.get("finish_reason").cloned();
        let mut events: Vec<Value> = pieces::of_text(reply.text.as_deref().unwrap_or_default())
            .map(|piece| event("text-generation", json!({ "text": piece })))
            .collect();
        if let Some(calls) = response.get("tool_calls") {
            events.push(event(
                "tool-calls-generation",
                json!({ "tool_calls": calls }),
            ));
        }
        let mut end = event(
            "stream-end",
            json!({"finish_reason": finish, "response": response}),
        );
        if let Some(done) = end.get_mut("is_finished") {
            *done = Value::Bool(true);
        }
        events.push(end);
        Answer {
            body: response,
            events,
            input_tokens: reply.input_tokens,
            output_tokens: reply.output_tokens,
        }
    }
}

/// Roles take turns, and a turn says something.
fn check_history(history: &[Value]) -> Result<(), AwsError> {
    for turn in history {
        let said = field(turn, "message").is_some_and(|text| !text.trim().is_empty());
        if !said && turn.get("tool_calls").is_none() && turn.get("tool_results").is_none() {
            return Err(AwsError::validation(
                "all elements in chat_history must have a message.",
            ));
        }
    }
    Ok(())
}

fn ask(body: &Value) -> Ask {
    let results = list(body, "tool_results");
    let outputs = results.iter().flat_map(|result| list(result, "outputs"));
    let message = field(body, "message").filter(|text| !text.is_empty());
    let history = list(body, "chat_history").iter();
    let calls = history.map(|turn| list(turn, "tool_calls").len());
    Ask {
        said: message.map(str::to_owned).into_iter().collect(),
        results: outputs.map(output).collect(),
        tools: list(body, "tools").iter().filter_map(tool).collect(),
        // The calls of this round come with their results.
        earlier_calls: calls.sum::<usize>() + results.len(),
        max_tokens: number(body, "max_tokens"),
        stops: strings(body, "stop_sequences"),
        input_tokens: count_fields(
            body,
            &[
                "message",
                "preamble",
                "chat_history",
                "tools",
                "tool_results",
            ],
        ),
        ..Ask::default()
    }
}

/// The values of one output, whatever their names.
fn output(output: &Value) -> String {
    let values = output
        .as_object()
        .into_iter()
        .flatten()
        .map(|(_, value)| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
    values.collect::<Vec<_>>().join(" ")
}

/// A tool with its parameters as a JSON schema.
fn tool(tool: &Value) -> Option<Tool> {
    let parameters = tool.get("parameter_definitions").and_then(Value::as_object);
    let properties: Map<String, Value> = parameters
        .into_iter()
        .flatten()
        .map(|(name, parameter)| {
            let kind = match field(parameter, "type") {
                Some("int") => "integer",
                Some("float") => "number",
                Some("bool") => "boolean",
                Some("list") => "array",
                Some("dict") => "object",
                _ => "string",
            };
            (name.clone(), json!({ "type": kind }))
        })
        .collect();
    Some(Tool {
        name: field(tool, "name")?.to_owned(),
        schema: json!({"type": "object", "properties": properties}),
    })
}

fn response(reply: &Reply, body: &Value) -> Value {
    let text = reply.text.as_deref().unwrap_or_default();
    let said = field(body, "message").unwrap_or_default();
    let mut history = list(body, "chat_history").to_vec();
    history.push(json!({"role": "USER", "message": said}));
    history.push(json!({"role": "CHATBOT", "message": text}));
    let id = digits(body);
    let mut response = json!({
        "response_id": id,
        "generation_id": id,
        "text": text,
        // A call is not a separate finish reason.
        "finish_reason": reply.stop.word(["COMPLETE", "MAX_TOKENS", "COMPLETE"]),
        "chat_history": history,
    });
    let call = |call: &Call| json!({"name": call.name, "parameters": call.input});
    let calls: Vec<Value> = reply.calls.iter().map(call).collect();
    if let (false, Some(fields)) = (calls.is_empty(), response.as_object_mut()) {
        fields.insert("tool_calls".to_owned(), json!(calls));
    }
    response
}

fn event(kind: &str, fields: Value) -> Value {
    let mut event = json!({"is_finished": false, "event_type": kind});
    if let (Some(event), Value::Object(fields)) = (event.as_object_mut(), fields) {
        event.extend(fields);
    }
    event
}
