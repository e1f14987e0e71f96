//! What each kind of block and tool has to have, whoever gets it.
//!
//! Kinds that are not known here pass: whoever handles the request decides about them.

use super::fault::Fault;
use super::wire::{Object, Value};

const NOT_A_STRING: &str = "Input should be a valid string";

/// A block of the system prompt.
pub(super) fn system(block: &Object<'_>) -> Result<(), Fault> {
    match kind(block)? {
        "text" => said(block),
        other => Err(misplaced(other, "system prompts")),
    }
}

/// A block of the user's.
pub(super) fn user(block: &Object<'_>) -> Result<(), Fault> {
    match kind(block)? {
        "tool_result" => result(block),
        other @ ("tool_use" | "thinking" | "redacted_thinking") => {
            Err(misplaced(other, "user messages"))
        }
        _ => said(block),
    }
}

/// A block of the assistant's.
pub(super) fn assistant(block: &Object<'_>) -> Result<(), Fault> {
    match kind(block)? {
        "tool_use" => {
            text(block, "id")?;
            text(block, "name")?;
            match block.raw("input") {
                None => Err(Fault::missing("input")),
                Some(input) if input.get().starts_with('{') => Ok(()),
                Some(_) => Err(Fault::here("Input should be an object").below("input")),
            }
        }
        "thinking" => {
            optional(block, "thinking")?;
            optional(block, "signature")
        }
        "redacted_thinking" => text(block, "data"),
        other @ ("tool_result" | "image") => Err(misplaced(other, "assistant messages")),
        _ => said(block),
    }
}

/// The definition of a tool.
pub(super) fn tool(tool: &Object<'_>) -> Result<(), Fault> {
    optional(tool, "type")?;
    match tool.kind() {
        "" | "custom" => text(tool, "name")?,
        _ => optional(tool, "name")?,
    }
    optional(tool, "description")?;
    match tool.get("input_schema") {
        None => Ok(()),
        Some(Value::Object(_)) => Ok(()),
        Some(_) => Err(Fault::here("Input should be an object").below("input_schema")),
    }
}

fn misplaced(kind: &str, place: &str) -> Fault {
    Fault::here(format!("`{kind}` blocks are not allowed in {place}"))
}

/// Checks what any role may say.
fn said(block: &Object<'_>) -> Result<(), Fault> {
    match block.kind() {
        "text" => text(block, "text"),
        "image" | "document" => {
            optional(block, "title")?;
            optional(block, "context")?;
            match block.get("source") {
                None => Err(Fault::missing("source")),
                Some(Value::Object(own)) => source(own).map_err(|own| own.below("source")),
                Some(_) => Err(Fault::here("Input should be an object").below("source")),
            }
        }
        "search_result" => {
            text(block, "source")?;
            text(block, "title")?;
            match block.get("content") {
                Some(Value::Blocks(..)) => inside(block, system),
                _ => Err(Fault::here("Input should be a valid list").below("content")),
            }
        }
        _ => Ok(()),
    }
}

fn source(source: &Object<'_>) -> Result<(), Fault> {
    match kind(source)? {
        "base64" => {
            text(source, "media_type")?;
            text(source, "data")
        }
        "text" => {
            text(source, "media_type")?;
            text(source, "data")
        }
        "content" => match source.get("content") {
            Some(Value::Blocks(..)) => inside(source, said_in_document),
            Some(Value::Text(_)) => Ok(()),
            _ => Err(Fault::missing("content")),
        },
        _ => Ok(()),
    }
}

fn said_in_document(block: &Object<'_>) -> Result<(), Fault> {
    match kind(block)? {
        "text" | "image" => said(block),
        other => Err(misplaced(other, "documents")),
    }
}

fn result(block: &Object<'_>) -> Result<(), Fault> {
    text(block, "tool_use_id")?;
    if block.raw("is_error").is_some_and(|own| !is_bool(own.get())) {
        return Err(Fault::here("Input should be a valid boolean").below("is_error"));
    }
    match block.get("content") {
        None | Some(Value::Text(_)) => Ok(()),
        Some(Value::Blocks(..)) => inside(block, |block| {
            kind(block)?;
            said(block)
        }),
        Some(_) => {
            let words = "Input should be a valid string or a list of blocks";
            Err(Fault::here(words).below("content"))
        }
    }
}

fn is_bool(json: &str) -> bool {
    matches!(json, "true" | "false")
}

fn inside(
    block: &Object<'_>,
    check: impl Fn(&Object<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    for (index, own) in block.inside().iter().enumerate() {
        check(own).map_err(|own| own.below(index).below("content"))?;
    }
    Ok(())
}

fn kind<'o>(block: &'o Object<'_>) -> Result<&'o str, Fault> {
    text(block, "type").map(|()| block.kind())
}

/// A string that must be there.
fn text(object: &Object<'_>, name: &str) -> Result<(), Fault> {
    match object.get(name) {
        Some(Value::Text(_)) => Ok(()),
        Some(_) => Err(Fault::here(NOT_A_STRING).below(name)),
        None => Err(Fault::missing(name)),
    }
}

/// A string that may be there.
fn optional(object: &Object<'_>, name: &str) -> Result<(), Fault> {
    match object.get(name) {
        None => Ok(()),
        Some(_) => text(object, name),
    }
}
