//! Encodes a chat request.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::body::{Body, Tool, ToolChoice, VERSION};
use super::turns;
use crate::bedrock::{EncodedRequest, Operation, Target, ToolNames};
use crate::catalog::Sampling;
use crate::openai::{self, ChatRequest, Error, ToolChoiceMode};

/// Answer limit, in tokens, when the client sets none: Claude requires one. Not the model's
/// maximum, because Bedrock counts the limit against the account's token quota up front
/// (<https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html>).
const DEFAULT_MAX_TOKENS: u32 = 16_384;

/// Answer limit that every model of the family takes, for models that the catalogue does not know.
const SAFE_MAX_TOKENS: u32 = 4_096;

pub(super) fn encode(request: &ChatRequest<'_>, target: Target) -> Result<EncodedRequest, Error> {
    let mut names = ToolNames::default();
    let conversation = turns::encode(request, &mut names)?;
    if !conversation.prefill_allowed(target) {
        let message = "This model cannot continue an assistant message; end the conversation with \
                       a user message.";
        return Err(Error::unsupported("messages", message));
    }
    let tools = tools(request, &mut names)?;
    let sampling = Samples::of(request, target);
    let body = Body {
        anthropic_version: VERSION,
        max_tokens: max_tokens(request, target),
        system: conversation.system,
        messages: conversation.turns,
        tool_choice: tool_choice(request, &tools, &mut names)?,
        tools,
        temperature: sampling.temperature,
        top_p: sampling.top_p,
        top_k: sampling.top_k,
        stop_sequences: stop_sequences(request),
    };
    let body = serde_json::to_vec(&body).map_err(|error| {
        Error::server(500, "encoding_failed", format!("cannot encode: {error}"))
    })?;
    let operation = if request.is_stream() {
        Operation::InvokeWithResponseStream
    } else {
        Operation::Invoke
    };
    Ok(EncodedRequest {
        operation,
        body,
        names,
    })
}

/// The client's limit, but never more than the model can: asking for more is an error at Bedrock
/// and means "as much as you can" everywhere else.
fn max_tokens(request: &ChatRequest<'_>, target: Target) -> u32 {
    match (request.max_output(), target.model) {
        (Some(wanted), Some(model)) => wanted.min(model.max_output),
        (Some(wanted), None) => wanted,
        (None, Some(model)) => DEFAULT_MAX_TOKENS.min(model.max_output),
        (None, None) => SAFE_MAX_TOKENS,
    }
}

struct Samples {
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<u32>,
}

impl Samples {
    /// The sampling parameters that the model takes.
    ///
    /// Claude's temperature ends at 1, OpenAI's at 2: higher ones become 1. Where a model takes one
    /// of temperature and `top_p`, temperature is kept; where it takes none, all are left out.
    fn of(request: &ChatRequest<'_>, target: Target) -> Self {
        let all = Self {
            temperature: request.temperature.map(|temperature| temperature.min(1.0)),
            top_p: request.top_p,
            top_k: request.top_k,
        };
        // What an unknown model takes is unknown too, so it gets what every model but the newest
        // takes.
        match target
            .model
            .map_or(Sampling::Either, |model| model.sampling)
        {
            Sampling::Any => all,
            Sampling::Either if all.temperature.is_some() => Self { top_p: None, ..all },
            Sampling::Either => all,
            Sampling::None => Self {
                temperature: None,
                top_p: None,
                top_k: None,
            },
        }
    }
}

/// Claude refuses stop sequences of white space alone.
fn stop_sequences<'a>(request: &'a ChatRequest<'_>) -> Vec<&'a str> {
    let stops = request.stop.iter().map(|stop| &**stop);
    stops.filter(|stop| !stop.trim().is_empty()).collect()
}

