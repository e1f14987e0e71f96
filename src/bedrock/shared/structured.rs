//! Structured output: answers in JSON, by whichever means a model has for them.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::bedrock::shared::answer_tool::AnswerPlace;
use crate::bedrock::shared::conversation::Conversation;
use crate::bedrock::shared::schema::{
    Members, Object, compact, in_subset, is_objects, object, owned, wrapped,
};
use crate::bedrock::shared::tool_names::{ANSWER_TOOL, ToolNames};
use crate::bedrock::shared::tools::{Choice, Tool, Tools, description};
use crate::chat::{Error, OutputFormat, Request};

/// The description of the tool, which guides the model.
const DESCRIPTION: &str = "Gives the final answer. Call it exactly once, with the whole answer.";

/// The instruction for a model that can neither keep to a schema nor be forced to call a tool.
const INSTRUCTION: &str =
    "The answer is one JSON object and nothing else: no words before or after it, no code fence.";

/// The same for an answer that need not be an object.
const INSTRUCTION_FOR_VALUE: &str =
    "The answer is one JSON value and nothing else: no words before or after it, no code fence.";

/// How a model can keep an answer to a shape.
#[derive(Clone, Copy, Debug)]
pub(in crate::bedrock) struct Means {
    /// It keeps to JSON schemas by itself.
    pub(in crate::bedrock) schemas: bool,
    /// It can be forced to call a tool.
    pub(in crate::bedrock) forced_tools: bool,
}

/// Makes the answer have the shape that the request asks for.
///
/// A model that keeps to schemas gets a strict one; others are forced to call one tool whose arguments are the
/// answer, and those that cannot be forced get an instruction. Returns the schema if the model is to keep to it by
/// itself.
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
        OutputFormat::JsonSchema(format) => (Some(Shape::of(format.schema)?), format.strict),
    };
    if let Some(shape) = &wanted
        && means.schemas
        && (strict || !means.forced_tools)
        && shape.has_one_form()
        && let Some(schema) = in_subset(&shape.object.schema)
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

/// Tells a model the shape that the answer must have, if an instruction is all that it takes.
///
/// # Errors
///
/// Never for a schema that is a JSON object.
pub(in crate::bedrock) fn instruct_to_keep_shape(
    request: &Request<'_>,
    conversation: &mut Conversation<'_>,
) -> Result<(), Error> {
    let wanted = match &request.output {
        OutputFormat::Text => return Ok(()),
        OutputFormat::JsonObject => None,
        OutputFormat::JsonSchema(format) => Some(Shape::of(format.schema)?),
    };
    conversation.instruct(instruction(wanted.as_ref()));
    Ok(())
}

/// The shape of an answer.
struct Shape<'a> {
    object: Object<'a>,
    /// Whether the answer is an object. If not, `object` has its schema nevertheless.
    is_object: bool,
}

impl<'a> Shape<'a> {
    fn of(schema: &'a RawValue) -> Result<Self, Error> {
        let is_object = is_objects(schema);
        let object = if is_object {
            object(schema)?
        } else {
            Object {
                schema: Cow::Borrowed(schema),
                note: None,
            }
        };
        Ok(Self { object, is_object })
    }

    /// Whether there are no alternatives: no note and nothing else makes a model keep to those.
    fn has_one_form(&self) -> bool {
        let kind = Members::of(&self.object.schema).get("type");
        let is_one = kind.is_some_and(|kind| kind.get().starts_with('"'));
        self.object.note.is_none() && is_one
    }

    /// The schema for the arguments of a tool.
    fn of_arguments(self) -> Result<Object<'a>, Error> {
        if self.is_object {
            return Ok(self.object);
        }
        Ok(Object {
            schema: wrapped(&self.object.schema)?,
            ..self.object
        })
    }
}

/// Tells a model that cannot be forced to call a tool that it must call one, if it must.
pub(in crate::bedrock) fn instruct_to_call(
    conversation: &mut Conversation<'_>,
    tools: &mut Tools<'_>,
) {
    let instruction = match &tools.choice {
        Choice::Any => "Call at least one of the tools before you answer.".to_owned(),
        Choice::Tool(name) => format!("Call the tool `{name}` before you answer."),
        Choice::Unset | Choice::None | Choice::Auto => return,
    };
    conversation.instruct(instruction);
    tools.choice = Choice::Auto;
}

fn instruction(wanted: Option<&Shape<'_>>) -> String {
    let Some(Shape { object, is_object }) = wanted else {
        return INSTRUCTION.to_owned();
    };
    let instruction = if *is_object {
        INSTRUCTION
    } else {
        INSTRUCTION_FOR_VALUE
    };
    let schema = compact(&object.schema);
    let note = object.note.as_ref();
    let note = note.map_or_else(String::new, |note| format!(" {note}"));
    format!("{instruction} It fits this JSON schema: {schema}{note}")
}

/// Adds the answer tool and forces the model to call it.
///
/// If the client has tools of its own, the model may call one of those instead, so it must call *any*.
fn force_answer<'a>(
    wanted: Option<Shape<'a>>,
    tools: &mut Tools<'a>,
    names: &mut ToolNames,
) -> Result<(), Error> {
    let place = match &wanted {
        Some(shape) if !shape.is_object => AnswerPlace::Member,
        _ => AnswerPlace::Arguments,
    };
    let Object { schema, note } = match wanted {
        Some(shape) => shape.of_arguments()?,
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
        native: None,
    });
    names.expect_answer_tool(place);
    Ok(())
}
