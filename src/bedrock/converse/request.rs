//! Encodes a chat request.

use super::body::{Body, GuardrailConfig, InferenceConfig, PerformanceConfig, ServiceTier};
use super::documents::DocumentNames;
use super::extras::{Extras, Reasoning};
use super::family::Traits;
use super::messages::{self, Writer, fold_system};
use super::tools;
use crate::bedrock::dialects::anthropic::messages::{self as claude, betas};
use crate::bedrock::shared::cache_points::CachePoints;
use crate::bedrock::shared::conversation::{Accepts, build};
use crate::bedrock::shared::document::Documents;
use crate::bedrock::shared::markup::Rules;
use crate::bedrock::shared::structured::{instruct_to_call, keep_to_shape};
use crate::bedrock::shared::tools::Tools;
use crate::bedrock::{Answer, EncodedRequest, Options, Target, ToolNames};
use crate::catalog::{self, Model, Sampling};
use crate::chat::{Error, Request};

/// Where Claude says how much of its output was thinking.
const THINKING_TOKENS: &str = "/usage/output_tokens_details";

/// Where Claude says at which stop text its answer ended.
const STOP_SEQUENCE: &str = "/stop_sequence";

pub(super) fn encode(request: &Request<'_>, target: &Target<'_>) -> Result<EncodedRequest, Error> {
    let traits = Traits::of(target);
    let mut names = if traits.free_tools {
        ToolNames::default()
    } else {
        ToolNames::without_hyphens(request)
    };
    let mut conversation = build(request, accepts(target, &traits))?;
    if target.model.is_some_and(|model| !model.prefill) {
        conversation.refuse_prefill()?;
    }
    let mut tools = tools::tools(request, &conversation, &traits, &mut names)?;
    let means = tools::means(target, &traits);
    let made = (&mut tools, &mut names);
    let schema = keep_to_shape(request, means, &mut conversation, made)?;
    if !means.forced_tools {
        instruct_to_call(&mut conversation, &mut tools);
    }
    let operation = tools::operation(request, &tools, &traits);
    if !traits.system {
        fold_system(&mut conversation);
    }
    let mut reasoning = Reasoning::of(request, (target, &traits), &conversation, &tools)?;
    let left_out = std::mem::take(&mut reasoning.left_out);
    let inference_config = inference_config(request, target, &traits, &reasoning);
    let mut paths = response_paths(target, &reasoning);
    if traits.claude && !inference_config.stop_sequences.is_empty() {
        paths.push(STOP_SEQUENCE);
    }
    let extras = extras(request, (target, &traits), reasoning, &tools)?;
    let wanted = tools::requested_cache_points(&tools, &traits).into_iter();
    let wanted = wanted.chain(messages::requested_cache_points(&conversation));
    let mut cache_points = CachePoints::new(traits.caching, wanted);
    let tool_config = tools::config(tools, target, &traits, &mut cache_points)?;
    let mut writer = Writer {
        names: &mut names,
        cache_points: &mut cache_points,
        traits: &traits,
        documents: DocumentNames::default(),
    };
    let body = Body {
        system: writer.system(&conversation),
        messages: writer.messages(conversation),
        inference_config,
        tool_config,
        output_config: schema.and_then(|schema| tools::output_config(request, schema)),
        additional_model_request_fields: extras,
        additional_model_response_field_paths: paths,
        guardrail_config: guardrail(target.options),
        performance_config: target.options.latency.map(performance),
        service_tier: target.options.service_tier.map(tier),
        request_metadata: &target.options.metadata,
    };
    let encoded = EncodedRequest::new(
        request,
        operation,
        &body,
        Answer {
            names,
            markup: Rules::of(request, target),
            stops: untold_stops(request, target, &traits),
            ..Answer::default()
        },
    )?;
    Ok(encoded.without(left_out))
}

