//! What a model supports of Converse.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html>

use serde_json::Value;

use super::Converse;
use crate::catalog::Model;
use crate::controls::is_metadata;
use crate::error::AwsError;
use crate::family::claude::{schema_fault, takes_system_role};
use crate::family::openai::Quirks;
use crate::family::{Family, field, list, number};

type Check = Result<(), AwsError>;

/// `system` in the middle of a conversation is only for the newest models.
pub(super) fn check_roles(model: &Model, body: &Value) -> Check {
    let messages = list(body, "messages").iter();
    let system = messages
        .filter(|m| field(m, "role") == Some("system"))
        .count();
    match system > 0 && !(model.family == Family::Claude && takes_system_role(&model.id)) {
        true => Err(AwsError::validation(
            "This model doesn't support the system role in messages. Use the system field and try again.",
        )),
        false => Ok(()),
    }
}

pub(super) fn check(model: &Model, body: &Value, operation: Converse) -> Check {
    check_system(model, body)?;
    check_limits(model, body)?;
    check_tools(model, body, operation)?;
    check_reasoning(model, body)?;
    check_output(model, body)?;
    check_controls(body)
}

/// Mistral's small early models have no system prompt.
fn check_system(model: &Model, body: &Value) -> Check {
    let lacks = ["mistral.mistral-7b", "mistral.mixtral"];
    let lacks = lacks.iter().any(|prefix| model.id.starts_with(prefix));
    match lacks && !list(body, "system").is_empty() {
        true => Err(AwsError::validation(
            "This model doesn't support system messages. Try again without system messages or use a model that supports system messages.",
        )),
        false => Ok(()),
    }
}

fn check_limits(model: &Model, body: &Value) -> Check {
    let limits = body.get("inferenceConfig").unwrap_or(&Value::Null);
    if number(limits, "maxTokens").is_some_and(|asked| asked > model.max_tokens) {
        return Err(AwsError::validation(format!(
            "The maximum tokens you requested exceeds the model limit of {}. Try again with a maximum tokens value that is lower than {}.",
            model.max_tokens, model.max_tokens
        )));
    }
    if model.family != Family::OpenAi {
        return Ok(());
    }
    let quirks = Quirks::of(&model.id);
    let sent = |name: &str| limits.get(name).is_some();
    if !list(limits, "stopSequences").is_empty() && quirks.refuses_stop_on_converse() {
        return Err(unsupported("stopSequences"));
    }
    let sampling = ["temperature", "topP"].iter().find(|name| sent(name));
    match sampling {
        Some(name) if quirks.refuses_sampling_on_converse() => Err(unsupported(name)),
        _ => Ok(()),
    }
}

fn check_tools(model: &Model, body: &Value, operation: Converse) -> Check {
    let Some(config) = body.get("toolConfig") else {
        return Ok(());
    };
    if !model.can("tools") {
        return Err(AwsError::validation("This model doesn't support tool use."));
    }
    if operation == Converse::Stream && !streams_tools(model) {
        return Err(AwsError::validation(
            "This model doesn't support tool use in streaming mode.",
        ));
    }
    let tools = list(config, "tools");
    let names = || {
        tools
            .iter()
            .filter_map(|tool| field(tool.get("toolSpec")?, "name"))
    };
    let distinct: std::collections::BTreeSet<&str> = names().collect();
    if distinct.len() < names().count() {
        return Err(AwsError::validation(
            "toolConfig.tools: Tool names must be unique.",
        ));
    }
    check_system_tools(model, tools)?;
    check_strict_tools(tools)?;
    let Some(choice) = config.get("toolChoice") else {
        return Ok(());
    };
    if let Some(kind) = ["auto", "any", "tool"]
        .iter()
        .find(|kind| choice.get(**kind).is_some())
        && !choices(model).contains(kind)
    {
        return Err(AwsError::validation(format!(
            "This model doesn't support the toolConfig.toolChoice.{kind} field. Remove toolConfig.toolChoice.{kind} and try again."
        )));
    }
    let named = choice.get("tool").and_then(|tool| field(tool, "name"));
    match named.is_some_and(|name| !distinct.contains(name)) {
        true => Err(AwsError::validation(
            "toolConfig.toolChoice.tool names a tool that is not in toolConfig.tools.",
        )),
        false => Ok(()),
    }
}

/// The column "Streaming tool use" of AWS's table.
fn streams_tools(model: &Model) -> bool {
    let families = [
        Family::Llama2,
        Family::Llama3,
        Family::Llama4,
        Family::MistralChat,
        Family::MistralPrompt,
    ];
    !families.contains(&model.family) && !model.id.starts_with("writer.")
}

