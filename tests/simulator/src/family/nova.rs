//! Amazon Nova, generations 1 and 2: the `messages-v1` body.
//!
//! <https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html>

mod shape;

use serde_json::{Value, json};

use super::ask::Thinking;
use super::blocks::{self, Mixing};
use super::{Answer, Dialect, Overrides};
use crate::catalog::Model;
use crate::error::AwsError;

pub(crate) use self::shape::ADDITIONAL;

pub(crate) struct Nova;

/// What a tool's schema may have at its top level.
const TOP_LEVEL: [&str; 3] = ["properties", "required", "type"];

/// What a reasoning block says: AWS keeps the text to itself.
pub(crate) const REDACTED: &str = "[REDACTED]";

impl Dialect for Nova {
    fn validate(&self, model: &Model, body: &Value) -> Result<(), AwsError> {
        shape::BODY.check_invoke(body)?;
        check_limits(model, body)?;
        blocks::check(body, Mixing::Refused)?;
        check_modalities(model, body)?;
        check_tools(body)?;
        check_reasoning(
            model,
            body.pointer("/inferenceConfig/reasoningConfig"),
            body,
        )
    }

    fn answer(&self, _model: &Model, body: &Value, overrides: &Overrides) -> Answer {
        let mut ask = blocks::ask(body);
        ask.thinking = thinking(body.pointer("/inferenceConfig/reasoningConfig"));
        let reply = ask.reply(overrides);
        let reasoning = reply.reasoning.as_ref().map(|_| reasoning());
        let message = json!({"role": "assistant", "content": blocks::content(&reply, reasoning)});
        let stop = match reply.stop {
            super::reply::Stop::Sequence(_) => "stop_sequence",
            super::reply::Stop::Guardrail => "content_filtered",
            _ => reply.stop.word(["end_turn", "max_tokens", "tool_use"]),
        };
        let cache = [
            ("cacheReadInputTokenCount", overrides.cache_read),
            ("cacheWriteInputTokenCount", overrides.cache_write),
        ];
        let usage = blocks::usage_of(&reply, cache);
        let mut events = blocks::events(&message, &json!({ "stopReason": stop }));
        events.push(json!({"metadata": {"usage": usage, "metrics": {}, "trace": {}}}));
        Answer {
            events,
            body: json!({"output": {"message": message}, "stopReason": stop, "usage": usage}),
            input_tokens: reply.input_tokens,
            output_tokens: reply.output_tokens,
        }
    }
}

/// The block that represents the reasoning.
pub(crate) fn reasoning() -> Value {
    json!({"reasoningContent": {"reasoningText": {"text": REDACTED}}})
}

pub(crate) fn thinking(config: Option<&Value>) -> Thinking {
    match config.and_then(|config| super::field(config, "type")) {
        Some("enabled") => Thinking::On,
        _ => Thinking::Off,
    }
}

/// Reasoning came with the second generation; its highest effort excludes the
/// limits.
pub(crate) fn check_reasoning(
    model: &Model,
    config: Option<&Value>,
    body: &Value,
) -> Result<(), AwsError> {
    let Some(config) = config else {
        return Ok(());
    };
    if !model.id.contains("nova-2") {
        return Err(AwsError::validation(
            "Malformed input request: #: extraneous key [reasoningConfig] is not permitted, please reformat your input and try again.",
        ));
    }
    let effort = super::field(config, "maxReasoningEffort");
    if thinking(Some(config)) == Thinking::On && effort.is_none() {
        return Err(AwsError::validation(
            "Malformed input request: #/reasoningConfig: required key [maxReasoningEffort] not found, please reformat your input and try again.",
        ));
    }
    let limits = ["maxTokens", "max_new_tokens", "temperature", "topP"];
    let limit = limits
        .iter()
        .find(|name| body.pointer(&format!("/inferenceConfig/{name}")).is_some());
    match (thinking(Some(config)), effort, limit) {
        (Thinking::On, Some("high"), Some(name)) => Err(AwsError::validation(format!(
            "{name} must be unset when maxReasoningEffort is high."
        ))),
        _ => Ok(()),
    }
}

/// The top of a tool's schema takes few keys, and a call of a tool whose name has a hyphen fails.
///
/// <https://docs.aws.amazon.com/nova/latest/userguide/tool-use-definition.html>
pub(crate) fn check_tools(body: &Value) -> Result<(), AwsError> {
    let config = body.get("toolConfig").unwrap_or(&Value::Null);
    let specs = super::list(config, "tools").iter();
    for spec in specs.filter_map(|tool| tool.get("toolSpec")) {
        let schema = spec.pointer("/inputSchema/json").and_then(Value::as_object);
        let mut keys = schema.into_iter().flatten().map(|(key, _)| key.as_str());
        if let Some(key) = keys.find(|key| !TOP_LEVEL.contains(key)) {
            return Err(AwsError::validation(format!(
                "Malformed input request: #/toolConfig/tools/toolSpec/inputSchema/json: extraneous key [{key}] is not permitted, please reformat your input and try again."
            )));
        }
    }
    let calls = blocks::ask(body).reply(&Overrides::default()).calls;
    match calls.iter().any(|call| call.name.contains('-')) {
        true => Err(AwsError::new(
            424,
            "ModelErrorException",
            "Model produced invalid sequence as part of ToolUse. Please refer to the model tool use troubleshooting guide.",
        )),
        false => Ok(()),
    }
}

fn check_limits(model: &Model, body: &Value) -> Result<(), AwsError> {
    for name in ["maxTokens", "max_new_tokens"] {
        let limits = body.get("inferenceConfig").unwrap_or(&Value::Null);
        if super::number(limits, name).is_some_and(|asked| asked > model.max_tokens) {
            return Err(AwsError::validation(format!(
                "The maximum tokens you requested exceeds the model limit of {}. Try again with a maximum tokens value that is lower than {}.",
                model.max_tokens, model.max_tokens
            )));
        }
    }
    Ok(())
}

/// Micro accepts only text.
fn check_modalities(model: &Model, body: &Value) -> Result<(), AwsError> {
    let messages = super::list(body, "messages").iter();
    let blocks = messages.flat_map(|message| super::list(message, "content"));
    for block in blocks {
        for kind in ["image", "video"] {
            if block.get(kind).is_some() && !model.can(kind) {
                return Err(AwsError::validation(format!(
                    "This model doesn't support the {kind} field. Remove {kind} and try again."
                )));
            }
        }
        if let Some(image) = block.get("image") {
            super::converse::check_image(image)?;
        }
    }
    Ok(())
}
