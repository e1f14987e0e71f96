//! Converse for Claude: converts the request to a Messages body, which Claude's own rules
//! then check, as AWS does.

mod blocks;

use serde_json::{Map, Value, json};

use super::support::schema_of;
use crate::catalog::Model;
use crate::error::AwsError;
use crate::family::{claude, field, list, number};

/// Keys of `additionalModelRequestFields`; the others have a field of their
/// own, or none.
const ADDITIONAL: [&str; 7] = [
    "anthropic_beta",
    "context_management",
    "metadata",
    "output_config",
    "thinking",
    "tool_choice",
    "top_k",
];

/// Refuses what Claude refuses.
pub(super) fn validate(model: &Model, body: &Value) -> Result<(), AwsError> {
    claude::validate(model, &messages_body(model, body)?)
}

/// The request as a body of `InvokeModel`.
pub(super) fn messages_body(model: &Model, body: &Value) -> Result<Value, AwsError> {
    let mut out = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            out.insert(name.to_owned(), value);
        }
    };
    let limits = body.get("inferenceConfig").unwrap_or(&Value::Null);
    let max_tokens = number(limits, "maxTokens").unwrap_or(model.max_tokens);
    set("anthropic_version", Some(json!("bedrock-2023-05-31")));
    set("max_tokens", Some(json!(max_tokens)));
    set("temperature", limits.get("temperature").cloned());
    set("top_p", limits.get("topP").cloned());
    let stops = limits
        .get("stopSequences")
        .filter(|_| !list(limits, "stopSequences").is_empty());
    set("stop_sequences", stops.cloned());
    set("messages", Some(messages(body)));
    let system = blocks::translate(list(body, "system"));
    set("system", Some(json!(system)).filter(|_| !system.is_empty()));
    let config = body.get("toolConfig").unwrap_or(&Value::Null);
    let tools = blocks::tools(list(config, "tools"));
    set("tools", Some(json!(tools)).filter(|_| !tools.is_empty()));
    set("tool_choice", config.get("toolChoice").map(choice));
    let output = output(body)?;
    set(
        "output_config",
        Some(json!(output)).filter(|_| !output.is_empty()),
    );
    add(&mut out, body)?;
    Ok(Value::Object(out))
}

fn messages(body: &Value) -> Value {
    let message = |message: &Value| {
        let content = blocks::translate(list(message, "content"));
        json!({"role": field(message, "role"), "content": content})
    };
    list(body, "messages").iter().map(message).collect()
}

fn choice(choice: &Value) -> Value {
    match choice.get("tool") {
        Some(tool) => json!({"type": "tool", "name": field(tool, "name")}),
        None if choice.get("any").is_some() => json!({"type": "any"}),
        None => json!({"type": "auto"}),
    }
}

fn output(body: &Value) -> Result<Map<String, Value>, AwsError> {
    let mut output = Map::new();
    if let Some(effort) = body.pointer("/outputConfig/effort") {
        output.insert("effort".to_owned(), effort.clone());
    }
    if let Some(schema) = schema_of(body)? {
        let format = json!({"type": "json_schema", "schema": schema});
        output.insert("format".to_owned(), format);
    }
    Ok(output)
}

/// Adds the model's own fields; objects are merged, a clash is refused.
fn add(out: &mut Map<String, Value>, body: &Value) -> Result<(), AwsError> {
    let additional = body.get("additionalModelRequestFields");
    for (name, value) in additional.and_then(Value::as_object).into_iter().flatten() {
        if !ADDITIONAL.contains(&name.as_str()) {
            let text = format!("{name}: Extra inputs are not permitted");
            return Err(AwsError::validation(text));
        }
        match (
            out.get_mut(name).and_then(Value::as_object_mut),
            value.as_object(),
        ) {
            (Some(there), Some(more)) => {
                if let Some(twice) = more.keys().find(|key| there.contains_key(*key)) {
                    let text = format!("{name}.{twice} must not be set twice.");
                    return Err(AwsError::validation(text));
                }
                there.extend(more.clone());
            }
            _ => drop(out.insert(name.clone(), value.clone())),
        }
    }
    Ok(())
}
