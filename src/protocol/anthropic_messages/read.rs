//! From a Messages request to the chat vocabulary.

use http::StatusCode;
use serde_json::value::RawValue;

use super::blocks;
use super::request::{self as wire, Choice, ThinkingKind};
use crate::chat::{
    Asked, Error, ErrorKind, JsonSchema, OutputFormat, Param, Reasoning, Request, Sampling,
    Thinking, ThinkingMode, Tool, ToolChoice,
};
use crate::json::reason;

/// Reads a request.
///
/// # Errors
///
/// A 400 that says what is wrong, and where.
pub(super) fn read(body: &[u8]) -> Result<Box<Request<'_>>, Error> {
    let invalid = |message| Error::new(StatusCode::BAD_REQUEST, ErrorKind::InvalidRequest, message);
    // One reader that knows where it is, not a fast one beside it: each costs its size in the module.
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let request = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|located| invalid(fault(&located)))?;
    deserializer
        .end()
        .map_err(|fault| invalid(fault.to_string()))?;
    convert(request, body).map(Box::new)
}

/// What is wrong, in Anthropic's words where it has some.
fn fault(located: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let path = located.path().to_string();
    let path = path.replace('[', ".").replace(']', "");
    let at_top = path == ".";
    let reason = match located.inner() {
        fault if fault.is_data() => reason(fault),
        fault => return fault.to_string(),
    };
    let quoted = reason.split('`').nth(1).unwrap_or_default();
    if reason.starts_with("missing field ") {
        let parent = if at_top { String::new() } else { path + "." };
        return format!("{parent}{quoted}: Field required");
    }
    if reason.starts_with("unknown field ") {
        return format!("{path}: Extra inputs are not permitted");
    }
    if at_top {
        reason
    } else {
        format!("{path}: {reason}")
    }
}

fn convert<'a>(request: wire::Request<'a>, source: &'a [u8]) -> Result<Request<'a>, Error> {
    let asked = asked(&request);
    if request.max_tokens == 0 {
        return Err(Error::invalid("max_tokens", "must be at least 1"));
    }
    if request.messages.is_empty() {
        return Err(Error::invalid(
            "messages",
            "at least one message is required",
        ));
    }
    let one_at_a_time = request
        .tool_choice
        .as_ref()
        .and_then(|choice| choice.disable_parallel_tool_use);
    let mut tools = Vec::with_capacity(request.tools.len());
    for (index, own) in request.tools.into_iter().enumerate() {
        tools.push(tool(own, index)?);
    }
    let output_config = request.output_config;
    let (effort, format) = output_config.map_or((None, None), |own| (own.effort, own.format));
    Ok(Request {
        model: request.model,
        messages: blocks::messages(request.system, request.messages)?,
        tools,
        tool_choice: tool_choice(request.tool_choice)?,
        allowed_tools: None,
        parallel_tool_calls: one_at_a_time != Some(true),
        output: output(format)?,
        max_output: Some(request.max_tokens),
        sampling: Sampling {
            temperature: request.temperature,
            top_p: request.top_p,
            top_k: request.top_k,
            ..Sampling::default()
        },
        stop: request.stop_sequences,
        reasoning: Reasoning {
            effort,
            thinking: request.thinking.map(thinking),
        },
        stream: request.stream.unwrap_or(false),
        user: request.metadata.and_then(|metadata| metadata.user_id),
        service_tier: match request.service_tier.as_deref() {
            Some("standard_only") => Some("default".into()),
            Some("auto") | None => None,
            Some(_) => {
                let message = "must be 'auto' or 'standard_only'";
                return Err(Error::invalid("service_tier", message));
            }
        },
        asked,
        source,
        ..Request::default()
    })
}

