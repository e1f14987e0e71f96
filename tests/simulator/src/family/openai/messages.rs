//! The conversation: which role may say what, and what it asks.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::AwsError;
use crate::family::ask::Ask;
use crate::family::{field, image, list};

type Check = Result<(), AwsError>;

/// What a model takes in its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// The roles its chat template has.
    pub(crate) roles: &'static [&'static str],
    /// Parts besides `text`.
    pub(crate) parts: Vec<&'static str>,
    pub(crate) content: Content,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// A string or parts.
    Parts,
    /// A string, unless a part is not text.
    Plain,
}

/// Checks the messages of a body that fits its schema.
pub(crate) fn check(body: &Value, rules: &Rules) -> Check {
    let messages = list(body, "messages");
    for (at, message) in messages.iter().enumerate() {
        let role = field(message, "role").unwrap_or_default();
        if !rules.roles.contains(&role) {
            return Err(refuse(at, &format!("Unexpected message role '{role}'")));
        }
        check_message(at, message, rules)?;
    }
    if !messages
        .iter()
        .any(|message| field(message, "role") == Some("user"))
    {
        return Err(AwsError::validation(
            "messages: at least one message with the user role is required.",
        ));
    }
    check_calls(messages)
}

fn check_message(at: usize, message: &Value, rules: &Rules) -> Check {
    let role = field(message, "role").unwrap_or_default();
    let calls = list(message, "tool_calls");
    if !calls.is_empty() && role != "assistant" {
        return Err(refuse(at, "'tool_calls' belongs to the assistant role"));
    }
    if message.get("tool_call_id").is_some() != (role == "tool") {
        return Err(refuse(
            at,
            "'tool_call_id' belongs to the tool role, and must be set there",
        ));
    }
    for call in calls {
        let arguments = call.pointer("/function/arguments").and_then(Value::as_str);
        let parsed = serde_json::from_str::<Value>(arguments.unwrap_or_default()).ok();
        if !parsed.is_some_and(|arguments| arguments.is_object()) {
            return Err(refuse(
                at,
                "function.arguments must be a JSON object in a string",
            ));
        }
    }
    match message.get("content") {
        None | Some(Value::Null) if !calls.is_empty() => Ok(()),
        None | Some(Value::Null) => Err(refuse(at, "'content' must not be null")),
        Some(Value::String(text))
            if text.trim().is_empty() && matches!(role, "user" | "system") =>
        {
            Err(refuse(at, "'content' must not be blank"))
        }
        Some(Value::String(_)) => Ok(()),
        Some(content) => check_parts(at, content.as_array().map_or(&[], Vec::as_slice), rules),
    }
}

fn check_parts(at: usize, parts: &[Value], rules: &Rules) -> Check {
    for part in parts {
        let kind = field(part, "type").unwrap_or_default();
        if kind != "text" && !rules.parts.contains(&kind) {
            return Err(refuse(
                at,
                &format!("This model does not support content of type '{kind}'"),
            ));
        }
        let others = ["text", "image_url", "input_audio"];
        if others
            .iter()
            .any(|name| part.get(*name).is_some() != (*name == kind))
        {
            return Err(refuse(
                at,
                &format!("a part of type '{kind}' must contain only '{kind}'"),
            ));
        }
        if field(part, "text").is_some_and(|text| text.trim().is_empty()) {
            return Err(refuse(at, "a text part must not be blank"));
        }
        check_image(at, part)?;
    }
    let only_text = parts.iter().all(|part| part.get("text").is_some());
    match rules.content == Content::Plain && only_text {
        true => Err(refuse(at, "'content' should be a valid string")),
        false => Ok(()),
    }
}

/// Images come as data URIs; nothing is fetched.
fn check_image(at: usize, part: &Value) -> Check {
    let Some(url) = part.pointer("/image_url/url").and_then(Value::as_str) else {
        return Ok(());
    };
    let (declared, data) = data_uri(url)
        .ok_or_else(|| refuse(at, "only data URIs in base64 are supported for images"))?;
    let bytes = image::decode(data).ok_or_else(|| refuse(at, "invalid base64 data"))?;
    match image::sniff(&bytes) == Some(declared) {
        true => Ok(()),
        false => Err(refuse(at, "the data is not an image of its media type")),
    }
}

/// Media type and base64 of a data URI.
fn data_uri(url: &str) -> Option<(&str, &str)> {
    url.strip_prefix("data:")?.split_once(";base64,")
}

/// Every call is answered before the next message of another role.
fn check_calls(messages: &[Value]) -> Check {
    let mut open: BTreeSet<&str> = BTreeSet::new();
    for (at, message) in messages.iter().enumerate() {
        if let Some(id) = field(message, "tool_call_id") {
            if !open.remove(id) {
                let text = format!("'tool_call_id' {id} answers no call of the message before");
                return Err(refuse(at, &text));
            }
            continue;
        }
        if let Some(id) = open.first() {
            return Err(refuse(at, &format!("the tool call {id} has no answer")));
        }
        let calls = list(message, "tool_calls").iter();
        open.extend(calls.filter_map(|call| field(call, "id")));
    }
    match open.first() {
        Some(id) => Err(refuse(
            messages.len(),
            &format!("the tool call {id} has no answer"),
        )),
        None => Ok(()),
    }
}

fn refuse(at: usize, text: &str) -> AwsError {
    AwsError::validation(format!("messages.{at}: {text}"))
}

/// Reads the last turn of the user, tool results included.
pub(crate) fn read(messages: &[Value], ask: &mut Ask) {
    let calls = messages
        .iter()
        .map(|message| list(message, "tool_calls").len());
    ask.earlier_calls = calls.sum();
    let newest = messages.iter().rev();
    let turn = newest
        .skip_while(|message| !matches!(field(message, "role"), Some("user" | "tool")))
        .take_while(|message| matches!(field(message, "role"), Some("user" | "tool")));
    let mut turn: Vec<&Value> = turn.collect();
    turn.reverse();
    for message in turn {
        let mut inner = Ask::default();
        read_content(message, &mut inner);
        match field(message, "role") {
            Some("tool") => ask.results.push(inner.text()),
            _ => {
                ask.said.extend(inner.said);
                ask.sights.extend(inner.sights);
            }
        }
    }
}

fn read_content(message: &Value, ask: &mut Ask) {
    ask.said
        .extend(field(message, "content").map(str::to_owned));
    for part in list(message, "content") {
        ask.said.extend(field(part, "text").map(str::to_owned));
        let url = part.pointer("/image_url/url").and_then(Value::as_str);
        if let Some((media_type, data)) = url.and_then(data_uri) {
            ask.see(media_type, data);
        }
        if let Some(audio) = part.get("input_audio") {
            let format = field(audio, "format").unwrap_or_default();
            let data = field(audio, "data").unwrap_or_default();
            ask.see(&format!("audio/{format}"), data);
        }
    }
}
