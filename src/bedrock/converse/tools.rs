//! Tools, the choice among them, and answers in JSON.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::body::{
    InputSchema, OutputConfig, Structure, TextFormat, Tool, ToolChoice, ToolConfig, ToolSpec,
};
use super::family::{Choices, Traits};
use super::messages::cache_point;
use crate::bedrock::dialect::encoding_failed;
use crate::bedrock::shared::cache_points::CachePoints;
use crate::bedrock::shared::conversation::{BlockContent, Conversation};
use crate::bedrock::shared::structured::{Wanted, force_answer};
use crate::bedrock::shared::tool_names::identifier;
use crate::bedrock::shared::tools::{self, Choice, Tools};
use crate::bedrock::{Target, ToolNames};
use crate::catalog::Model;
use crate::chat::{self, Error, OutputFormat, Param, Request};

/// Schema of a tool that is known from the history alone.
const ANY_OBJECT: &str = r#"{"type":"object","properties":{}}"#;

/// The tools to send: the client's, or those that the history needs.
///
/// Converse cannot be told to call none, so tools that may not be called stay away; but it refuses
/// calls in the history without tools, so they stay for a history that has any.
///
/// # Errors
///
/// A 400 for what is no tool, and for tools where the model has none.
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
    if tools.list.is_empty() && needed {
        tools.list = from_history(conversation, names)?;
        tools.choice = Choice::Unset;
    }
    if !tools.list.is_empty() && !traits.tools {
        let place = request.place_of(Param::Tools);
        return Err(Error::unsupported(place, "This model calls no tools."));
    }
    Ok(tools)
}

/// One tool for each name that was called.
fn from_history<'a>(
    conversation: &Conversation<'a>,
    names: &mut ToolNames,
) -> Result<Vec<tools::Tool<'a>>, Error> {
    let schema: &'static RawValue =
        serde_json::from_str(ANY_OBJECT).map_err(|error| encoding_failed(&error))?;
    let mut list: Vec<tools::Tool<'a>> = Vec::new();
    for block in conversation.blocks() {
        let BlockContent::ToolUse(call) = &block.content else {
            continue;
        };
        let name = names.send(call.name);
        if !list.iter().any(|tool| tool.name == name) {
            list.push(tools::Tool {
                name,
                description: None,
                schema: Cow::Borrowed(schema),
                strict: false,
                cache: None,
            });
        }
    }
    Ok(list)
}

/// Keeps the answer to a JSON shape: by the model's own means where it has them and the schema is
/// strict, which they insist on; else by a tool that must be called.
///
/// # Errors
///
/// A 400 for a model that has neither.
pub(super) fn structured<'a>(
    request: &'a Request<'_>,
    target: &Target<'_>,
    traits: &Traits,
    (tools, names): (&mut Tools<'a>, &mut ToolNames),
) -> Result<Option<OutputConfig<'a>>, Error> {
    let schema = match (Wanted::of(request)?, &request.output) {
        (Wanted::Text, _) => return Ok(None),
        (Wanted::Schema(schema), OutputFormat::JsonSchema(format))
            if format.strict && keeps_to_schemas(target.model) =>
        {
            return Ok(Some(native(schema, format)));
        }
        (Wanted::Schema(schema), _) => Some(schema),
        (Wanted::JsonObject, _) => None,
    };
    if !traits.forces_tools() {
        let message = if keeps_to_schemas(target.model) {
            "This model can be held to a JSON schema only if it is strict; set \
             'json_schema.strict' to true."
        } else {
            "This model cannot be held to JSON; ask for it in the prompt."
        };
        return Err(Error::unsupported(Param::OutputFormat, message));
    }
    force_answer(schema, tools, names).map(|()| None)
}

fn keeps_to_schemas(model: Option<&Model>) -> bool {
    model.is_some_and(|model| model.json_schema)
}

/// <https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>
fn native<'a>(schema: Cow<'a, RawValue>, format: &'a chat::JsonSchema<'_>) -> OutputConfig<'a> {
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
    OutputConfig {
        text_format: TextFormat {
            kind: "json_schema",
            structure,
        },
    }
}

/// Refuses to make a model call a tool that cannot be made to.
pub(super) fn refuse_forced(
    request: &Request<'_>,
    tools: &Tools<'_>,
    traits: &Traits,
) -> Result<(), Error> {
    if !tools.is_forced() || traits.forces_tools() {
        return Ok(());
    }
    let place = request.place_of(Param::ToolChoice);
    let message = "This model cannot be made to call a tool; use tool_choice 'auto'.";
    Err(Error::unsupported(place, message))
}

/// Refuses tools in a stream where the model has none there.
pub(super) fn refuse_streamed(
    request: &Request<'_>,
    tools: &Tools<'_>,
    traits: &Traits,
) -> Result<(), Error> {
    if tools.list.is_empty() || traits.streams_tools || !request.stream {
        return Ok(());
    }
    let message = "This model does not stream answers to requests with tools; set 'stream' to \
                   false.";
    Err(Error::unsupported(Param::Stream, message))
}

/// `toolConfig`, if there are tools.
pub(super) fn config<'a>(
    mut tools: Tools<'a>,
    target: &Target<'_>,
    traits: &Traits,
    marks: &mut CachePoints,
) -> Option<ToolConfig<'a>> {
    let tool_choice = choice(&mut tools, traits);
    let strict = keeps_to_schemas(target.model);
    let mut list = Vec::with_capacity(tools.list.len());
    for tool in tools.list {
        list.push(Tool::ToolSpec(ToolSpec {
            name: tool.name,
            description: tool.description,
            input_schema: InputSchema { json: tool.schema },
            strict: tool.strict && strict,
        }));
        let mark = tool.cache.filter(|_| traits.caches_tools);
        list.extend(cache_point(marks, mark).map(Tool::CachePoint));
    }
    (!list.is_empty()).then_some(ToolConfig {
        tools: list,
        tool_choice,
    })
}

/// The choice in words that the model takes.
fn choice<'a>(tools: &mut Tools<'a>, traits: &Traits) -> Option<ToolChoice<'a>> {
    match &tools.choice {
        Choice::Unset | Choice::None | Choice::Auto => None,
        Choice::Any => Some(ToolChoice::Any {}),
        Choice::Tool(name) if traits.choices == Choices::Tool => {
            Some(ToolChoice::Tool { name: name.clone() })
        }
        // With that tool alone, any tool is that tool.
        Choice::Tool(name) => {
            tools.list.retain(|tool| tool.name == *name);
            Some(ToolChoice::Any {})
        }
    }
}

/// How many marks of cached prefixes can be set in tools.
pub(super) fn marks(tools: &Tools<'_>, traits: &Traits) -> usize {
    let marked = tools.list.iter().filter(|tool| tool.cache.is_some());
    if traits.caches_tools {
        marked.count()
    } else {
        0
    }
}
