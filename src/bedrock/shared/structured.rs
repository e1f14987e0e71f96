//! Structured output: answers that are JSON, by whichever means a model has for them.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::bedrock::ToolNames;
use crate::bedrock::shared::conversation::Conversation;
use crate::bedrock::shared::schema::{Object, compact, in_subset, object, owned};
use crate::bedrock::shared::tools::{Choice, Tool, Tools, description};
use crate::chat::{Error, OutputFormat, Request};

/// Name of the tool whose arguments are the answer.
pub(in crate::bedrock) const ANSWER_TOOL: &str = "json_answer";

/// What the tool says it is for, which steers the model.
const DESCRIPTION: &str = "Gives the final answer. Call it exactly once, with the whole answer.";

/// What a model is told that can neither be held to a schema nor be made to call a tool.
const INSTRUCTION: &str =
    "The answer is one JSON object and nothing else: no words before or after it, no code fence.";

/// What a model has to keep an answer to a shape.
#[derive(Clone, Copy, Debug)]
pub(in crate::bedrock) struct Means {
    /// It keeps to JSON schemas by itself.
    pub(in crate::bedrock) schemas: bool,
    /// It can be made to call a tool.
    pub(in crate::bedrock) forced_tools: bool,
}

/// Sees to it that the answer has the shape that the request asks for.
///
/// A model that keeps to schemas is given a strict one; others are made to call one tool whose
/// arguments are the answer, and those that cannot be made to are told. Returns the schema where the
/// model is to keep to it by itself.
///
/// # Errors
///
/// Never for a schema that is a JSON object.
pub(in crate::bedrock) fn keep_to_shape<'a>(
    request: &'a Request<'_>,
    means: Means,
    conversation: &mut Conversation<'a>,
    (tools, names): (&mut Tools<'a>, &mut ToolNames),
) -> Result<Option<Cow<'a, RawValue>>, Error> {
    let (wanted, strict) = match &request.output {
        OutputFormat::Text => return Ok(None),
        OutputFormat::JsonObject => (None, false),
        OutputFormat::JsonSchema(format) => (Some(object(format.schema)?), format.strict),
    };
    if let Some(object) = &wanted
        && means.schemas
        && (strict || !means.forced_tools)
        // What alternatives mean, a note cannot hold it to.
        && object.note.is_none()
        && let Some(schema) = in_subset(&object.schema)
    {
        return Ok(Some(schema));
    }
    if means.forced_tools {
        force_answer(wanted, tools, names)?;
    } else {
        conversation.instruct(instruction(wanted.as_ref()));
    }
    Ok(None)
}

/// Tells a model that it must call a tool, if it must and cannot be made to.
pub(in crate::bedrock) fn ask_for_a_call(
    conversation: &mut Conversation<'_>,
    tools: &mut Tools<'_>,
    forced_tools: bool,
) {
    if forced_tools {
        return;
    }
    let instruction = match &tools.choice {
        Choice::Any => "Call at least one of the tools before you answer.".to_owned(),
        Choice::Tool(name) => format!("Call the tool `{name}` before you answer."),
        Choice::Unset | Choice::None | Choice::Auto => return,
    };
    conversation.instruct(instruction);
    tools.choice = Choice::Auto;
}

fn instruction(wanted: Option<&Object<'_>>) -> String {
    let Some(object) = wanted else {
        return INSTRUCTION.to_owned();
    };
    let schema = compact(&object.schema);
    let note = object.note.as_ref();
    let note = note.map_or_else(String::new, |note| format!(" {note}"));
    format!("{INSTRUCTION} It fits this JSON schema: {schema}{note}")
}

/// Adds the answer tool and makes the model call it.
///
/// With tools of the client's own the model may call one of those instead, so it must call *any*.
fn force_answer<'a>(
    wanted: Option<Object<'a>>,
    tools: &mut Tools<'a>,
    names: &mut ToolNames,
) -> Result<(), Error> {
    let Object { schema, note } = match wanted {
        Some(object) => object,
        None => Object {
            schema: owned(r#"{"type":"object"}"#.to_owned())?,
            note: None,
        },
    };
    tools.choice = match &tools.choice {
        Choice::Unset | Choice::Auto | Choice::Any if !tools.list.is_empty() => Choice::Any,
        Choice::Tool(name) => Choice::Tool(name.clone()),
        _ => Choice::Tool(ANSWER_TOOL.into()),
    };
    tools.list.push(Tool {
        name: ANSWER_TOOL.into(),
        description: description(Some(DESCRIPTION), note),
        schema,
        strict: false,
        cache: None,
    });
    names.expect_answer_tool();
    Ok(())
}
