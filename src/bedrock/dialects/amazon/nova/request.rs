//! Encodes a chat request.

use super::body::{Body, InferenceConfig, ReasoningConfig, SCHEMA_VERSION};
use super::messages::{messages, system, wanted_marks};
use super::tools;
use crate::bedrock::shared::cache_points::CachePoints;
use crate::bedrock::shared::conversation::{Accepts, Documents, Mixing, build};
use crate::bedrock::shared::structured::{Means, keep_to_shape};
use crate::bedrock::shared::tools::Tools;
use crate::bedrock::{Answer, EncodedRequest, Operation, Target, ToolNames};
use crate::catalog::{Caching, Model, Thinking};
use crate::chat::{Effort, Error, Request};

/// Nova keeps to no schema by itself, but calls any tool that it must.
const MEANS: Means = Means {
    schemas: false,
    forced_tools: true,
};

/// Lowest temperature that Nova takes; the client's begins at 0.
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
    let mut marks = CachePoints::new(caching, wanted_marks(&conversation));
    let body = Body {
        schema_version: SCHEMA_VERSION,
        system: system(&conversation, &mut marks),
        messages: messages(conversation, &mut names, &mut marks),
        inference_config: inference_config(request, target),
        tool_config,
    };
    EncodedRequest::new(
        request,
        Operation::invoke(request),
        &body,
        Answer {
            names,
            ..Answer::default()
        },
    )
}

/// What Nova can be told over InvokeModel; files it reads over Converse alone.
fn accepts(target: &Target<'_>) -> Accepts {
    Accepts {
        images: target.model.is_none_or(Model::reads_images),
        documents: Documents::None,
        tools: true,
        failures: true,
        thinking: false,
        closing_system: false,
    }
}

/// Limits and sampling. With the highest effort Nova refuses both.
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
/// The highest effort goes with no limit of the answer, so a limit brings it down: the limit is
/// the client's word on cost, the effort a hint.
fn reasoning_config(request: &Request<'_>, target: &Target<'_>) -> Option<ReasoningConfig> {
    target
        .model
        .filter(|model| model.thinking == Thinking::ReasoningConfig)?;
    let effort = match request.reasoning.effort? {
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
