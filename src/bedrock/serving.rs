//! Which of Bedrock's APIs carries a request.

use super::shared::document::{self, is_text_file};
use super::shared::image;
use super::{Dialect, Documents, converse, dialect};
use crate::catalog::{Model, ModelFamily};
use crate::chat::{BlockContent, Error, Param, Request, Treatment};
use crate::config::Api;

/// How a model is served, as far as its channel and its id tell.
#[derive(Clone, Copy, Debug)]
pub struct Serving {
    /// What the catalogue knows about the model, if anything.
    pub model: Option<&'static Model>,
    /// Its family.
    pub family: ModelFamily,
    /// The API that the channel wants.
    pub api: Api,
    /// Whether the id is of a kind that Converse does not serve.
    pub is_invoke_only: bool,
}

impl Serving {
    /// Whether InvokeModel and Converse serve the model, as far as is known.
    fn apis(&self) -> (bool, bool) {
        let by_model = self.model.map(|model| (model.invoke, model.converse));
        let (invoke, converse) = by_model.unwrap_or((true, true));
        (invoke, converse && !self.is_invoke_only)
    }

    /// Whether the model is served at all: some that AWS lists are not, whatever the channel wants.
    ///
    /// # Errors
    ///
    /// A 400 if it is not; `name` is the client's.
    pub fn check(&self, name: &str) -> Result<(), Error> {
        if self.apis() != (false, false) {
            return Ok(());
        }
        let message = format!("The model `{name}` is served by neither InvokeModel nor Converse.");
        Err(Error::invalid(Param::Model, message).code("model_not_supported"))
    }

    /// Whether InvokeModel carries a request that says nothing which only Converse can.
    #[must_use]
    pub fn invokes(&self) -> bool {
        match self.api {
            Api::Invoke => self.apis() != (false, false),
            Api::Converse => false,
            Api::Auto => self.model.is_none_or(|model| model.invoke),
        }
    }
}

/// The dialect for a request.
///
/// The channel's own choice wins where there is one. Otherwise the gateway prefers InvokeModel, and takes Converse where InvokeModel
/// does not serve the model or the family's body cannot carry the request.
///
/// # Errors
///
/// When neither API serves the model.
pub fn dialect_for(serving: Serving, request: &Request<'_>) -> Result<&'static dyn Dialect, Error> {
    let family = dialect(serving.family);
    serving.check(&request.model)?;
    let (invoke, converse) = serving.apis();
    match serving.api {
        Api::Invoke => Ok(family),
        Api::Converse => Ok(&converse::Converse),
        Api::Auto if !invoke => Ok(&converse::Converse),
        Api::Auto if converse && needs_converse(family, serving.model, request) => {
            Ok(&converse::Converse)
        }
        Api::Auto => Ok(family),
    }
}

fn needs_converse(family: &dyn Dialect, model: Option<&Model>, request: &Request<'_>) -> bool {
    let tools = model.is_some_and(|model| model.tools)
        && uses_tools(request)
        && family.treatment(Param::Tools) == Treatment::Refused;
    let documents = model.is_some_and(Model::reads_documents)
        && has_documents(request)
        && family.documents() == Documents::None;
    let images =
        model.is_some_and(Model::reads_images) && has_images(request) && !family.carries_images();
    tools || documents || images
}

/// What is left out of the results of tools, because a model does not read it.
#[must_use]
pub fn lost_in_results(
    dialect: &dyn Dialect,
    model: Option<&Model>,
    request: &Request<'_>,
) -> Vec<&'static str> {
    let reads_images = model.is_none_or(Model::reads_images) && dialect.carries_images();
    let documents = match dialect.documents() {
        files if model.is_none_or(Model::reads_documents) => files,
        _ => Documents::None,
    };
    let mut lost = Vec::new();
    let is_lost = |own: &BlockContent<'_>| match own {
        BlockContent::Image(source) => !(reads_images && image::is_read(source)),
        _ => false,
    };
    if has_in_results(request, &is_lost) {
        lost.push("tool_result.image");
    }
    let is_lost = |own: &BlockContent<'_>| match own {
        BlockContent::Document(file) if documents == Documents::None => !is_text_file(file),
        BlockContent::Document(file) => !document::is_read(file, documents),
        _ => false,
    };
    if has_in_results(request, &is_lost) {
        lost.push("tool_result.file");
    }
    lost
}

fn has_in_results(request: &Request<'_>, wanted: &dyn Fn(&BlockContent<'_>) -> bool) -> bool {
    let mut blocks = request.messages.iter().flat_map(|message| &message.blocks);
    blocks.any(|block| is_in_result(&block.content, wanted))
}

fn is_in_result(content: &BlockContent<'_>, wanted: &dyn Fn(&BlockContent<'_>) -> bool) -> bool {
    match content {
        BlockContent::ToolResult(result) => {
            result.content.iter().any(|block| wanted(&block.content))
        }
        _ => false,
    }
}

fn uses_tools(request: &Request<'_>) -> bool {
    !request.tools.is_empty()
        || has(request, |content| {
            matches!(
                content,
                BlockContent::ToolUse(_) | BlockContent::ToolResult(_)
            )
        })
}

fn has_documents(request: &Request<'_>) -> bool {
    has(request, |content| {
        matches!(content, BlockContent::Document(_))
    })
}

fn has_images(request: &Request<'_>) -> bool {
    has(request, |content| matches!(content, BlockContent::Image(_)))
}

/// Whether any block matches, including the blocks of results.
fn has(request: &Request<'_>, wanted: fn(&BlockContent<'_>) -> bool) -> bool {
    let mut blocks = request.messages.iter().flat_map(|message| &message.blocks);
    blocks.any(|block| wanted(&block.content) || is_in_result(&block.content, &wanted))
}
