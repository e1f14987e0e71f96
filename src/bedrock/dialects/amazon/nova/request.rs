//! Encodes a chat request.

use super::body::{Body, InferenceConfig, ReasoningConfig, SCHEMA_VERSION};
use super::messages::{messages, requested_cache_points, system};
use super::tools;
use crate::bedrock::shared::cache_points::CachePoints;
use crate::bedrock::shared::conversation::{Accepts, Mixing, build};
use crate::bedrock::shared::document::Documents;
use crate::bedrock::shared::structured::{Means, keep_to_shape};
use crate::bedrock::shared::tools::Tools;
use crate::bedrock::{Answer, EncodedRequest, Operation, Target, ToolNames};
use crate::catalog::{Caching, Model, Thinking};
use crate::chat::{Effort, Error, Request};

/// Nova keeps to no schema by itself, but can be forced to call a tool.
const MEANS: Means = Means {
    schemas: false,
    forced_tools: true,
};

/// Lowest temperature that Nova takes; clients may send 0.
///
/// <https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html>
const MIN_TEMPERATURE: f64 = 0.000_01;

/// Highest `topK` that Nova takes.
const MAX_TOP_K: u32 = 128;

pub(super) fn encode(request: &Request<'_>, target: &Target<'_>) -> Result<EncodedRequest, Error> {
    let mut names = ToolNames::without_hyphens(request);
    let mut conversation = build(request, accepts(target))?;
    conversation.unmix(Mixing::ResultsApart);
    if target.model.is_some_and(|model| !model.prefill) {
        conversation.refuse_prefill()?;
    }
    let mut tools = Tools::of(request, &mut names)?;
    tools.offer_what_was_called(&conversation, &mut names)?;
    keep_to_shape(request, MEANS, &mut conversation, (&mut tools, &mut names))?;
    let tool_config = tools::config(tools, &conversation)?;
    let caching = target.model.map_or(Caching::Minutes, |model| model.caching);
    let mut cache_points = CachePoints::new(caching, requested_cache_points(&conversation));
    let inference_config = inference_config(request, target);
    let left_out = match inference_config.reasoning_config {
        Some(_) => Vec::new(),
        None => request.reasoning.wishes().collect(),
    };
    let body = Body {
        schema_version: SCHEMA_VERSION,
        system: system(&conversation, &mut cache_points),
        messages: messages(conversation, &mut names, &mut cache_points),
        inference_config,
        tool_config,
    };
    let encoded = EncodedRequest::new(
        request,
        Operation::invoke(request),
        &body,
        Answer {
            names,
            ..Answer::default()
        },
    )?;
    Ok(encoded.without(left_out))
}

/// What Nova can be told on InvokeModel; it reads files only on Converse.
fn accepts(target: &Target<'_>) -> Accepts {
    Accepts {
        images: target.model.is_none_or(Model::reads_images),
        documents: Documents::None,
        tools: true,
        rich_results: true,
        failures: true,
        thinking: false,
        closing_system: false,
    }
}

/// Limits and sampling. At the highest effort, Nova refuses both.
///
/// <https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html>
fn inference_config<'a>(request: &'a Request<'_>, target: &Target<'_>) -> InferenceConfig<'a> {
    let stops = request.stop.iter().map(|stop| &**stop);
    let config = InferenceConfig {
        stop_sequences: stops.filter(|stop| !stop.is_empty()).collect(),
        reasoning_config: reasoning_config(request, target),
        ..InferenceConfig::default()
    };
    let effort = config.reasoning_config.as_ref();
    if effort.is_some_and(|config| config.max_reasoning_effort == Some("high")) {
        return config;
    }
    let most = target.model.and_then(|model| model.max_output);
    let temperature = request.sampling.temperature;
    InferenceConfig {
        max_tokens: request
            .max_output
            .map(|wanted| wanted.min(most.unwrap_or(u32::MAX))),
        temperature: temperature.map(|temperature| temperature.clamp(MIN_TEMPERATURE, 1.0)),
        top_p: request.sampling.top_p,
        top_k: request.sampling.top_k.map(|top_k| top_k.min(MAX_TOP_K)),
        ..config
    }
}

/// How much to think; Nova 1 cannot be told and refuses the object.
///
/// The highest effort cannot be combined with a limit of the answer, so a limit lowers it: the limit is what the
/// client is willing to pay, the effort only a hint.
fn reasoning_config(request: &Request<'_>, target: &Target<'_>) -> Option<ReasoningConfig> {
    target
        .model
        .filter(|model| model.thinking == Thinking::ReasoningConfig)?;
    let effort = match request.reasoning.in_a_word()? {
        Effort::None => None,
        Effort::Minimal | Effort::Low => Some("low"),
        Effort::Medium => Some("medium"),
        _ if request.max_output.is_some() => Some("medium"),
        Effort::High | Effort::Xhigh | Effort::Max => Some("high"),
    };
    Some(ReasoningConfig {
        kind: if effort.is_some() {
            "enabled"
        } else {
            "disabled"
        },
        max_reasoning_effort: effort,
    })
}
