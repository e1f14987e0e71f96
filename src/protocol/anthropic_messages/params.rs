//! What a request asks for besides its conversation.

use std::borrow::Cow;
use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::value::RawValue;

use super::fault::Fault;
use super::wire::{Asked, member};
use super::wishes::{OutputConfig, ToolWish, members, string, thinking};
use crate::chat::{
    self, EffortScope, EndUser, Error, ErrorKind, Param, Reasoning, Request, Sampling, Thoughts,
    ToolChoice,
};
use crate::json::{Kind, Text, Walker};
use crate::protocol::Said;

/// Parameters that promise what Bedrock does not have, unless they ask for nothing.
const PROMISES: [&str; 6] = [
    "billing_policy",
    "container",
    "fallback_credit_token",
    "fallbacks",
    "mcp_servers",
    "speed",
];

/// Every parameter of the API. Any other is left out, or refused if the channel says so.
const KNOWN: [&str; 31] = [
    "anthropic_beta",
    "anthropic_version",
    "betas",
    "billing_policy",
    "cache_control",
    "compaction",
    "container",
    "context_management",
    "diagnostics",
    "fallback_credit_token",
    "fallbacks",
    "inference_geo",
    "max_tokens",
    "mcp_servers",
    "metadata",
    "model",
    "output_config",
    "output_format",
    "safeguards",
    "service_tier",
    "speed",
    "stop_sequences",
    "stream",
    "temperature",
    "thinking",
    "thread",
    "tool_choice",
    "top_k",
    "top_p",
    "user_profile_id",
    "workspace_id",
];

/// The parameters with which a request asks for something, by this API's names.
const ASKED: [(&str, Param); 13] = [
    ("context_management", Param::ContextEdits),
    ("max_tokens", Param::MaxOutput),
    ("metadata", Param::User),
    ("model", Param::Model),
    ("service_tier", Param::ServiceTier),
    ("stop_sequences", Param::Stop),
    ("stream", Param::Stream),
    ("temperature", Param::Temperature),
    ("thinking", Param::Thinking),
    ("tool_choice", Param::ToolChoice),
    ("tools", Param::Tools),
    ("top_k", Param::TopK),
    ("top_p", Param::TopP),
];

/// The request without its conversation and its tools; `model` is the one that the path names.
///
/// # Errors
///
/// A 400 for a parameter that is malformed or cannot be honoured.
pub(super) fn head<'a>(
    asked: &Asked<'a>,
    body: &'a [u8],
    model: Option<&str>,
) -> Result<Request<'a>, Error> {
    refuse_promises(asked)?;
    let read = |result: Result<Request<'a>, Fault>| result.map_err(|fault| fault.error(body));
    read(params(asked, body, model))
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

fn params<'a>(
    asked: &Asked<'a>,
    source: &'a [u8],
    model: Option<&str>,
) -> Result<Request<'a>, Fault> {
    let model = match model {
        Some(model) => Some(model.to_owned().into()),
        None => text(asked, "model")?,
    };
    let Some(model) = model else {
        return Err(Fault::missing("model"));
    };
    let max_output = whole(asked, "max_tokens", 1)?;
    if max_output.is_none() && !asked.counts {
        return Err(Fault::missing("max_tokens"));
    }
    let mut choice = ToolWish::of(asked)?;
    let mut left_out = Vec::new();
    if asked.tools.1.is_empty() {
        // There is nothing to choose.
        if choice.is_forced() {
            left_out.push("tool_choice".into());
        }
        choice = ToolWish::UNSET;
    }
    if let ToolChoice::Tool(name) = &choice.choice
        && !asked
            .tools
            .1
            .iter()
            .any(|tool| tool.text("name") == Some(name))
    {
        let words = "Tool not found in `tools`; choose one of those";
        return Err(Fault::here(words).below("name").below("tool_choice"));
    }
    let config = OutputConfig::of(asked)?;
    let mut set = set(asked);
    let mut ask = |param, name, is_set: bool| {
        if is_set {
            set.push(chat::Asked { param, name });
        }
    };
    ask(Param::Effort, name(Param::Effort), config.effort.is_some());
    let is_text = config.format.is_text();
    ask(Param::OutputFormat, name(Param::OutputFormat), !is_text);
    // A choice that forces nothing asks for nothing.
    set.retain(|own| own.param != Param::ToolChoice || choice.is_forced());
    Ok(Request {
        model,
        tool_choice: choice.choice,
        parallel_tool_calls: !choice.one_at_a_time,
        output: config.format,
        max_output,
        sampling: Sampling {
            temperature: fraction(asked, "temperature")?,
            top_p: fraction(asked, "top_p")?,
            top_k: whole(asked, "top_k", 0)?,
            ..Sampling::default()
        },
        stop: stops(asked)?,
        reasoning: Reasoning {
            effort: config.effort,
            effort_scope: EffortScope::Answer,
            thinking: thinking(asked)?,
            thoughts: Thoughts::AsTheyCome,
        },
        stream: !asked.counts && flag(asked, "stream")?.unwrap_or(false),
        user: user(asked)?.map(EndUser::Opaque),
        context_edits: asked.get("context_management"),
        service_tier: service_tier(asked)?,
        beta_features: asked.betas.iter().map(|own| own.clone().into()).collect(),
        drops_unknown_betas: true,
        asked: set,
        unknown: unknown(asked),
        left_out,
        source,
        ..Request::default()
    })
}

