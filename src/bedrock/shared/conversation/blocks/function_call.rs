//! The old way to call functions: one call a turn, tied to its result by name.

use super::super::{Accepts, Block, BlockContent, ToolUse};
use super::{arguments, missing, refuse_without_tools, result as tool_result};
use crate::chat::Error;
use crate::openai::{FunctionCall, Message};

/// The call. Its name is its id too, because nothing else ties the result to it.
pub(super) fn call<'a>(
    call: &'a FunctionCall<'_>,
    param: &str,
    accepts: Accepts,
) -> Result<BlockContent<'a>, Error> {
    refuse_without_tools(param, accepts)?;
    let param = format!("{param}.function_call.arguments");
    Ok(BlockContent::ToolUse(ToolUse {
        id: &call.name,
        name: &call.name,
        input: arguments(call.arguments.as_ref(), param)?,
    }))
}

/// The result of the function that the message names.
pub(in super::super) fn result<'a>(
    message: &'a Message<'_>,
    param: &str,
    accepts: Accepts,
) -> Result<Block<'a>, Error> {
    let Some(name) = &message.name else {
        return Err(missing(format!("{param}.name")));
    };
    tool_result(name, message, param, accepts)
}
