//! Which of Bedrock's APIs carries a request.

use crate::bedrock::{Dialect, converse};
use crate::catalog::Model;
use crate::chat::Error;
use crate::config::Api;
use crate::openai::{ChatRequest, Content, Param, Part, Treatment};
use crate::routes::Route;

/// The dialect for a request on a route.
///
/// The channel's own choice wins. Left to itself the gateway prefers InvokeModel and takes Converse
/// where InvokeModel does not serve the model or the family's body cannot carry the request.
///
/// # Errors
///
/// When neither API serves the model.
pub fn choose(route: &Route<'_>, request: &ChatRequest<'_>) -> Result<&'static dyn Dialect, Error> {
    let family = route.family.dialect();
    let (invoke, converse) = route
        .model
        .map_or((true, true), |model: &Model| (model.invoke, model.converse));
    let converse = converse && !route.is_invoke_only();
    match route.api() {
        Api::Invoke => Ok(family),
        Api::Converse => Ok(&converse::Converse),
        Api::Auto if !invoke && !converse => {
            let message = format!(
                "The model `{}` is served by neither InvokeModel nor Converse.",
                &*request.model
            );
            Err(Error::invalid("model", message).code("model_not_supported"))
        }
        Api::Auto if !invoke => Ok(&converse::Converse),
        Api::Auto if converse && needs_converse(family, route.model, request) => {
            Ok(&converse::Converse)
        }
        Api::Auto => Ok(family),
    }
}

fn needs_converse(family: &dyn Dialect, model: Option<&Model>, request: &ChatRequest<'_>) -> bool {
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

fn uses_tools(request: &ChatRequest<'_>) -> bool {
    let in_messages = request.messages.iter().any(|message| {
        message
            .tool_calls
            .as_ref()
            .is_some_and(|calls| !calls.is_empty())
            || message.function_call.is_some()
            || message.tool_call_id.is_some()
    });
    let offered = request
        .tools
        .as_ref()
        .is_some_and(|tools| !tools.is_empty())
        || request
            .functions
            .as_ref()
            .is_some_and(|functions| !functions.is_empty());
    offered || in_messages
}

fn has_documents(request: &ChatRequest<'_>) -> bool {
    parts(request).any(|part| part.file.is_some())
}

fn has_images(request: &ChatRequest<'_>) -> bool {
    parts(request).any(|part| part.image_url.is_some())
}

fn parts<'r>(request: &'r ChatRequest<'_>) -> impl Iterator<Item = &'r Part<'r>> {
    request
        .messages
        .iter()
        .flat_map(|message| match &message.content {
            Some(Content::Parts(parts)) => parts.as_slice(),
            _ => &[],
        })
}
