//! Encodes a chat request.

use super::betas::betas;
use super::body::{
    Body, Cached, Format, Metadata, Native, Offer, OutputConfig, Tool, ToolChoice, VERSION,
};
use super::thinking::{Plan, plan};
use super::turns::{cache_control, messages, system};
use crate::bedrock::shared::cache_points::CachePoints;
use crate::bedrock::shared::conversation::{Accepts, BlockContent, Conversation, build};
use crate::bedrock::shared::document::Documents;
use crate::bedrock::shared::structured::{Means, instruct_to_call, keep_to_shape};
use crate::bedrock::shared::tools::{Choice, Tools};
use crate::bedrock::{Answer, ContextEdits, EncodedRequest, Operation, Target, ToolNames};
use crate::catalog::{Caching, Model, Sampling};
use crate::chat::{CacheControl, EndUser, Error, Param, Request};

/// Answer limit, in tokens, if the client sets none: Claude requires one. It is not the model's maximum, because
/// Bedrock charges the limit to the account's token quota up front
/// (<https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html>).
const DEFAULT_MAX_TOKENS: u32 = 16_384;

/// Answer limit that every model of the family takes, for models that are not in the catalogue.
const SAFE_MAX_TOKENS: u32 = 4_096;

pub(super) fn encode(request: &Request<'_>, target: &Target<'_>) -> Result<EncodedRequest, Error> {
    let mut names = ToolNames::default();
    let mut conversation = build(request, accepts(target))?;
    if target.model.is_some_and(|model| !model.prefill) {
        conversation.refuse_prefill()?;
    }
    let mut tools = Tools::of(request, &mut names)?;
    tools.offer_what_was_called(&conversation, &mut names)?;
    let means = means(target);
    let made = (&mut tools, &mut names);
    let schema = keep_to_shape(request, means, &mut conversation, made)?;
    if !means.forced_tools {
        instruct_to_call(&mut conversation, &mut tools);
    }
    let plan = plan(request, target, &conversation, &tools)?;
    let samples = Samples::of(request, target, &plan);
    let edits = edits(request);
    let left_out = left_out(request, &plan, edits.as_ref());
    let caching = target.model.map_or(Caching::Minutes, |model| model.caching);
    let mut cache_points = CachePoints::new(caching, requested_cache_points(&tools, &conversation));
    let body = Body {
        anthropic_version: VERSION,
        anthropic_beta: betas(request, &needed_betas(target, &plan, edits.as_ref()))?,
        max_tokens: max_tokens(request, target, &plan),
        tool_choice: tool_choice(&tools),
        tools: tool_list(tools, &mut cache_points),
        system: system(&conversation.system, &mut cache_points),
        messages: messages(conversation, &mut names, &mut cache_points)?,
        thinking: plan.thinking,
        output_config: OutputConfig {
            effort: plan.effort,
            format: schema.map(Format::from),
        },
        temperature: samples.temperature,
        top_p: samples.top_p,
        top_k: samples.top_k,
        stop_sequences: stop_sequences(request),
        metadata: user_id(request).map(|user_id| Metadata { user_id }),
        context_management: edits,
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

/// The edits of the conversation that Bedrock makes, if there are any.
fn edits<'a>(request: &Request<'a>) -> Option<ContextEdits<'a>> {
    let edits = request.context_edits.map(ContextEdits::of);
    edits.filter(|own| !own.edits.is_empty())
}

fn left_out(request: &Request<'_>, plan: &Plan, edits: Option<&ContextEdits<'_>>) -> Vec<Param> {
    let has_edits = request.context_edits.is_some() && edits.is_none();
    let edits = has_edits.then_some(Param::ContextEdits);
    plan.left_out.iter().copied().chain(edits).collect()
}

/// The betas of what the body has.
fn needed_betas(
    target: &Target<'_>,
    plan: &Plan,
    edits: Option<&ContextEdits<'_>>,
) -> Vec<&'static str> {
    let edits = edits.iter().flat_map(|own| own.betas.iter().copied());
    edits.chain(plan.needed_beta(target)).collect()
}

fn accepts(target: &Target<'_>) -> Accepts {
    let documents = target.model.is_none_or(Model::reads_documents);
    Accepts {
        images: target.model.is_none_or(Model::reads_images),
        documents: if documents {
            Documents::PdfAndText
        } else {
            Documents::None
        },
        tools: true,
        rich_results: true,
        failures: true,
        thinking: true,
        closing_system: target.model.is_some_and(|model| model.system_role),
    }
}

