//! Encodes a chat request.

use super::betas::betas;
use super::body::{Body, Cached, Format, Metadata, OutputConfig, Tool, ToolChoice, VERSION};
use super::thinking::{Plan, plan};
use super::turns::{mark, messages, system};
use crate::bedrock::shared::cache_points::CachePoints;
use crate::bedrock::shared::conversation::{Accepts, BlockContent, Conversation, Documents, build};
use crate::bedrock::shared::structured::{Means, ask_for_a_call, keep_to_shape};
use crate::bedrock::shared::tools::{Choice, Tools};
use crate::bedrock::{Answer, EncodedRequest, Operation, Target, ToolNames};
use crate::catalog::{Caching, Model, Sampling};
use crate::chat::{CacheControl, Error, Request};

/// Answer limit, in tokens, when the client sets none: Claude requires one. Not the model's
/// maximum, because Bedrock counts the limit against the account's token quota up front
/// (<https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html>).
const DEFAULT_MAX_TOKENS: u32 = 16_384;

/// Answer limit that every model of the family takes, for models that the catalogue does not know.
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
    ask_for_a_call(&mut conversation, &mut tools, means.forced_tools);
    let plan = plan(request, target, &conversation, tools.is_forced())?;
    let samples = Samples::of(request, target, &plan);
    let caching = target.model.map_or(Caching::Minutes, |model| model.caching);
    let mut marks = CachePoints::new(caching, wanted_marks(&tools, &conversation));
    let body = Body {
        anthropic_version: VERSION,
        anthropic_beta: betas(request)?,
        max_tokens: max_tokens(request, target, &plan),
        tool_choice: tool_choice(&tools),
        tools: tool_list(tools, &mut marks),
        system: system(&conversation.system, &mut marks),
        messages: messages(conversation, &mut names, &mut marks)?,
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
        failures: true,
        thinking: true,
        closing_system: target.model.is_some_and(|model| model.system_role),
    }
}

/// The client's limit, but never more than the model can: asking for more is an error at Bedrock
/// and means "as much as you can" everywhere else.
///
/// Without one the answer has at least as much room as the thinking before it.
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

/// What the model has to keep an answer to a shape. One that is not known may have less than others.
fn means(target: &Target<'_>) -> Means {
    Means {
        schemas: target.model.is_some_and(|model| model.json_schema),
        forced_tools: target.model.is_none_or(|model| model.forced_tools),
    }
}

fn tool_list<'a>(tools: Tools<'a>, marks: &mut CachePoints) -> Vec<Cached<Tool<'a>>> {
    let list = tools.list.into_iter().map(|tool| Cached {
        content: Tool {
            name: tool.name,
            description: tool.description,
            input_schema: tool.schema,
        },
        cache_control: mark(marks, tool.cache),
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
    /// Claude's temperature ends at 1, the client's at 2: higher ones become 1. Where a model takes one
    /// of temperature and `top_p`, temperature is kept; where it takes none or thinks, all are left
    /// out.
    fn of(request: &Request<'_>, target: &Target<'_>, plan: &Plan) -> Self {
        let all = Self {
            temperature: request
                .sampling
                .temperature
                .map(|temperature| temperature.min(1.0)),
            top_p: request.sampling.top_p,
            top_k: request.sampling.top_k,
        };
        // What an unknown model takes is unknown too, so it gets what every model but the newest
        // takes.
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

/// Claude refuses stop sequences of white space alone.
fn stop_sequences<'a>(request: &'a Request<'_>) -> Vec<&'a str> {
    let stops = request.stop.iter().map(|stop| &**stop);
    stops.filter(|stop| !stop.trim().is_empty()).collect()
}

/// The end user's id; Claude asks not to be sent e-mail addresses and the like.
fn user_id<'a>(request: &'a Request<'_>) -> Option<&'a str> {
    let user = request.user.as_deref()?;
    let opaque = user
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    let phone_number = user.bytes().all(|b| b.is_ascii_digit());
    (opaque && !phone_number && (1..=256).contains(&user.len())).then_some(user)
}

/// The ends of cached prefixes that the client marked, in the order of their places.
fn wanted_marks(tools: &Tools<'_>, conversation: &Conversation<'_>) -> Vec<CacheControl> {
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