/// Strict tools are held to their schemas like answers.
fn check_strict_tools(tools: &[Value]) -> Check {
    let specs = tools.iter().filter_map(|tool| tool.get("toolSpec"));
    let strict = specs.filter(|spec| spec.get("strict") == Some(&Value::Bool(true)));
    let mut schemas = strict.filter_map(|spec| spec.pointer("/inputSchema/json"));
    schemas.find_map(schema_fault).map_or(Ok(()), |text| {
        let text = format!("toolConfig.tools: {text}");
        Err(AwsError::validation(text))
    })
}

/// Nova 2 has built-in tools.
fn check_system_tools(model: &Model, tools: &[Value]) -> Check {
    let system = tools.iter().any(|tool| tool.get("systemTool").is_some());
    match system && !model.id.contains("nova-2") {
        true => Err(unsupported("toolConfig.tools.systemTool")),
        false => Ok(()),
    }
}

/// The choices a model takes.
fn choices(model: &Model) -> &'static [&'static str] {
    match model.family {
        Family::Claude | Family::Nova => &["auto", "any", "tool"],
        Family::MistralPrompt | Family::MistralChat => &["auto", "any"],
        Family::OpenAi if Quirks::of(&model.id).refuses_required() => &["auto", "tool"],
        Family::OpenAi => &["auto", "any", "tool"],
        _ => &[],
    }
}

/// Only Claude and Nova take their reasoning back.
fn check_reasoning(model: &Model, body: &Value) -> Check {
    let messages = list(body, "messages").iter();
    let mut blocks = messages.flat_map(|message| list(message, "content"));
    let takes = matches!(model.family, Family::Claude) || model.id.contains("nova-2");
    match !takes && blocks.any(|block| block.get("reasoningContent").is_some()) {
        true => Err(unsupported("reasoningContent")),
        false => Ok(()),
    }
}

fn check_output(model: &Model, body: &Value) -> Check {
    let Some(output) = body.get("outputConfig") else {
        return Ok(());
    };
    // Claude's own rules follow, on the translated body.
    if model.family == Family::Claude {
        return schema_of(body).map(drop);
    }
    if output.get("effort").is_some() {
        return Err(unsupported("outputConfig.effort"));
    }
    if output.get("textFormat").is_some() && !model.can("schema") {
        return Err(unsupported("outputConfig.textFormat"));
    }
    schema_of(body).map(drop)
}

/// The schema of `textFormat`, which comes as a string.
pub(super) fn schema_of(body: &Value) -> Result<Option<Value>, AwsError> {
    let Some(text) = body.pointer("/outputConfig/textFormat/structure/jsonSchema/schema") else {
        return Ok(None);
    };
    let schema: Option<Value> = serde_json::from_str(text.as_str().unwrap_or_default()).ok();
    match schema.filter(Value::is_object) {
        Some(schema) => match schema_fault(&schema) {
            Some(text) => Err(AwsError::validation(format!(
                "outputConfig.textFormat.structure.jsonSchema.schema: {text}"
            ))),
            None => Ok(Some(schema)),
        },
        None => Err(AwsError::validation(
            "outputConfig.textFormat.structure.jsonSchema.schema is not a valid JSON schema.",
        )),
    }
}

fn check_controls(body: &Value) -> Check {
    let guardrail = body.get("guardrailConfig").unwrap_or(&Value::Null);
    let sent =
        ["guardrailIdentifier", "guardrailVersion"].map(|name| guardrail.get(name).is_some());
    if guardrail.is_object() && sent != [true, true] {
        return Err(AwsError::validation(
            "Guardrail identifier and version must be provided together.",
        ));
    }
    if let Some(pairs) = body.get("requestMetadata").and_then(Value::as_object)
        && !is_metadata(pairs)
    {
        return Err(AwsError::validation(
            "The request metadata provided in the request is invalid.",
        ));
    }
    // A JSON pointer is empty or starts with a slash.
    let paths = list(body, "additionalModelResponseFieldPaths").iter();
    match paths
        .filter_map(Value::as_str)
        .any(|path| !path.starts_with('/'))
    {
        true => Err(AwsError::validation(
            "additionalModelResponseFieldPaths: not a valid JSON pointer.",
        )),
        false => Ok(()),
    }
}

fn unsupported(what: &str) -> AwsError {
    AwsError::validation(format!(
        "This model doesn't support the {what} field. Remove {what} and try again."
    ))
}