/// The client's limit, but never more than the model's: asking for more is an error at Bedrock and means "as much as
/// you can" everywhere else.
///
/// Without one, the answer has at least as much space as the thinking before it.
pub(in crate::bedrock) fn max_tokens(
    request: &Request<'_>,
    target: &Target<'_>,
    plan: &Plan,
) -> u32 {
    let most = target.model.and_then(|model| model.max_output);
    let default = DEFAULT_MAX_TOKENS.max(plan.budget().saturating_mul(2));
    match (request.max_output, most) {
        (Some(wanted), Some(most)) => wanted.min(most),
        (Some(wanted), None) => wanted,
        (None, Some(most)) => default.min(most),
        (None, None) => SAFE_MAX_TOKENS,
    }
}

/// How the model can keep an answer to a shape. An unknown model may have fewer ways than others.
fn means(target: &Target<'_>) -> Means {
    Means {
        schemas: target.model.is_some_and(|model| model.json_schema),
        forced_tools: target.model.is_none_or(|model| model.forced_tools),
    }
}

fn tool_list<'a>(tools: Tools<'a>, cache_points: &mut CachePoints) -> Vec<Cached<Offer<'a>>> {
    let list = tools.list.into_iter().map(|tool| Cached {
        content: match tool.native {
            Some(members) => Offer::Native(Native(members)),
            None => Offer::Tool(Tool {
                name: tool.name,
                description: tool.description,
                input_schema: tool.schema,
            }),
        },
        cache_control: cache_control(cache_points, tool.cache),
    });
    list.collect()
}

fn tool_choice<'a>(tools: &Tools<'a>) -> Option<ToolChoice<'a>> {
    let (kind, name) = match &tools.choice {
        Choice::Unset if tools.parallel || tools.list.is_empty() => return None,
        Choice::Unset | Choice::Auto => ("auto", None),
        Choice::None => ("none", None),
        Choice::Any => ("any", None),
        Choice::Tool(name) => ("tool", Some(name.clone())),
    };
    Some(ToolChoice {
        kind,
        name,
        disable_parallel_tool_use: !tools.parallel && kind != "none",
    })
}

struct Samples {
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<u32>,
}

impl Samples {
    /// The sampling parameters that the model takes.
    ///
    /// Claude's highest temperature is 1, clients may send up to 2: higher ones become 1. If a model takes only one
    /// of temperature and `top_p`, temperature is kept; if it takes none or thinks, all are left out.
    fn of(request: &Request<'_>, target: &Target<'_>, plan: &Plan) -> Self {
        let all = Self {
            temperature: request
                .sampling
                .temperature
                .map(|temperature| temperature.min(1.0)),
            top_p: request.sampling.top_p,
            top_k: request.sampling.top_k,
        };
        // Nothing is known about an unknown model, so it gets what every model except the newest takes.
        match target
            .model
            .map_or(Sampling::Either, |model| model.sampling)
        {
            Sampling::Any if !plan.is_on() => all,
            Sampling::Either if !plan.is_on() && all.temperature.is_some() => {
                Self { top_p: None, ..all }
            }
            Sampling::Either if !plan.is_on() => all,
            _ => Self {
                temperature: None,
                top_p: None,
                top_k: None,
            },
        }
    }
}

/// Claude refuses stop sequences that are only white space.
fn stop_sequences<'a>(request: &'a Request<'_>) -> Vec<&'a str> {
    let stops = request.stop.iter().map(|stop| &**stop);
    stops.filter(|stop| !stop.trim().is_empty()).collect()
}

/// The end user's id; Claude asks that it is not an e-mail address or the like.
fn user_id<'a>(request: &'a Request<'_>) -> Option<&'a str> {
    let user = match request.user.as_ref()? {
        EndUser::Opaque(id) => return Some(id),
        EndUser::Any(user) => user,
    };
    let opaque = user
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    let phone_number = user.bytes().all(|b| b.is_ascii_digit());
    (opaque && !phone_number && (1..=256).contains(&user.len())).then_some(user)
}

/// The cache points that the client asked for, in the order of their places.
fn requested_cache_points(tools: &Tools<'_>, conversation: &Conversation<'_>) -> Vec<CacheControl> {
    let mut found: Vec<_> = tools.list.iter().filter_map(|tool| tool.cache).collect();
    found.extend(conversation.system.iter().filter_map(|text| text.cache));
    for block in conversation.blocks() {
        if let BlockContent::ToolResult(result) = &block.content {
            found.extend(result.content.iter().filter_map(|block| block.cache));
        }
        found.extend(block.cache);
    }
    found.extend(conversation.closing.iter().filter_map(|text| text.cache));
    found
}
