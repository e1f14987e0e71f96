//! `output_config`: effort, and answers that fit a JSON schema.
//!
//! <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>

use serde_json::Value;

use super::generation::Generation;
use super::node::{Check, Node};
use crate::error::AwsError;
use crate::family::field;

/// Keywords that the grammar compiler does not know.
const UNSUPPORTED: [&str; 13] = [
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "uniqueItems",
];

pub(super) fn check(body: &Node<'_>, generation: Generation<'_>) -> Check {
    let Some(output) = body.get("output_config") else {
        return Ok(());
    };
    output.only(&["effort", "format"])?;
    if let Some(effort) = output.get("effort") {
        check_effort(body, &effort, generation)?;
    }
    match output.get("format") {
        Some(format) if generation.takes_output_format() => check_format(&format),
        Some(format) => Err(format.refuse("Extra inputs are not permitted")),
        None => Ok(()),
    }
}

fn check_effort(body: &Node<'_>, effort: &Node<'_>, generation: Generation<'_>) -> Check {
    let known = generation.efforts();
    if !["low", "medium", "high", "xhigh", "max"].contains(&effort.text()?) {
        return Err(effort.refuse("Input should be 'low', 'medium', 'high', 'xhigh' or 'max'"));
    }
    if known.is_empty() {
        let text = "This model does not support the effort parameter.";
        return Err(AwsError::validation(text));
    }
    let thinking = body.value.pointer("/thinking/type").and_then(Value::as_str);
    let capped = thinking == Some("disabled") && matches!(effort.text()?, "xhigh" | "max");
    match known.contains(&effort.text()?) && !capped {
        true => Ok(()),
        false => Err(AwsError::validation(format!(
            "This model does not support effort level '{}'.",
            effort.text()?
        ))),
    }
}

fn check_format(format: &Node<'_>) -> Check {
    format.tag(&["json_schema"])?;
    format.only(&["type", "schema"])?;
    let schema = format.require("schema")?;
    schema.object()?;
    match fault(schema.value) {
        Some(text) => Err(schema.refuse(&text)),
        None => Ok(()),
    }
}

/// What the compiler does not accept, anywhere in a schema. The same compiler holds every model's answers
/// to schemas.
pub(crate) fn fault(schema: &Value) -> Option<String> {
    let fields = schema.as_object()?;
    let kind = field(schema, "type").unwrap_or("any");
    if kind == "object" && schema.get("additionalProperties") != Some(&Value::Bool(false)) {
        return Some(
            "For 'object' type, 'additionalProperties' must be explicitly set to false".to_owned(),
        );
    }
    if let Some(keyword) = UNSUPPORTED.iter().find(|name| fields.contains_key(**name)) {
        return Some(format!(
            "For '{kind}' type, property '{keyword}' is not supported"
        ));
    }
    let maps = ["properties", "$defs", "definitions"];
    let named = maps
        .iter()
        .filter_map(|name| schema.get(*name)?.as_object());
    let lists = ["anyOf", "allOf", "oneOf"];
    let listed = lists
        .iter()
        .filter_map(|name| schema.get(*name)?.as_array());
    named
        .flat_map(|map| map.values())
        .chain(listed.flatten())
        .chain(schema.get("items"))
        .find_map(fault)
}