/// The parameters with which a request asks for something.
fn asked(request: &wire::Request<'_>) -> Vec<Asked> {
    let config = request.output_config.as_ref();
    let choice = request.tool_choice.as_ref().map(|choice| choice.kind);
    let all = [
        ("max_tokens", Param::MaxOutput, true),
        ("messages", Param::Messages, true),
        ("metadata", Param::User, request.metadata.is_some()),
        ("model", Param::Model, true),
        (
            "output_config.effort",
            Param::Effort,
            config.is_some_and(|config| config.effort.is_some()),
        ),
        (
            "output_config.format",
            Param::OutputFormat,
            config.is_some_and(|config| config.format.is_some()),
        ),
        (
            "service_tier",
            Param::ServiceTier,
            request.service_tier.is_some(),
        ),
        (
            "stop_sequences",
            Param::Stop,
            !request.stop_sequences.is_empty(),
        ),
        ("stream", Param::Stream, request.stream.is_some()),
        (
            "temperature",
            Param::Temperature,
            request.temperature.is_some(),
        ),
        ("thinking", Param::Thinking, request.thinking.is_some()),
        (
            "tool_choice",
            Param::ToolChoice,
            matches!(choice, Some(Choice::Any | Choice::Tool)),
        ),
        ("tools", Param::Tools, !request.tools.is_empty()),
        ("top_k", Param::TopK, request.top_k.is_some()),
        ("top_p", Param::TopP, request.top_p.is_some()),
    ];
    let set = all.into_iter().filter(|(.., is_set)| *is_set);
    set.map(|(name, param, _)| Asked { param, name }).collect()
}

/// The API's name for a parameter.
pub(super) fn name(param: Param) -> &'static str {
    match param {
        Param::Stop => "stop_sequences",
        Param::Effort => "output_config.effort",
        Param::OutputFormat => "output_config.format",
        Param::User => "metadata",
        other => other.name(),
    }
}

fn tool(tool: wire::Tool<'_>, index: usize) -> Result<Tool<'_>, Error> {
    if let Some(kind) = tool.kind.filter(|kind| &**kind != "custom") {
        let message = format!(
            "tools of type '{}' are not available on Amazon Bedrock",
            &*kind
        );
        return Err(Error::unsupported(format!("tools.{index}.type"), message));
    }
    let parameters = tool.input_schema;
    if parameters.is_some_and(|schema| !schema.get().starts_with('{')) {
        let place = format!("tools.{index}.input_schema");
        return Err(Error::invalid(place, "must be a JSON schema object"));
    }
    Ok(Tool {
        name: tool.name,
        description: tool.description,
        parameters,
        strict: tool.strict == Some(true),
        cache: tool.cache_control,
    })
}

fn tool_choice(choice: Option<wire::ToolChoice<'_>>) -> Result<ToolChoice<'_>, Error> {
    Ok(match choice {
        None => ToolChoice::Unset,
        Some(choice) => match (choice.kind, choice.name) {
            (Choice::Auto, _) => ToolChoice::Auto,
            (Choice::Any, _) => ToolChoice::Required,
            (Choice::None, _) => ToolChoice::None,
            (Choice::Tool, Some(name)) => ToolChoice::Tool(name),
            (Choice::Tool, None) => {
                return Err(Error::invalid("tool_choice.name", "Field required"));
            }
        },
    })
}

fn output(format: Option<wire::Format<'_>>) -> Result<OutputFormat<'_>, Error> {
    let Some(format) = format else {
        return Ok(OutputFormat::Text);
    };
    if &*format.kind != "json_schema" {
        let message = "must be 'json_schema'";
        return Err(Error::unsupported("output_config.format.type", message));
    }
    let is_object = |schema: &&RawValue| schema.get().starts_with('{');
    let schema = format.schema.filter(is_object).ok_or_else(|| {
        let message = "must be a JSON schema object";
        Error::invalid("output_config.format.schema", message)
    })?;
    Ok(OutputFormat::JsonSchema(JsonSchema {
        name: "answer".into(),
        description: None,
        schema,
        strict: true,
    }))
}

fn thinking(wish: wire::Thinking) -> Thinking {
    Thinking {
        mode: match wish.kind {
            ThinkingKind::Enabled => ThinkingMode::Enabled,
            ThinkingKind::Adaptive => ThinkingMode::Adaptive,
            ThinkingKind::Disabled => ThinkingMode::Disabled,
        },
        budget_tokens: wish.budget_tokens,
        display: wish.display,
        is_hint: false,
    }
}
