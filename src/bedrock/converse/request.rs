//! Encodes a chat request.

use super::body::{Body, GuardrailConfig, InferenceConfig, PerformanceConfig, ServiceTier};
use super::documents::DocumentNames;
use super::extras::{Extras, Reasoning};
use super::family::Traits;
use super::messages::{self, Writer, fold_system};
use super::tools;
use crate::bedrock::dialects::anthropic::messages::{self as claude, betas};
use crate::bedrock::shared::cache_points::CachePoints;
use crate::bedrock::shared::conversation::{Accepts, Documents, build};
use crate::bedrock::shared::markup::Rules;
use crate::bedrock::shared::structured::{ask_for_a_call, keep_to_shape};
use crate::bedrock::{Answer, EncodedRequest, Operation, Options, Target, ToolNames};
use crate::catalog::{self, Model, Sampling};
use crate::chat::{self, Error, Field, Place, Request};

/// Where Claude tells how much of its output was thinking.
const THINKING_TOKENS: &str = "/usage/output_tokens_details";

pub(super) fn encode(request: &Request<'_>, target: &Target<'_>) -> Result<EncodedRequest, Error> {
    let traits = Traits::of(target);
    refuse_rich_results(request, &traits)?;
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
    ask_for_a_call(&mut conversation, &mut tools, means.forced_tools);
    tools::refuse_streamed(request, &tools, &traits)?;
    if !traits.system {
        fold_system(&mut conversation);
    }
    let reasoning = Reasoning::of(request, target, &conversation, &tools)?;
    let paths = response_paths(target, &reasoning);
    let inference_config = inference_config(request, target, &traits, &reasoning);
    let samples = takes_samples(&traits, &reasoning);
    let mut extras = Extras::of(reasoning, &tools, &traits);
    extras.set_top_k(request.sampling.top_k.filter(|_| samples), &traits);
    if traits.claude {
        extras.anthropic_beta = betas(request)?;
    }
    let wanted = tools::marks(&tools, &traits).into_iter();
    let wanted = wanted.chain(messages::marks(&conversation));
    let mut marks = CachePoints::new(traits.caching, wanted);
    let tool_config = tools::config(tools, target, &traits, &mut marks)?;
    let mut writer = Writer {
        names: &mut names,
        marks: &mut marks,
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
    EncodedRequest::new(
        request,
        Operation::converse(request),
        &body,
        Answer {
            names,
            markup: Rules::of(request, target),
            stops: untold_stops(request, target, &traits),
            ..Answer::default()
        },
    )
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
        failures: traits.failures,
        thinking: traits.reasoning_back,
        closing_system: target.model.is_some_and(|model| model.system_role),
    }
}

/// Refuses images and files in the results of tools, where the model reads only text.
fn refuse_rich_results(request: &Request<'_>, traits: &Traits) -> Result<(), Error> {
    if traits.rich_results {
        return Ok(());
    }
    let blocks = request.messages.iter().flat_map(|message| &message.blocks);
    let results = blocks.filter_map(|block| match &block.content {
        chat::BlockContent::ToolResult(result) => Some(result),
        _ => None,
    });
    let is_text = |block: &chat::Block<'_>| matches!(block.content, chat::BlockContent::Text(_));
    let mut inside = results.flat_map(|result| &result.content);
    match inside.find(|block| !is_text(block)) {
        None => Ok(()),
        Some(block) => {
            let message = "This model reads only text in the results of tools; send images and \
                           files in a user message.";
            let place = Place::Block(block.at, Field::Kind);
            Err(Error::unsupported(place, message))
        }
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
        // Converse's temperature ends at 1, the client's at 2.
        temperature: temperature.map(|temperature| temperature.min(1.0)),
        top_p: request.sampling.top_p.filter(|_| samples && !alone),
        stop_sequences: if takes_stop(target) {
            stop_sequences(request, traits)
        } else {
            Vec::new()
        },
    }
}

/// The client's limit, but never more than the model can. Without one Converse takes the model's
/// own; but Claude gets the same one as everywhere, because thinking must fit into it.
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

/// Converse refuses empty stop sequences, and Claude those of white space alone.
fn stop_sequences<'a>(request: &'a Request<'_>, traits: &Traits) -> Vec<&'a str> {
    let stops = request.stop.iter().map(|stop| &**stop);
    let is_refused = |stop: &str| stop.is_empty() || (traits.claude && stop.trim().is_empty());
    stops.filter(|stop| !is_refused(stop)).collect()
}

/// What the answer should have besides Converse's own fields.
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
