//! The message blocks that Nova's body and Converse share: texts, images,
//! `toolUse`, `toolResult`, each an object with the kind as its key.

mod answer;
mod turns;

pub(super) use self::answer::{content, events, usage_of};
pub(super) use self::turns::{Mixing, check};

use serde_json::Value;

use super::ask::{Ask, Choice, Tool, count_fields, strings};
use super::{field, list, number};

/// Reads a validated body. Thinking and format are left to the caller.
pub(super) fn ask(body: &Value) -> Ask {
    let limits = body.get("inferenceConfig").unwrap_or(&Value::Null);
    let config = body.get("toolConfig").unwrap_or(&Value::Null);
    let mut ask = Ask {
        tools: list(config, "tools").iter().filter_map(tool).collect(),
        choice: choice(config.get("toolChoice").unwrap_or(&Value::Null)),
        earlier_calls: blocks_of(body)
            .filter(|b| b.get("toolUse").is_some())
            .count(),
        max_tokens: number(limits, "maxTokens").or_else(|| number(limits, "max_new_tokens")),
        stops: strings(limits, "stopSequences"),
        input_tokens: count_fields(body, &["system", "messages", "toolConfig"]),
        ..Ask::default()
    };
    let messages = list(body, "messages");
    let last = messages.iter().rfind(|m| field(m, "role") == Some("user"));
    for block in last.map_or(&[][..], |message| list(message, "content")) {
        read(block, &mut ask);
    }
    ask
}

fn tool(tool: &Value) -> Option<Tool> {
    let spec = tool.get("toolSpec")?;
    Some(Tool {
        name: field(spec, "name")?.to_owned(),
        schema: spec
            .pointer("/inputSchema/json")
            .cloned()
            .unwrap_or_default(),
    })
}

fn choice(choice: &Value) -> Choice {
    let named = choice.get("tool").and_then(|tool| field(tool, "name"));
    match (named, choice.get("any")) {
        (Some(name), _) => Choice::Named(name.to_owned()),
        (None, Some(_)) => Choice::Any,
        (None, None) => Choice::Auto,
    }
}

fn blocks_of(body: &Value) -> impl Iterator<Item = &Value> {
    let messages = list(body, "messages").iter();
    messages.flat_map(|message| list(message, "content"))
}

fn read(block: &Value, ask: &mut Ask) {
    if let Some(result) = block.get("toolResult") {
        let mut inner = Ask::default();
        list(result, "content")
            .iter()
            .for_each(|block| read(block, &mut inner));
        inner.said.extend(inner.sights);
        ask.results.push(inner.said.join(" "));
    }
    let guarded = block
        .pointer("/guardContent/text/text")
        .and_then(Value::as_str);
    if let Some(text) = field(block, "text").or(guarded) {
        ask.said.push(text.to_owned());
    }
    if let Some(json) = block.get("json") {
        ask.said.push(json.to_string());
    }
    for kind in ["image", "document", "video", "audio"] {
        if let Some(file) = block.get(kind) {
            let bytes = file.pointer("/source/bytes").and_then(Value::as_str);
            let format = field(file, "format").unwrap_or("file");
            ask.see(&format!("{kind}/{format}"), bytes.unwrap_or_default());
        }
    }
}
