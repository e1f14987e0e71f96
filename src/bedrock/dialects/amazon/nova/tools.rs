//! Tools in Nova's words.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::body::{Empty, InputSchema, NamedTool, Tool, ToolChoice, ToolConfig, ToolSpec};
use crate::bedrock::ToolNames;
use crate::bedrock::shared::conversation::{BlockContent, Conversation};
use crate::bedrock::shared::schema::{Members, inline};
use crate::bedrock::shared::tools::{Choice, Tools, owned};
use crate::chat::Error;

/// Members that Nova takes at the top of a tool's schema.
///
/// <https://docs.aws.amazon.com/nova/latest/userguide/tool-use-definition.html>
const TOP_LEVEL: [&str; 3] = ["type", "properties", "required"];

/// The tools that the model may call; `None` when there are none.
///
/// Nova has no choice called "none", so tools that must not be called are left out. Where earlier
/// turns used tools some must be there all the same: the client's, or else ones with the names that
/// were called.
///
/// # Errors
///
/// Never for schemas that [`Tools::of`] read.
pub(super) fn config<'a>(
    tools: Tools<'a>,
    conversation: &Conversation<'a>,
    names: &mut ToolNames,
) -> Result<Option<ToolConfig<'a>>, Error> {
    if tools.choice == Choice::None && !conversation.uses_tools() {
        return Ok(None);
    }
    let tool_choice = match tools.choice {
        Choice::Unset | Choice::None => None,
        Choice::Auto => Some(ToolChoice::Auto(Empty {})),
        Choice::Any => Some(ToolChoice::Any(Empty {})),
        Choice::Tool(name) => Some(ToolChoice::Tool(NamedTool { name })),
    };
    let mut list = Vec::with_capacity(tools.list.len());
    for tool in tools.list {
        list.push(spec(tool.name, tool.description, top_level(tool.schema)?));
    }
    if list.is_empty() {
        for name in called(conversation) {
            let schema = owned(r#"{"type":"object","properties":{}}"#.to_owned())?;
            list.push(spec(names.send(name), None, schema));
        }
    }
    Ok((!list.is_empty()).then_some(ToolConfig {
        tools: list,
        tool_choice,
    }))
}

fn spec<'a>(name: Cow<'a, str>, description: Option<&'a str>, json: Cow<'a, RawValue>) -> Tool<'a> {
    Tool {
        tool_spec: ToolSpec {
            name,
            description,
            input_schema: InputSchema { json },
        },
    }
}

/// The names of the tools that were called in earlier turns, each once.
fn called<'a>(conversation: &Conversation<'a>) -> Vec<&'a str> {
    let mut called = Vec::new();
    for block in conversation.blocks() {
        if let BlockContent::ToolUse(call) = &block.content
            && !called.contains(&call.name)
        {
            called.push(call.name);
        }
    }
    called
}

/// The schema without what Nova refuses at its top: definitions are put where they are referred
/// to, titles and the like are left out.
fn top_level(schema: Cow<'_, RawValue>) -> Result<Cow<'_, RawValue>, Error> {
    let members = Members::of(&schema);
    let kept = |name: &str| TOP_LEVEL.contains(&name);
    if members.0.iter().all(|(name, _)| kept(name)) && members.get("properties").is_some() {
        return Ok(schema);
    }
    let inlined = inline(&schema)?;
    let members = Members::of(&inlined);
    let properties = members.get("properties").map_or("{}", RawValue::get);
    let required = members.get("required").map(RawValue::get);
    let required =
        required.map_or_else(String::new, |required| format!(r#","required":{required}"#));
    owned(format!(
        r#"{{"type":"object","properties":{properties}{required}}}"#
    ))
}
