//! From OpenAI's messages to those of the chat vocabulary.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::arguments::Arguments;
use super::content::{Content, Part as WirePart};
use super::error::path;
use super::message::{self, FunctionCall};
use super::part::{assistant_part, system_part, thought, user_part};
use super::read::missing;
use crate::chat::{
    At, Block, BlockContent, CacheControl, Error, Message, Part, Role, ToolResult, ToolUse,
};
use crate::json::Text;

/// The messages of a request.
///
/// # Errors
///
/// A 400 that names the part which is not what it should be.
pub(super) fn messages(wire: Vec<message::Message<'_>>) -> Result<Vec<Message<'_>>, Error> {
    // With room for one in front.
    let mut messages = Vec::with_capacity(wire.len() + 1);
    for (index, message) in wire.into_iter().enumerate() {
        messages.push(read(message, index)?);
    }
    Ok(messages)
}

/// Instructions that stand beside the messages.
///
/// # Errors
///
/// A 400 when they are more than text.
pub(super) fn system(content: Content<'_>) -> Result<Message<'_>, Error> {
    let at = At {
        message: 0,
        part: Part::Whole,
    };
    Ok(Message {
        role: Role::System,
        blocks: blocks(Some(content), at, system_part).map_err(|fault| fault.param("system"))?,
    })
}

/// Marks the end of a conversation as the end of what may be cached, unless it is marked already.
pub(super) fn mark_end(messages: &mut [Message<'_>], mark: CacheControl) {
    if let Some(last) = messages.last_mut().and_then(last_told) {
        last.cache = last.cache.or(Some(mark));
    }
}

/// The last block of a message that models are told.
fn last_told<'m, 'a>(message: &'m mut Message<'a>) -> Option<&'m mut Block<'a>> {
    let mut blocks = message.blocks.iter_mut();
    blocks.rfind(|block| !is_blank(block))
}

fn read(mut message: message::Message<'_>, index: usize) -> Result<Message<'_>, Error> {
    let at = At {
        message: index,
        part: Part::Whole,
    };
    let cache = message.cache_control.map(CacheControl::from);
    let (role, blocks) = match message.role {
        message::Role::System | message::Role::Developer => (
            Role::System,
            blocks(message.content.take(), at, system_part)?,
        ),
        message::Role::User => (Role::User, blocks(message.content.take(), at, user_part)?),
        message::Role::Assistant => (Role::Assistant, assistant(&mut message, at)?),
        message::Role::Tool => {
            let id = message.tool_call_id.take();
            let id = id.ok_or_else(|| missing(format!("{}.tool_call_id", path(at))))?;
            (Role::User, vec![result(id, message.content.take(), at)?])
        }
        // The name is the call's id too, because nothing else ties the result to it.
        message::Role::Function => {
            let name = message.name.take();
            let name = name.ok_or_else(|| missing(format!("{}.name", path(at))))?;
            (Role::User, vec![result(name, message.content.take(), at)?])
        }
    };
    let mut read = Message { role, blocks };
    if let Some(cache) = cache
        && let Some(last) = last_told(&mut read)
    {
        last.cache = Some(cache);
    }
    Ok(read)
}

/// Whether a block is a text that models are not told.
fn is_blank(block: &Block<'_>) -> bool {
    matches!(&block.content, BlockContent::Text(text) if text.is_blank())
}

/// What the assistant said: thoughts, texts, then calls.
fn assistant<'a>(message: &mut message::Message<'a>, at: At) -> Result<Vec<Block<'a>>, Error> {
    let thoughts = message.thinking_blocks.take().into_iter().flatten();
    let mut found: Vec<_> = thoughts
        .filter_map(thought)
        .map(|content| block(content, at))
        .collect();
    let said = blocks(message.content.take(), at, assistant_part)?;
    if found.is_empty() {
        found = said;
    } else {
        found.extend(said);
    }
    let refusal = message.refusal.take().map(BlockContent::Text);
    found.extend(refusal.map(|content| block(content, at)));
    if let Some(call) = message.function_call.take() {
        let FunctionCall { name, arguments } = call;
        let place = || format!("{}.function_call.arguments", path(at));
        let call = ToolUse {
            id: name.clone(),
            input: input(arguments, place)?,
            name,
        };
        found.push(block(BlockContent::ToolUse(call), at));
    }
    for (index, call) in message.tool_calls.take().into_iter().flatten().enumerate() {
        let at = At {
            part: Part::Call(index),
            ..at
        };
        let FunctionCall { name, arguments } = call.function;
        let place = || format!("{}.function.arguments", path(at));
        let call = ToolUse {
            id: call.id,
            name,
            input: input(arguments, place)?,
        };
        found.push(block(BlockContent::ToolUse(call), at));
    }
    Ok(found)
}

fn block(content: BlockContent<'_>, at: At) -> Block<'_> {
    Block {
        content,
        cache: None,
        at,
    }
}

fn result<'a>(id: Text<'a>, content: Option<Content<'a>>, at: At) -> Result<Block<'a>, Error> {
    let content = blocks(content, at, user_part)?;
    Ok(block(
        BlockContent::ToolResult(ToolResult {
            id,
            content,
            is_error: false,
        }),
        at,
    ))
}

/// The object of a call's arguments.
pub(super) fn input<'a>(
    arguments: Option<Arguments<'a>>,
    place: impl Fn() -> String,
) -> Result<Cow<'a, RawValue>, Error> {
    let arguments = arguments.unwrap_or_else(|| Arguments::Text(Text::default()));
    arguments.into_object().ok_or_else(|| {
        let message = "The arguments of a tool call must be a JSON object.";
        Error::invalid(place(), message)
    })
}

/// The blocks of a content: of a message's, or of one inside a part of it.
pub(super) fn blocks<'a>(
    content: Option<Content<'a>>,
    at: At,
    read: fn(WirePart<'a>, At) -> Result<Option<BlockContent<'a>>, Error>,
) -> Result<Vec<Block<'a>>, Error> {
    let parts = match content {
        None => return Ok(Vec::new()),
        Some(Content::Text(text)) => return Ok(vec![block(BlockContent::Text(text), at)]),
        Some(Content::Parts(parts)) => parts,
    };
    let mut found = Vec::with_capacity(parts.len());
    for (index, part) in parts.into_iter().enumerate() {
        let part_of = match at.part {
            Part::Content(outer) => Part::Nested(outer, index),
            _ => Part::Content(index),
        };
        let at = At {
            part: part_of,
            ..at
        };
        let cache = part.cache().map(Into::into);
        if let Some(content) = read(part, at)? {
            found.push(Block { content, cache, at });
        }
    }
    Ok(found)
}