/// The parameters for which Converse has no field.
fn extras(
    request: &Request<'_>,
    (target, traits): (&Target<'_>, &Traits),
    reasoning: Reasoning,
    tools: &Tools<'_>,
) -> Result<Extras, Error> {
    let needed: Vec<_> = reasoning.plan.needed_beta(target).into_iter().collect();
    let samples = takes_samples(traits, &reasoning);
    let mut extras = Extras::of(reasoning, tools, traits);
    extras.set_top_k(request.sampling.top_k.filter(|_| samples), traits);
    if traits.claude {
        extras.anthropic_beta = betas(request, &needed)?;
    }
    Ok(extras)
}

fn accepts(target: &Target<'_>, traits: &Traits) -> Accepts {
    Accepts {
        images: target.model.is_none_or(Model::reads_images),
        documents: if target.model.is_none_or(Model::reads_documents) {
            Documents::Office
        } else {
            Documents::None
        },
        tools: traits.tools,
        rich_results: traits.rich_results,
        failures: traits.failures,
        thinking: traits.reasoning_back,
        closing_system: target.model.is_some_and(|model| model.system_role),
    }
}

fn inference_config<'a>(
    request: &'a Request<'_>,
    target: &Target<'_>,
    traits: &Traits,
    reasoning: &Reasoning,
) -> InferenceConfig<'a> {
    let samples = takes_samples(traits, reasoning);
    let temperature = request.sampling.temperature.filter(|_| samples);
    let alone = traits.sampling == Sampling::Either && temperature.is_some();
    InferenceConfig {
        max_tokens: max_tokens(request, target, traits, reasoning),
        // Converse's highest temperature is 1; clients may send up to 2.
        temperature: temperature.map(|temperature| temperature.min(1.0)),
        top_p: request.sampling.top_p.filter(|_| samples && !alone),
        stop_sequences: if takes_stop(target) {
            stop_sequences(request, traits)
        } else {
            Vec::new()
        },
    }
}

/// The client's limit, but never more than the model's. Without one, Converse uses the model's own; but Claude gets
/// the same one as on InvokeModel, because thinking must fit into it.
fn max_tokens(
    request: &Request<'_>,
    target: &Target<'_>,
    traits: &Traits,
    reasoning: &Reasoning,
) -> Option<u32> {
    if traits.claude {
        return Some(claude::max_tokens(request, target, &reasoning.plan));
    }
    let most = target.model.and_then(|model| model.max_output);
    let wanted = request.max_output?.max(traits.min_tokens);
    Some(wanted.min(most.unwrap_or(u32::MAX)))
}

/// Whether the model takes sampling parameters at all.
fn takes_samples(traits: &Traits, reasoning: &Reasoning) -> bool {
    traits.sampling != Sampling::None && !reasoning.plan.is_on() && !reasoning.is_at_its_highest()
}

fn takes_stop(target: &Target<'_>) -> bool {
    target.model.is_none_or(Model::takes_stop_on_converse)
}

/// Stop sequences for a model that takes none.
fn untold_stops(request: &Request<'_>, target: &Target<'_>, traits: &Traits) -> Vec<String> {
    let stops = stop_sequences(request, traits).into_iter();
    let stops = stops.filter(|_| !takes_stop(target));
    stops.map(str::to_owned).collect()
}

/// Converse refuses empty stop sequences, and Claude those that are only white space.
fn stop_sequences<'a>(request: &'a Request<'_>, traits: &Traits) -> Vec<&'a str> {
    let stops = request.stop.iter().map(|stop| &**stop);
    let is_refused = |stop: &str| stop.is_empty() || (traits.claude && stop.trim().is_empty());
    stops.filter(|stop| !is_refused(stop)).collect()
}

/// Values that the answer should have in addition to Converse's own fields.
fn response_paths(target: &Target<'_>, reasoning: &Reasoning) -> Vec<&'static str> {
    let always = target
        .model
        .is_some_and(|model| model.thinking == catalog::Thinking::Always);
    if always || reasoning.plan.is_on() {
        vec![THINKING_TOKENS]
    } else {
        Vec::new()
    }
}

fn guardrail(options: &Options) -> Option<GuardrailConfig<'_>> {
    let guardrail = options.guardrail.as_ref()?;
    Some(GuardrailConfig {
        guardrail_identifier: &guardrail.identifier,
        guardrail_version: &guardrail.version,
        trace: guardrail.trace.map(|trace| trace.as_str()),
    })
}

fn performance(latency: &'static str) -> PerformanceConfig {
    PerformanceConfig { latency }
}

fn tier(kind: &'static str) -> ServiceTier {
    ServiceTier { kind }
}
