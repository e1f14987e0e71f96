//! The top level of the request body.

use serde_json::Value;

use super::content::{self, Place};
use super::generation::Generation;
use super::node::{Check, Node};
use super::{parameters, thinking, tools, turns};
use crate::catalog::Model;
use crate::error::AwsError;
use crate::family::field;

/// Everything Bedrock takes. `model` and `stream` are in the path.
const KEYS: [&str; 18] = [
    "amazon-bedrock-guardrailConfig",
    "anthropic_beta",
    "anthropic_version",
    "compaction",
    "context_management",
    "max_tokens",
    "messages",
    "metadata",
    "output_config",
    "safeguards",
    "stop_sequences",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
];
const VERSION: &str = "bedrock-2023-05-31";
const MAX_CACHE_POINTS: usize = 4;

pub(super) fn validate(model: &Model, body: &Value) -> Check {
    let body = Node::root(body);
    if body.value.as_object().is_none() {
        return Err(AwsError::validation(
            "Malformed input request, please reformat your input and try again.",
        ));
    }
    let generation = Generation::of(&model.id);
    body.only(&KEYS)?;
    check_version(&body)?;
    parameters::check_betas(&body)?;
    parameters::check_beta_fields(&body)?;
    check_max_tokens(&body, model, generation)?;
    check_messages(&body, generation)?;
    check_system(&body)?;
    tools::check(&body, generation)?;
    parameters::check(&body, generation)?;
    thinking::check_history(&body)?;
    check_cache_points(&body, generation)
}

fn check_version(body: &Node<'_>) -> Check {
    let version = body.require("anthropic_version")?;
    match version.value.as_str() {
        Some(VERSION) => Ok(()),
        _ => Err(version.refuse(&format!("Input should be '{VERSION}'"))),
    }
}

fn check_max_tokens(body: &Node<'_>, model: &Model, generation: Generation<'_>) -> Check {
    let node = body.require("max_tokens")?;
    let asked = node.integer()?;
    if asked < 1 {
        return Err(node.refuse("Input should be greater than or equal to 1"));
    }
    if u64::try_from(asked).is_ok_and(|asked| asked > model.max_tokens) {
        return Err(node.refuse(&format!(
            "{asked} > {}, which is the maximum allowed number of output tokens for {}",
            model.max_tokens,
            generation.public_name()
        )));
    }
    Ok(())
}

fn check_messages(body: &Node<'_>, generation: Generation<'_>) -> Check {
    let messages = body.require("messages")?;
    let items = messages.items()?;
    let Some(last) = items.len().checked_sub(1) else {
        return Err(messages.refuse("at least one message is required"));
    };
    for (index, message) in items.iter().enumerate() {
        message.only(&["role", "content"])?;
        let role = message.require("role")?;
        let place = match role.text()? {
            "user" => Place::User,
            "assistant" => Place::Assistant,
            "system" if generation.takes_system_role() => Place::System,
            "system" => {
                let text = "role 'system' is not supported on this model";
                return Err(AwsError::validation(text));
            }
            _ => return Err(role.refuse("Input should be 'user' or 'assistant'")),
        };
        if index == 0 && place == Place::System {
            return Err(messages.refuse(
                "messages.0: use the top-level 'system' parameter for the initial system prompt",
            ));
        }
        if index == 0 && place != Place::User {
            return Err(messages.refuse("first message must use the \"user\" role"));
        }
        content::check_message(message, place)?;
        if index == last && place == Place::Assistant {
            check_prefill(&messages, message, generation)?;
        }
    }
    turns::check(&messages)
}

fn check_prefill(messages: &Node<'_>, last: &Node<'_>, generation: Generation<'_>) -> Check {
    if !generation.takes_prefill() {
        return Err(AwsError::validation(
            "This model does not support assistant message prefill. The conversation must end with a user message.",
        ));
    }
    let content = last.require("content")?;
    let last_block = content.value.as_array().and_then(|blocks| blocks.last());
    let text = last_block.map_or(content.value.as_str(), |block| {
        block.get("text").and_then(Value::as_str)
    });
    if text.is_some_and(|text| text.ends_with(char::is_whitespace)) {
        return Err(messages.refuse("final assistant content cannot end with trailing whitespace"));
    }
    Ok(())
}

fn check_system(body: &Node<'_>) -> Check {
    let Some(system) = body.get("system") else {
        return Ok(());
    };
    if let Some(text) = system.value.as_str() {
        return content::check_text(text, "system");
    }
    for block in system.items()? {
        block.tag(&["text"])?;
        content::check_block(&block, Place::System)?;
    }
    Ok(())
}

fn check_cache_points(body: &Node<'_>, generation: Generation<'_>) -> Check {
    if !generation.takes_cache_ttl() {
        check_no_ttl(body)?;
    }
    check_cache_order(body.value)?;
    match count_cache_points(body.value) {
        count if count > MAX_CACHE_POINTS => Err(AwsError::validation(format!(
            "A maximum of {MAX_CACHE_POINTS} blocks with cache_control may be provided. Found {count}."
        ))),
        _ => Ok(()),
    }
}

/// Older models know of no lifetimes: <https://github.com/anthropics/claude-code/issues/12122>.
fn check_no_ttl(body: &Node<'_>) -> Check {
    for name in ["tools", "system", "messages"] {
        let place = find_ttl(body.value.get(name).unwrap_or(&Value::Null), name);
        if let Some(place) = place {
            return Err(AwsError::validation(format!(
                "{place}.cache_control.ephemeral.ttl: Extra inputs are not permitted"
            )));
        }
    }
    Ok(())
}

fn find_ttl(value: &Value, place: &str) -> Option<String> {
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| find_ttl(item, &format!("{place}.{index}"))),
        Value::Object(fields) => {
            let content = fields.get("content");
            let inside = content.and_then(|own| find_ttl(own, &format!("{place}.content")));
            let control = fields.get("cache_control");
            let own = control
                .and_then(|own| own.get("ttl"))
                .map(|_| place.to_owned());
            inside.or(own)
        }
        _ => None,
    }
}

/// Tools come first, then the system texts, then the messages: a mark for an hour must not follow one for
/// five minutes.
fn check_cache_order(body: &Value) -> Check {
    let mut lifetimes = Vec::new();
    for name in ["tools", "system", "messages"] {
        collect_lifetimes(body.get(name).unwrap_or(&Value::Null), &mut lifetimes);
    }
    match lifetimes.windows(2).any(|pair| pair == ["5m", "1h"]) {
        true => Err(AwsError::validation(
            "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: `tools`, `system`, `messages`.",
        )),
        false => Ok(()),
    }
}

fn collect_lifetimes<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Array(items) => {
            for item in items {
                collect_lifetimes(item, found);
            }
        }
        Value::Object(fields) => {
            if let Some(content) = fields.get("content") {
                collect_lifetimes(content, found);
            }
            if let Some(control) = fields.get("cache_control") {
                found.push(field(control, "ttl").unwrap_or("5m"));
            }
        }
        _ => {}
    }
}

/// Schemas and tool inputs are the client's own JSON: a property with that name in them is not a
/// breakpoint.
fn count_cache_points(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(count_cache_points).sum(),
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "input" | "input_schema"))
            .map(|(name, value)| usize::from(name == "cache_control") + count_cache_points(value))
            .sum(),
        _ => 0,
    }
}
