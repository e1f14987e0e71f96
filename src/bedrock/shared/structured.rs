//! Structured output where a model has no JSON mode of its own: the model is made to call one
//! tool, whose arguments are the answer.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::bedrock::ToolNames;
use crate::bedrock::shared::tools::{Choice, Tool, Tools, object_schema, owned};
use crate::chat::{Error, OutputFormat, Request};

/// Name of the tool whose arguments are the answer.
pub(in crate::bedrock) const ANSWER_TOOL: &str = "json_answer";

/// What the tool says it is for, which steers the model.
const DESCRIPTION: &str = "Gives the final answer. Call it exactly once, with the whole answer.";

/// The wanted shape of the answer.
pub(in crate::bedrock) enum Wanted<'a> {
    /// Free text.
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON that fits a schema, which is an object's.
    Schema(Cow<'a, RawValue>),
}

impl<'a> Wanted<'a> {
    /// What the request asks for.
    ///
    /// # Errors
    ///
    /// Never for a schema that is a JSON object.
    pub(in crate::bedrock) fn of(request: &'a Request<'_>) -> Result<Self, Error> {
        match &request.output {
            OutputFormat::Text => Ok(Self::Text),
            OutputFormat::JsonObject => Ok(Self::JsonObject),
            OutputFormat::JsonSchema(format) => object_schema(format.schema).map(Self::Schema),
        }
    }
}

/// Adds the answer tool and makes the model call it.
///
/// With tools of the client's own the model may call one of those instead, so it must call *any*.
///
/// # Errors
///
/// Never for a schema that [`Wanted::of`] made.
pub(in crate::bedrock) fn force_answer<'a>(
    schema: Option<Cow<'a, RawValue>>,
    tools: &mut Tools<'a>,
    names: &mut ToolNames,
) -> Result<(), Error> {
    let schema = match schema {
        Some(schema) => schema,
        None => owned(r#"{"type":"object"}"#.to_owned())?,
    };
    tools.choice = match &tools.choice {
        Choice::Unset | Choice::Auto | Choice::Any if !tools.list.is_empty() => Choice::Any,
        Choice::Tool(name) => Choice::Tool(name.clone()),
        _ => Choice::Tool(ANSWER_TOOL.into()),
    };
    tools.list.push(Tool {
        name: ANSWER_TOOL.into(),
        description: Some(DESCRIPTION),
        schema,
        strict: false,
        cache: None,
    });
    names.expect_answer_tool();
    Ok(())
}
