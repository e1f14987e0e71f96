//! Tool definitions, `tool_choice` and `tool_use` blocks.

use std::collections::BTreeSet;

use serde_json::Value;

use super::generation::Generation;
use super::node::{Check, Node};
use super::structure;
use crate::error::AwsError;
use crate::family::{field, list};

const MAX_NAME: usize = 64;

/// `tools` and `tool_choice` of a request.
pub(super) fn check(body: &Node<'_>, generation: Generation<'_>) -> Check {
    let tools = body.get("tools").map(|tools| tools.items()).transpose()?;
    let mut names = BTreeSet::new();
    for tool in tools.iter().flatten() {
        if !names.insert(check_any(body, tool, generation)?) {
            return Err(AwsError::validation("tools: Tool names must be unique."));
        }
    }
    if names.is_empty() && generation.needs_tools_for_history() && uses_tools(body.value) {
        return Err(AwsError::validation(
            "Requests which include `tool_use` or `tool_result` blocks must define tools.",
        ));
    }
    match body.get("tool_choice") {
        None => Ok(()),
        Some(_) if names.is_empty() => Err(AwsError::validation(
            "tool_choice: tool_choice may only be specified while providing tools.",
        )),
        Some(choice) => check_choice(&choice, &names, generation),
    }
}

/// Whether earlier turns have calls or their results.
fn uses_tools(body: &Value) -> bool {
    let messages = list(body, "messages").iter();
    let mut blocks = messages.flat_map(|message| list(message, "content"));
    blocks.any(|block| matches!(field(block, "type"), Some("tool_use" | "tool_result")))
}

/// Tools that a model was made for, by the beginnings of their types, and their betas.
///
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-tool-use.html>
const KNOWN: [(&str, Option<&str>); 8] = [
    ("bash_20241022", Some("computer-use-2024-10-22")),
    ("bash_2025", None),
    ("computer_20241022", Some("computer-use-2024-10-22")),
    ("computer_20250124", Some("computer-use-2025-01-24")),
    ("computer_20251124", Some("computer-use-2025-11-24")),
    ("text_editor_20241022", Some("computer-use-2024-10-22")),
    ("text_editor_2025", None),
    ("tool_search_tool_", Some("tool-search-tool-2025-10-19")),
];

/// A tool with a schema, or one of those that a model was made for.
fn check_any<'a>(
    body: &Node<'_>,
    tool: &Node<'a>,
    generation: Generation<'_>,
) -> Result<&'a str, AwsError> {
    let kind = match tool.get("type") {
        Some(kind) if kind.text()? != "custom" => kind.text()?,
        _ => return check_definition(tool, generation),
    };
    let known = KNOWN.iter().find(|(start, _)| kind.starts_with(start));
    let is_search = kind.starts_with("tool_search_tool_");
    let has_beta = known
        .is_some_and(|(_, beta)| beta.is_none_or(|beta| super::parameters::has_beta(body, beta)));
    match has_beta && (!is_search || generation.searches_tools()) {
        // <https://github.com/BerriAI/litellm> has these words for any other.
        false => Err(AwsError::validation("The provided request is not valid")),
        true => check_name(&tool.require("name")?),
    }
}

fn check_definition<'a>(tool: &Node<'a>, generation: Generation<'_>) -> Result<&'a str, AwsError> {
    let tool = tool.tagged("custom");
    tool.only(&[
        "cache_control",
        "defer_loading",
        "description",
        "input_schema",
        "name",
        "strict",
        "type",
    ])?;
    if tool.get("strict").is_some() && !generation.takes_strict_tools() {
        return Err(tool
            .tagged("strict")
            .refuse("Extra inputs are not permitted"));
    }
    if tool.get("type").is_some() {
        tool.tag(&["custom"])?;
    }
    if let Some(description) = tool.get("description") {
        description.text()?;
    }
    let schema = tool.require("input_schema")?;
    schema.object()?;
    let kind = schema.require("type")?;
    if kind.value != "object" {
        return Err(kind.refuse("Input should be 'object'"));
    }
    let combinators = ["allOf", "anyOf", "oneOf"];
    if combinators.iter().any(|name| schema.get(name).is_some()) {
        return Err(
            schema.refuse("input_schema does not support oneOf, allOf, or anyOf at the top level")
        );
    }
    if tool.value.get("strict") == Some(&Value::Bool(true))
        && let Some(text) = structure::fault(schema.value)
    {
        return Err(schema.refuse(&text));
    }
    check_name(&tool.require("name")?)
}

fn check_choice(choice: &Node<'_>, names: &BTreeSet<&str>, generation: Generation<'_>) -> Check {
    let kind = choice.tag(&["any", "auto", "none", "tool"])?;
    let node = choice.tagged(kind);
    node.only(match kind {
        "none" => &["type"],
        "tool" => &["type", "name", "disable_parallel_tool_use"],
        _ => &["type", "disable_parallel_tool_use"],
    })?;
    if let Some(flag) = node.get("disable_parallel_tool_use") {
        flag.boolean()?;
    }
    if kind == "tool" {
        let name = check_name(&node.require("name")?)?;
        if !names.contains(name) {
            let text = format!("tool_choice: Tool '{name}' not found in provided tools");
            return Err(AwsError::validation(text));
        }
    }
    match kind {
        "any" | "tool" if generation.refuses_forced_tools() => Err(AwsError::validation(
            "tool_choice: forced tool use is not supported for this model",
        )),
        _ => Ok(()),
    }
}

/// A `tool_use` block in the history.
pub(super) fn check_use(block: &Node<'_>) -> Check {
    block.only(&["type", "id", "name", "input", "cache_control"])?;
    check_id(&block.require("id")?)?;
    check_name(&block.require("name")?)?;
    let input = block.require("input")?;
    match input.value.is_object() {
        true => Ok(()),
        false => Err(input.refuse("Input should be a valid dictionary")),
    }
}

/// The id of a tool call.
pub(super) fn check_id(id: &Node<'_>) -> Check {
    match is_token(id.text()?) {
        true => Ok(()),
        false => Err(id.refuse("String should match pattern '^[a-zA-Z0-9_-]+$'")),
    }
}

fn check_name<'a>(name: &Node<'a>) -> Result<&'a str, AwsError> {
    let text = name.text()?;
    match is_token(text) && text.len() <= MAX_NAME {
        true => Ok(text),
        false => Err(name.refuse("String should match pattern '^[a-zA-Z0-9_-]{1,64}$'")),
    }
}

fn is_token(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    !text.is_empty() && text.bytes().all(fits)
}