/// Refuses what nothing behind this gateway can do, unless the parameter asks for nothing.
fn refuse_promises(asked: &Asked<'_>) -> Result<(), Error> {
    let is_nothing = |json: &RawValue| matches!(json.get(), "[]" | "{}" | "\"standard\"");
    for name in PROMISES {
        if asked.get(name).is_some_and(|own| !is_nothing(own)) {
            let message = "is not available on Amazon Bedrock; remove it";
            return Err(Error::unsupported(name, message));
        }
    }
    if asked.get("thread").is_some() {
        // On this code the official client continues without threads, with the whole conversation.
        let message =
            "thread: conversations are not kept here; send all messages with each request";
        let error = Error::new(StatusCode::BAD_REQUEST, ErrorKind::InvalidRequest, message);
        return Err(error.code("thread_unsupported_request"));
    }
    Ok(())
}

fn set(asked: &Asked<'_>) -> Vec<chat::Asked> {
    let is_set = |name: &str| match name {
        "tools" => !asked.tools.1.is_empty(),
        name => asked.get(name).is_some_and(|own| own.get() != "[]"),
    };
    let set = ASKED.into_iter().filter(|(name, _)| is_set(name));
    set.map(|(name, param)| chat::Asked { param, name })
        .collect()
}

fn unknown<'a>(asked: &Asked<'a>) -> Vec<Cow<'a, str>> {
    let names = asked.members.iter().map(|(name, _)| name);
    names.filter(|name| !is_known(name)).cloned().collect()
}

/// Whether the API has a parameter of this name besides conversation and tools.
pub(super) fn is_known(name: &str) -> bool {
    KNOWN.contains(&name)
}

fn text<'a>(asked: &Asked<'a>, name: &str) -> Result<Option<Text<'a>>, Fault> {
    asked.get(name).map(|json| string(json, name)).transpose()
}

fn flag(asked: &Asked<'_>, name: &str) -> Result<Option<bool>, Fault> {
    match asked.get(name).map(RawValue::get) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Fault::here("Input should be a valid boolean").below(name)),
    }
}

/// A whole number of at least `least`; one that is too large becomes the largest.
fn whole(asked: &Asked<'_>, name: &str, least: u32) -> Result<Option<u32>, Fault> {
    let Some(json) = asked.get(name) else {
        return Ok(None);
    };
    let fault = |words: String| Fault::here(words).below(name);
    let number: f64 =
        (json.get().parse()).map_err(|_| fault("Input should be a valid integer".to_owned()))?;
    if number.fract() != 0.0 {
        return Err(fault("Input should be a valid integer".to_owned()));
    }
    if number < f64::from(least) {
        let words = format!("Input should be greater than or equal to {least}");
        return Err(fault(words));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole, not negative, and floats saturate"
    )]
    Ok(Some(number as u32))
}

/// A number from 0 to 1.
fn fraction(asked: &Asked<'_>, name: &str) -> Result<Option<f64>, Fault> {
    let Some(json) = asked.get(name) else {
        return Ok(None);
    };
    let number = json.get().parse::<f64>().ok();
    let words = match number {
        None => "Input should be a valid number",
        Some(low) if low < 0.0 => "Input should be greater than or equal to 0",
        Some(high) if high > 1.0 => "Input should be less than or equal to 1",
        Some(_) => return Ok(number),
    };
    Err(Fault::here(words).below(name))
}

fn stops<'a>(asked: &Asked<'a>) -> Result<Vec<Text<'a>>, Fault> {
    const NAME: &str = "stop_sequences";
    let Some(json) = asked.get(NAME) else {
        return Ok(Vec::new());
    };
    let mut walker = Walker::new(json.get());
    if walker.kind() != Kind::Array {
        return Err(Fault::here("Input should be a valid list").below(NAME));
    }
    let mut list = Vec::new();
    walker.array(|walker, index| {
        if walker.kind() != Kind::String {
            let fault = Fault::here("Input should be a valid string");
            return Err(fault.below(index).below(NAME));
        }
        list.push(walker.text()?);
        Ok::<_, Fault>(())
    })?;
    Ok(list)
}

fn user<'a>(asked: &Asked<'a>) -> Result<Option<Text<'a>>, Fault> {
    let Some(json) = asked.get("metadata") else {
        return Ok(None);
    };
    let members = members(json, "metadata")?;
    let id = member(&members, "user_id");
    let id = id.map(|json| string(json, "user_id").map_err(|own| own.below("metadata")));
    id.transpose()
}

fn service_tier<'a>(asked: &Asked<'a>) -> Result<Option<Text<'a>>, Fault> {
    match text(asked, "service_tier")?.as_deref() {
        Some("standard_only") => Ok(Some("default".into())),
        Some("auto") | None => Ok(None),
        Some(_) => {
            let words = "Input should be 'auto' or 'standard_only'";
            Err(Fault::here(words).below("service_tier"))
        }
    }
}

/// The beta features that a request names, in headers and in its body, each once.
pub(super) fn betas(asked: &Asked<'_>, said: &Said) -> Vec<String> {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    let mut add = |name: &str| {
        let name = name.trim();
        if !name.is_empty() && seen.insert(name.to_owned()) {
            found.push(name.to_owned());
        }
    };
    for (_, value) in &said.headers {
        value.split(',').for_each(&mut add);
    }
    for name in ["anthropic_beta", "betas"] {
        let json = asked.get(name).map(RawValue::get);
        let list = json.and_then(|json| serde_json::from_str::<Vec<String>>(json).ok());
        list.iter().flatten().for_each(|own| add(own));
    }
    found
}
