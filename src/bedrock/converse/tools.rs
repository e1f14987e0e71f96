//! Tools, the choice between them, and answers in JSON.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::body::{OutputConfig, Structure, TextFormat, Tool, ToolChoice, ToolConfig};
use super::family::{ToolChoices, Traits};
use super::messages::cache_point;
use crate::bedrock::shared::cache_points::CachePoints;
use crate::bedrock::shared::conversation::Conversation;
use crate::bedrock::shared::converse_blocks::{InputSchema, ToolSpec};
use crate::bedrock::shared::schema::{bare, held};
use crate::bedrock::shared::structured::Means;
use crate::bedrock::shared::tool_names::identifier;
use crate::bedrock::shared::tools::{Choice, Tools};
use crate::bedrock::{Operation, Target, ToolNames};
use crate::catalog::Model;
use crate::chat::{CacheControl, Error, OutputFormat, Param, Request};

/// The tools to send: the client's, or those that the history needs.
///
/// Converse cannot be told to call none, so tools that may not be called are left out; but it refuses calls in the
/// history without tools, so they stay if the history has any.
///
/// # Errors
///
/// A 400 for something that is not a tool, and for tools if the model has none.
pub(super) fn tools<'a>(
    request: &'a Request<'_>,
    conversation: &Conversation<'a>,
    traits: &Traits,
    names: &mut ToolNames,
) -> Result<Tools<'a>, Error> {
    let mut tools = Tools::of(request, names)?;
    let needed = conversation.uses_tools();
    if tools.choice == Choice::None && !needed {
        tools.list.clear();
    }
    tools.offer_what_was_called(conversation, names)?;
    if !tools.list.is_empty() && !traits.tools {
        let place = request.place_of(Param::Tools);
        return Err(Error::unsupported(
            place,
            "This model does not support tools.",
        ));
    }
    Ok(tools)
}

/// How the model can keep an answer to a shape.
pub(super) fn means(target: &Target<'_>, traits: &Traits) -> Means {
    Means {
        schemas: target
            .model
            .is_some_and(Model::keeps_to_schemas_on_converse),
        forced_tools: traits.forces_tools(),
    }
}

/// <https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>
pub(super) fn output_config<'a>(
    request: &'a Request<'_>,
    schema: Cow<'a, RawValue>,
) -> Option<OutputConfig<'a>> {
    let OutputFormat::JsonSchema(format) = &request.output else {
        return None;
    };
    let schema = match schema {
        Cow::Borrowed(schema) => Cow::Borrowed(schema.get()),
        Cow::Owned(schema) => Cow::Owned(schema.get().to_owned()),
    };
    let structure = Structure::JsonSchema {
        schema,
        name: identifier(&format.name),
        description: format
            .description
            .as_deref()
            .filter(|text| !text.trim().is_empty()),
    };
    Some(OutputConfig {
        text_format: TextFormat {
            kind: "json_schema",
            structure,
        },
    })
}

/// The operation for a request. A model that does not stream with tools answers as a whole then; the client gets
/// that as a stream nevertheless.
pub(super) fn operation(request: &Request<'_>, tools: &Tools<'_>, traits: &Traits) -> Operation {
    if tools.list.is_empty() || traits.streams_tools {
        Operation::converse(request)
    } else {
        Operation::Converse
    }
}

/// `toolConfig`, if there are tools.
///
/// # Errors
///
/// Never for schemas that [`Tools::of`] read.
pub(super) fn config<'a>(
    mut tools: Tools<'a>,
    target: &Target<'_>,
    traits: &Traits,
    cache_points: &mut CachePoints,
) -> Result<Option<ToolConfig<'a>>, Error> {
    let tool_choice = choice(&mut tools, traits);
    let takes_strict = target
        .model
        .is_some_and(Model::takes_strict_tools_on_converse);
    let mut list = Vec::with_capacity(tools.list.len());
    for tool in tools.list {
        let schema = if traits.free_tools {
            tool.schema
        } else {
            bare(tool.schema)?
        };
        let (json, strict) = if tool.strict && takes_strict {
            held(schema)
        } else {
            (schema, false)
        };
        list.push(Tool::ToolSpec(ToolSpec {
            name: tool.name,
            description: tool.description,
            input_schema: InputSchema { json },
            strict,
        }));
        let mark = tool.cache.filter(|_| traits.caches_tools);
        list.extend(cache_point(cache_points, mark).map(Tool::CachePoint));
    }
    Ok((!list.is_empty()).then_some(ToolConfig {
        tools: list,
        tool_choice,
    }))
}

/// The choice in a form that the model takes.
fn choice<'a>(tools: &mut Tools<'a>, traits: &Traits) -> Option<ToolChoice<'a>> {
    match &tools.choice {
        Choice::Unset | Choice::None | Choice::Auto => None,
        Choice::Any => Some(ToolChoice::Any {}),
        Choice::Tool(name) if traits.tool_choices == ToolChoices::Tool => {
            Some(ToolChoice::Tool { name: name.clone() })
        }
        // If it is the only tool, any tool is that tool.
        Choice::Tool(name) => {
            tools.list.retain(|tool| tool.name == *name);
            Some(ToolChoice::Any {})
        }
    }
}

/// The cache points for which the client asked in tools.
pub(super) fn requested_cache_points(tools: &Tools<'_>, traits: &Traits) -> Vec<CacheControl> {
    let marked = tools.list.iter().filter_map(|tool| tool.cache);
    marked.filter(|_| traits.caches_tools).collect()
}
