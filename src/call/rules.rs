//! What a caller's rules make of its requests.

use http::StatusCode;

use crate::chat::{
    At, Block, BlockContent, EffortScope, Error, ErrorKind, Field, Guardrail, Param, Part, Place,
    Request,
};
use crate::config::{self, CallerRules, Feature};
use crate::json::Text;
use crate::protocol::anthropic_messages::{Asked, Object};
use crate::protocol::{Parsed, Protocol, Said};

/// The member with which clients mark what may be cached, whatever they speak.
const MARK: &str = "cache_control";

/// Reads a request as it goes on under its caller's rules. One whose tokens are only counted uses nothing, so they do
/// not concern it.
///
/// # Errors
///
/// The client's fault, or a 403 for what its caller may not use.
pub(crate) fn read_request<'a>(
    (protocol, said): (&dyn Protocol, &Said),
    body: &'a [u8],
    rules: Option<&CallerRules>,
) -> Result<Parsed<'a>, Error> {
    let mut parsed = protocol.parse(body, said)?;
    if let Some(rules) = rules.filter(|_| parsed.counter.is_none()) {
        for feature in &rules.refused {
            if let Some(place) = use_of(*feature, &parsed) {
                return Err(refusal(*feature, place, &parsed.request));
            }
        }
        apply(rules, &mut parsed.request)?;
    }
    Ok(parsed)
}

/// Sets what the rules set.
fn apply(rules: &CallerRules, request: &mut Request<'_>) -> Result<(), Error> {
    if let Some(own) = &rules.guardrail {
        request.guardrail = Some(guardrail(own, request.guardrail.take())?);
    }
    if let Some(tier) = rules.service_tier
        && matches!(request.service_tier.as_deref(), None | Some("auto"))
    {
        request.service_tier = Some(tier.as_str().into());
    }
    request.labels.clone_from(&rules.request_metadata);
    Ok(())
}

/// The caller's guardrail. The client may name the same, and how much it wants to see of its work.
fn guardrail<'a>(
    own: &config::Guardrail,
    named: Option<Guardrail<'a>>,
) -> Result<Guardrail<'a>, Error> {
    let trace = own.trace.map(|trace| Text::from(trace.as_str()));
    let mut set = Guardrail {
        identifier: own.identifier.clone().into(),
        version: own.version.clone().into(),
        trace,
    };
    let Some(named) = named else {
        return Ok(set);
    };
    if named.identifier != set.identifier || named.version != set.version {
        let message = "This caller's requests have a guardrail that they cannot replace; remove 'guardrailConfig'.";
        return Err(not_allowed(message.to_owned(), Param::Guardrail.into()));
    }
    set.trace = set.trace.or(named.trace);
    Ok(set)
}

/// Where a request uses something, if it does.
fn use_of(feature: Feature, parsed: &Parsed<'_>) -> Option<Place> {
    match (feature, parsed.native.as_deref()) {
        (Feature::Thinking, _) => {
            let request = &parsed.request;
            thinking(request)
                .next()
                .map(|param| request.place_of(param))
        }
        (Feature::Tools, Some(asked)) => {
            let added = || find(asked, &|block| block.kind() == "tool_addition");
            let place = Param::Tools.into();
            (!asked.tools.1.is_empty()).then_some(place).or_else(added)
        }
        (Feature::Tools, None) => {
            let request = &parsed.request;
            (!request.tools.is_empty()).then(|| request.place_of(Param::Tools))
        }
        (Feature::Documents, Some(asked)) => find(asked, &|block| block.kind() == "document"),
        (Feature::Documents, None) => {
            let is_file = |block: &Block<'_>| matches!(block.content, BlockContent::Document(_));
            find_in_chat(&parsed.request, &is_file)
        }
        (Feature::PromptCaching, Some(asked)) => {
            let is_marked = asked.get(MARK).is_some();
            let is_marked = is_marked || asked.tools.1.iter().any(has_mark);
            let mark = is_marked.then(|| MARK.into());
            mark.or_else(|| find(asked, &has_mark))
        }
        (Feature::PromptCaching, None) => {
            let request = &parsed.request;
            let mut asked = request.asked.iter();
            let is_marked = asked.any(|own| own.param == Param::CacheMark);
            let is_marked = is_marked || request.tools.iter().any(|tool| tool.cache.is_some());
            let mark = is_marked.then(|| MARK.into());
            mark.or_else(|| find_in_chat(request, &|block| block.cache.is_some()))
        }
    }
}

/// The parameters with which a request asks a model to think. At Anthropic an effort is about the whole answer.
fn thinking(request: &Request<'_>) -> impl Iterator<Item = Param> + use<> {
    let is_about_answer = request.reasoning.effort_scope == EffortScope::Answer;
    let wishes = request.reasoning.wishes();
    wishes.filter(move |wish| *wish != Param::Effort || !is_about_answer)
}

fn has_mark(object: &Object<'_>) -> bool {
    object.get(MARK).is_some()
}

/// The first block like that of a request in Anthropic's words.
fn find(asked: &Asked<'_>, is_wanted: &dyn Fn(&Object<'_>) -> bool) -> Option<Place> {
    let system = asked.system.as_ref();
    let system = system.map_or(&[][..], |content| content.blocks());
    let in_system = system.iter().position(|block| has(block, is_wanted));
    if let Some(index) = in_system {
        return Some(format!("system.{index}").into());
    }
    let mut messages = asked.messages.1.iter().enumerate();
    messages.find_map(|(message, own)| {
        let mut blocks = own.content.blocks().iter();
        let index = blocks.position(|block| has(block, is_wanted))?;
        let at = At {
            message,
            part: Part::Content(index),
        };
        Some(Place::Block(at, Field::Whole))
    })
}

/// Whether a block is like that, or one inside it.
fn has(block: &Object<'_>, is_wanted: &dyn Fn(&Object<'_>) -> bool) -> bool {
    is_wanted(block) || block.inside().iter().any(|inner| has(inner, is_wanted))
}

/// The first block like that of a request in the chat vocabulary.
fn find_in_chat(request: &Request<'_>, is_wanted: &dyn Fn(&Block<'_>) -> bool) -> Option<Place> {
    let mut blocks = request.messages.iter().flat_map(|own| &own.blocks);
    let found = blocks.find_map(|block| match &block.content {
        _ if is_wanted(block) => Some(block.at),
        BlockContent::ToolResult(result) => {
            let inner = result.content.iter().find(|inner| is_wanted(inner));
            inner.map(|inner| inner.at)
        }
        _ => None,
    });
    found.map(|at| Place::Block(at, Field::Whole))
}

/// The error for what a caller may not use: what it is, and what to do.
fn refusal(feature: Feature, place: Place, request: &Request<'_>) -> Error {
    let (what, remedy) = match feature {
        Feature::Tools => ("Tools are", "remove them".to_owned()),
        Feature::Thinking => {
            let names = thinking(request).map(|param| format!("'{}'", request.name_of(param)));
            let names: Vec<_> = names.collect();
            ("Thinking is", format!("remove {}", names.join(" and ")))
        }
        Feature::Documents => ("Documents are", "send their text instead".to_owned()),
        Feature::PromptCaching => ("Prompt caching is", format!("remove '{MARK}'")),
    };
    let message = format!(
        "{what} not allowed for this caller; {remedy}, or ask the gateway's administrator to change that."
    );
    not_allowed(message, place)
}

fn not_allowed(message: String, place: Place) -> Error {
    let error = Error::new(StatusCode::FORBIDDEN, ErrorKind::Permission, message);
    error.code("not_allowed").param(place)
}
