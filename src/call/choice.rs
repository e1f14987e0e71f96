//! What a name chooses for a request.

use std::slice;

use super::refusals::unserved;
use super::tags::untag;
use crate::chat::{BlockContent, Effort, Error, Request, ThinkingMode};
use crate::protocol::anthropic_messages::{Asked, Content, Object, Value};
use crate::protocol::{Parsed, Protocol, Said};
use crate::routes::{Chosen, Facts, Permitted, Routes};

/// The header of an answer with the model that a name has chosen.
pub(crate) const SERVED: &str = "x-bedrock-model";

/// The models that are tried for a request, in their order.
#[derive(Clone, Debug)]
pub struct Wish<'r> {
    /// The name that the client asked for.
    asked: &'r str,
    /// What it has chosen, if it is not the name of a model.
    pub chosen: Option<Chosen<'r>>,
}

impl<'r> Wish<'r> {
    /// The models for a request; `tag` is the word by which the client chooses, if it says one.
    #[must_use]
    pub fn of(routes: &'r Routes, parsed: &'r Parsed<'_>, tag: Option<&str>) -> Self {
        let asked = &*parsed.request.model;
        Self {
            asked,
            chosen: routes.choose(asked, || facts(parsed, tag)),
        }
    }

    /// The routes as the caller may use them for the request.
    #[must_use]
    pub fn permitted<'p>(&self, all: Permitted<'p>) -> Permitted<'p> {
        all.by(self.asked)
    }

    /// The error for a caller that none of the models can serve now.
    #[must_use]
    pub fn unserved(&self, all: Permitted<'_>) -> Error {
        unserved(&match &self.chosen {
            Some(chosen) => all.why_none(self.asked, &chosen.models),
            None => all.why_not(self.asked),
        })
    }

    /// The names of the models, of which there is at least one.
    #[must_use]
    pub fn models(&self) -> &[&'r str] {
        match &self.chosen {
            Some(chosen) => &chosen.models,
            None => slice::from_ref(&self.asked),
        }
    }
}

/// What the name in a request has chosen, without the request being sent; `None` if that is the name of a model, or if
/// the request cannot be read.
#[must_use]
pub fn chosen<'r>(routes: &'r Routes, protocol: &dyn Protocol, body: &[u8]) -> Option<Chosen<'r>> {
    let untagged = untag(routes, None, body);
    let tag = untagged.as_ref().and_then(|own| own.tag.as_deref());
    let body = untagged.as_ref().map_or(body, |own| &own.body);
    let parsed = protocol.parse(body, &Said::default()).ok()?;
    routes.choose(&parsed.request.model, || facts(&parsed, tag))
}

/// The facts that rules use.
fn facts(parsed: &Parsed<'_>, tag: Option<&str>) -> Facts {
    let request = &parsed.request;
    let native = parsed.native.as_deref();
    Facts {
        tag: tag.map(str::to_owned),
        images: native.map_or_else(|| has_images(request), shows_images),
        tools: native.map_or(!request.tools.is_empty(), |own| !own.tools.1.is_empty()),
        reasoning: is_to_think(request),
        prompt_tokens: parsed.tokens(),
    }
}

fn is_to_think(request: &Request<'_>) -> bool {
    let thinking = request.reasoning.thinking.as_ref();
    let is_off = thinking.is_some_and(|own| own.mode == ThinkingMode::Disabled);
    match request.reasoning.effort {
        Some(Effort::None) => false,
        Some(_) => !is_off,
        None => thinking.is_some() && !is_off,
    }
}

fn has_images(request: &Request<'_>) -> bool {
    let blocks = request.messages.iter().flat_map(|message| &message.blocks);
    let mut contents = blocks.map(|block| &block.content);
    contents.any(|content| match content {
        BlockContent::Image(_) => true,
        BlockContent::ToolResult(result) => {
            let mut inside = result.content.iter();
            inside.any(|block| matches!(block.content, BlockContent::Image(_)))
        }
        _ => false,
    })
}

fn shows_images(asked: &Asked<'_>) -> bool {
    let mut contents = asked.messages.1.iter().map(|message| &message.content);
    contents.any(|content| match content {
        Content::Text(_) => false,
        Content::Blocks(_, blocks) => blocks.iter().any(is_image),
    })
}

fn is_image(block: &Object<'_>) -> bool {
    block.kind() == "image"
        || matches!(block.get("content"), Some(Value::Blocks(_, inside)) if inside.iter().any(is_image))
}
