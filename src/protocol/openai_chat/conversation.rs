//! From OpenAI's messages to those of the chat vocabulary.

use super::error::path;
use super::message::{self, CustomCall, FunctionCall, ThinkingBlock, ToolCall};
use crate::chat::{
    At, Block, BlockContent, CacheControl, Error, Message, Part, Role, ToolResult, ToolUse,
};
use crate::json::Text;
use crate::protocol::openai::arguments::input;
use crate::protocol::openai::blocks::{Spot, Words, block, blocks};
use crate::protocol::openai::content::Content;
use crate::protocol::openai::error::missing;
use crate::protocol::openai::free_text;
use crate::protocol::openai::part::{assistant_part, redacted, system_part, thinking, user_part};

/// How this API names parts.
const WORDS: Words = Words {
    path,
    system: "text",
    user: "text, image_url and file",
    assistant: "text and refusal",
};

fn spot(at: At) -> Spot {
    Spot { at, words: &WORDS }
}

/// The messages of a request.
///
/// # Errors
///
/// A 400 that names the malformed part.
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
        blocks: blocks(Some(content), spot(at), system_part)
            .map_err(|fault| fault.param("system"))?,
    })
}

/// Marks the end of a conversation as the end of what may be cached, unless it is marked already.
pub(super) fn mark_end(messages: &mut [Message<'_>], mark: CacheControl) {
    if let Some(last) = messages.last_mut().and_then(last_told) {
        last.cache = last.cache.or(Some(mark));
    }
}

/// The last block of a message that reaches models.
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
            blocks(message.content.take(), spot(at), system_part)?,
        ),
        message::Role::User => (
            Role::User,
            blocks(message.content.take(), spot(at), user_part)?,
        ),
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

/// Whether a block is a blank text, which is left out.
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
    let texts = blocks(message.content.take(), spot(at), assistant_part)?;
    if found.is_empty() {
        found = texts;
    } else {
        found.extend(texts);
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
        found.push(block(BlockContent::ToolUse(tool_use(call, at)?), at));
    }
    Ok(found)
}

fn tool_use(call: ToolCall<'_>, at: At) -> Result<ToolUse<'_>, Error> {
    let (name, input) = match (call.function, call.custom) {
        (Some(FunctionCall { name, arguments }), _) => {
            let place = || format!("{}.function.arguments", path(at));
            (name, input(arguments, place)?)
        }
        (None, Some(CustomCall { name, input })) => {
            let place = format!("{}.custom.input", path(at));
            (name, free_text::arguments(input, &place)?)
        }
        (None, None) => return Err(missing(format!("{}.function", path(at)))),
    };
    Ok(ToolUse {
        id: call.id,
        name,
        input,
    })
}

fn thought(block: ThinkingBlock<'_>) -> Option<BlockContent<'_>> {
    match &*block.kind {
        "redacted_thinking" => redacted(block.data),
        _ => Some(thinking(block.thinking, block.signature)),
    }
}

fn result<'a>(id: Text<'a>, content: Option<Content<'a>>, at: At) -> Result<Block<'a>, Error> {
    let content = blocks(content, spot(at), user_part)?;
    Ok(block(
        BlockContent::ToolResult(ToolResult {
            id,
            content,
            is_error: false,
        }),
        at,
    ))
}