fn tools<'a>(request: &'a ChatRequest<'_>, names: &mut ToolNames) -> Result<Vec<Tool<'a>>, Error> {
    let mut tools = Vec::new();
    for (index, tool) in request.tools.iter().flatten().enumerate() {
        let param = format!("tools[{index}]");
        let function = match &tool.function {
            Some(function) if &*tool.kind == "function" => function,
            Some(_) | None if &*tool.kind != "function" => {
                let message = format!(
                    "Tools of type '{}' are not supported; use 'function'.",
                    &*tool.kind
                );
                return Err(Error::unsupported(format!("{param}.type"), message));
            }
            _ => {
                let param = format!("{param}.function");
                let message = format!("Missing required parameter: '{param}'.");
                return Err(Error::invalid(param, message));
            }
        };
        if !is_allowed(request, &function.name) {
            continue;
        }
        tools.push(Tool {
            name: names.send(&function.name),
            description: function
                .description
                .as_deref()
                .filter(|description| !description.trim().is_empty()),
            input_schema: schema(function, &param)?,
        });
    }
    Ok(tools)
}

/// `tool_choice.allowed_tools` narrows the tools; Claude has no such field, so the others are left
/// out.
fn is_allowed(request: &ChatRequest<'_>, name: &str) -> bool {
    match &request.tool_choice {
        Some(openai::ToolChoice::Allowed(_, allowed)) => {
            allowed.iter().any(|allowed| &**allowed == name)
        }
        _ => true,
    }
}

/// The schema as the client wrote it; Claude insists on `"type": "object"`, OpenAI does not.
fn schema<'a>(function: &'a openai::Function<'_>, param: &str) -> Result<Cow<'a, RawValue>, Error> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(rename = "type")]
        kind: Option<IgnoredAny>,
    }
    let raw = match function.parameters {
        Some(schema) if schema.get() != "null" && schema.get() != "{}" => schema,
        _ => return owned_schema(r#"{"type":"object","properties":{}}"#.to_owned()),
    };
    let invalid = || {
        let message = "The parameters of a function must be a JSON schema object.";
        Error::invalid(format!("{param}.function.parameters"), message)
    };
    let rest = raw.get().strip_prefix('{').ok_or_else(invalid)?;
    let head: Head = serde_json::from_str(raw.get()).map_err(|_| invalid())?;
    match head.kind {
        Some(_) => Ok(Cow::Borrowed(raw)),
        None => owned_schema(format!(r#"{{"type":"object",{}"#, rest.trim_start())),
    }
}

fn owned_schema<'a>(json: String) -> Result<Cow<'a, RawValue>, Error> {
    RawValue::from_string(json)
        .map(Cow::Owned)
        .map_err(|error| Error::server(500, "encoding_failed", format!("cannot encode: {error}")))
}

fn tool_choice<'a>(
    request: &'a ChatRequest<'_>,
    tools: &[Tool<'_>],
    names: &mut ToolNames,
) -> Result<Option<ToolChoice<'a>>, Error> {
    let one_at_a_time = request.parallel_tool_calls == Some(false);
    let choice = |kind, name| ToolChoice {
        kind,
        name,
        disable_parallel_tool_use: one_at_a_time && kind != "none",
    };
    let wanted = request.tool_choice.as_ref();
    if tools.is_empty() {
        return match wanted {
            Some(
                openai::ToolChoice::Function(_)
                | openai::ToolChoice::Mode(ToolChoiceMode::Required)
                | openai::ToolChoice::Allowed(ToolChoiceMode::Required, _),
            ) => {
                let message = "'tool_choice' asks for a tool, but 'tools' has none of that name.";
                Err(Error::invalid("tool_choice", message))
            }
            _ => Ok(None),
        };
    }
    Ok(match wanted {
        None => one_at_a_time.then(|| choice("auto", None)),
        Some(openai::ToolChoice::Mode(mode) | openai::ToolChoice::Allowed(mode, _)) => {
            Some(choice(mode_name(*mode), None))
        }
        Some(openai::ToolChoice::Function(name)) => {
            let sent = names.send(name);
            if !tools.iter().any(|tool| tool.name == sent) {
                let message = format!(
                    "'tool_choice' names '{}', which is not in 'tools'.",
                    &**name
                );
                return Err(Error::invalid("tool_choice", message));
            }
            Some(choice("tool", Some(sent)))
        }
    })
}

fn mode_name(mode: ToolChoiceMode) -> &'static str {
    match mode {
        ToolChoiceMode::None => "none",
        ToolChoiceMode::Auto => "auto",
        ToolChoiceMode::Required => "any",
    }
}
