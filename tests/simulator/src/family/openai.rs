//! Models whose body is that of OpenAI's Chat Completions.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html>

mod answer;
mod messages;
mod quirks;
mod shape;

pub(crate) use self::answer::{chunks, tool_calls};
use self::messages::read;
pub(crate) use self::messages::{Content, Rules, check as check_messages};
pub(crate) use self::quirks::Quirks;
pub(crate) use self::shape::{TOOL, TOOL_CALL};

use serde_json::Value;

use super::ask::{Ask, Calls, Choice, Format, Tool, count_fields, strings};
use super::{Answer, Dialect, Overrides, field, list, number};
use crate::catalog::Model;
use crate::error::AwsError;

pub(crate) struct OpenAi;

impl Dialect for OpenAi {
    fn validate(&self, model: &Model, body: &Value) -> Result<(), AwsError> {
        let quirks = Quirks::of(&model.id);
        shape::BODY.check_invoke(body)?;
        quirks.check(model, body)?;
        check_messages(body, &quirks.rules(model))?;
        check_choice(body)
    }

    fn answer(&self, model: &Model, body: &Value, overrides: &Overrides) -> Answer {
        let quirks = Quirks::of(&model.id);
        let mut ask = ask(body);
        ask.thinking = quirks.thinking(body);
        answer::answer(&ask.reply(overrides), model, quirks)
    }
}

/// Reads a validated body. Thinking is left to the caller.
pub(crate) fn ask(body: &Value) -> Ask {
    let mut ask = Ask {
        tools: list(body, "tools").iter().filter_map(tool).collect(),
        choice: choice(body.get("tool_choice").unwrap_or(&Value::Null)),
        calls_at_once: match body.get("parallel_tool_calls") {
            Some(Value::Bool(false)) => Calls::One,
            _ => Calls::Many,
        },
        max_tokens: number(body, "max_completion_tokens").or_else(|| number(body, "max_tokens")),
        stops: strings(body, "stop"),
        format: format(body.get("response_format").unwrap_or(&Value::Null)),
        input_tokens: count_fields(body, &["messages", "tools"]),
        ..Ask::default()
    };
    read(list(body, "messages"), &mut ask);
    ask
}

fn tool(tool: &Value) -> Option<Tool> {
    let function = tool.get("function")?;
    Some(Tool {
        name: field(function, "name")?.to_owned(),
        schema: function.get("parameters").cloned().unwrap_or_default(),
    })
}

fn choice(choice: &Value) -> Choice {
    let named = choice.pointer("/function/name").and_then(Value::as_str);
    match (named, choice.as_str()) {
        (Some(name), _) => Choice::Named(name.to_owned()),
        (None, Some("required" | "any")) => Choice::Any,
        (None, Some("none")) => Choice::None,
        _ => Choice::Auto,
    }
}

fn format(format: &Value) -> Format {
    match field(format, "type") {
        Some("json_object") => Format::Json,
        Some("json_schema") => {
            let schema = format.pointer("/json_schema/schema");
            schema.map_or(Format::Json, |schema| Format::Schema(schema.clone()))
        }
        _ => Format::Text,
    }
}

/// A choice needs tools, and a named one needs its tool.
pub(crate) fn check_choice(body: &Value) -> Result<(), AwsError> {
    let Some(sent) = body.get("tool_choice") else {
        return Ok(());
    };
    let tools: Vec<Tool> = list(body, "tools").iter().filter_map(tool).collect();
    let text = match choice(sent) {
        Choice::None => return Ok(()),
        _ if tools.is_empty() => "When using `tool_choice`, `tools` must be set.".to_owned(),
        Choice::Named(name) if !tools.iter().any(|tool| tool.name == name) => {
            format!("Tool choice '{name}' not found in 'tools' parameter")
        }
        _ => return Ok(()),
    };
    Err(AwsError::validation(text))
}
