//! Tools in Nova's format.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::body::{Empty, NamedTool, Tool, ToolChoice, ToolConfig};
use crate::bedrock::shared::conversation::Conversation;
use crate::bedrock::shared::converse_blocks::{InputSchema, ToolSpec};
use crate::bedrock::shared::schema::bare;
use crate::bedrock::shared::tools::{Choice, Tools};
use crate::chat::Error;

/// The tools that the model may call; `None` if there are none.
///
/// Nova has no choice called "none", so tools that must not be called are left out, unless earlier turns used tools.
///
/// # Errors
///
/// Never for schemas that [`Tools::of`] read.
pub(super) fn config<'a>(
    tools: Tools<'a>,
    conversation: &Conversation<'a>,
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
        list.push(spec(tool.name, tool.description, bare(tool.schema)?));
    }
    Ok((!list.is_empty()).then_some(ToolConfig {
        tools: list,
        tool_choice,
    }))
}

fn spec<'a>(
    name: Cow<'a, str>,
    description: Option<Cow<'a, str>>,
    json: Cow<'a, RawValue>,
) -> Tool<'a> {
    Tool {
        tool_spec: ToolSpec {
            name,
            description,
            input_schema: InputSchema { json },
            strict: false,
        },
    }
}
