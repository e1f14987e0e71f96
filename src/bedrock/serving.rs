//! Which of Bedrock's APIs carries a request.

use super::{Dialect, converse, dialect};
use crate::catalog::{Model, ModelFamily};
use crate::chat::{BlockContent, Error, Param, Request, Treatment};
use crate::config::Api;

/// How a model is served, as far as its channel and its id say.
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

/// The dialect for a request.
///
/// The channel's own choice wins. Left to itself the gateway prefers InvokeModel and takes Converse
/// where InvokeModel does not serve the model or the family's body cannot carry the request.
///
/// # Errors
///
/// When neither API serves the model.
pub fn dialect_for(serving: Serving, request: &Request<'_>) -> Result<&'static dyn Dialect, Error> {
    let family = dialect(serving.family);
    let (invoke, converse) = serving
        .model
        .map_or((true, true), |model| (model.invoke, model.converse));
    let converse = converse && !serving.is_invoke_only;
    match serving.api {
        Api::Invoke => Ok(family),
        Api::Converse => Ok(&converse::Converse),
        Api::Auto if !invoke && !converse => {
            let message = format!(
                "The model `{}` is served by neither InvokeModel nor Converse.",
                &*request.model
            );
            Err(Error::invalid(Param::Model, message).code("model_not_supported"))
        }
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
        && !family.reads_documents();
    let images =
        model.is_some_and(Model::reads_images) && has_images(request) && !family.carries_images();
    tools || documents || images
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

/// Whether any block is what is wanted, the blocks of results among them.
fn has(request: &Request<'_>, wanted: fn(&BlockContent<'_>) -> bool) -> bool {
    let blocks = request.messages.iter().flat_map(|message| &message.blocks);
    blocks.into_iter().any(|block| {
        wanted(&block.content)
            || match &block.content {
                BlockContent::ToolResult(result) => {
                    result.content.iter().any(|block| wanted(&block.content))
                }
                _ => false,
            }
    })
}
