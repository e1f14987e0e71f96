//! From Anthropic's content blocks to those of the chat vocabulary.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::error::path;
use super::request::{self as wire, Content};
use crate::chat::{
    At, Block, BlockContent, Document, Error, Field, Message, Part, Place, Role, Source,
    ToolResult, ToolUse,
};

/// The messages of a request, its system prompt first.
///
/// # Errors
///
/// A 400 that names the block which is not what it should be.
pub(super) fn messages<'a>(
    system: Option<Content<'a>>,
    wire: Vec<wire::Message<'a>>,
) -> Result<Vec<Message<'a>>, Error> {
    let mut messages = Vec::with_capacity(wire.len() + 1);
    if let Some(content) = system {
        let at = At {
            message: 0,
            part: Part::Whole,
        };
        messages.push(Message {
            role: Role::System,
            blocks: blocks(content, at, Part::Content, text_block)?,
        });
    }
    for (index, message) in wire.into_iter().enumerate() {
        let at = At {
            message: index,
            part: Part::Whole,
        };
        let (role, read): (_, Read<'a>) = match message.role {
            wire::Role::System => (Role::System, text_block),
            wire::Role::User => (Role::User, user_block),
            wire::Role::Assistant => (Role::Assistant, assistant_block),
        };
        messages.push(Message {
            role,
            blocks: blocks(message.content, at, Part::Content, read)?,
        });
    }
    Ok(messages)
}

/// Reads one block.
type Read<'a> = fn(wire::Block<'a>, At) -> Result<BlockContent<'a>, Error>;

fn blocks<'a>(
    content: Content<'a>,
    at: At,
    part: impl Fn(usize) -> Part,
    read: Read<'a>,
) -> Result<Vec<Block<'a>>, Error> {
    let wire = match content {
        Content::Text(text) => {
            return Ok(vec![Block {
                content: BlockContent::Text(text),
                cache: None,
                at,
            }]);
        }
        Content::Blocks(wire) => wire,
    };
    let mut found = Vec::with_capacity(wire.len());
    for (index, block) in wire.into_iter().enumerate() {
        let at = At {
            part: part(index),
            ..at
        };
        let cache = block.cache_control;
        let content = read(block, at)?;
        found.push(Block { content, cache, at });
    }
    Ok(found)
}

fn text_block(block: wire::Block<'_>, at: At) -> Result<BlockContent<'_>, Error> {
    match (&*block.kind, block.text) {
        ("text", Some(text)) => Ok(BlockContent::Text(text)),
        ("text", None) => Err(required(at, "text")),
        (kind, _) => Err(unsupported(kind, at)),
    }
}

fn user_block(block: wire::Block<'_>, at: At) -> Result<BlockContent<'_>, Error> {
    match &*block.kind {
        "tool_result" => {
            let id = block.tool_use_id;
            let id = id.ok_or_else(|| required(at, "tool_use_id"))?;
            let index = match at.part {
                Part::Content(index) => index,
                _ => 0,
            };
            let inside = |inner| Part::Nested(index, inner);
            let content = block.content.map(|own| blocks(own, at, inside, said_block));
            Ok(BlockContent::ToolResult(ToolResult {
                id,
                content: content.transpose()?.unwrap_or_default(),
                is_error: block.is_error == Some(true),
            }))
        }
        _ => said_block(block, at),
    }
}

/// What the user says or a tool answers.
fn said_block(block: wire::Block<'_>, at: At) -> Result<BlockContent<'_>, Error> {
    match &*block.kind {
        "image" => source(block.source, at).map(BlockContent::Image),
        "document" => Ok(BlockContent::Document(Document {
            name: block.title,
            source: source(block.source, at)?,
        })),
        _ => text_block(block, at),
    }
}

fn assistant_block(block: wire::Block<'_>, at: At) -> Result<BlockContent<'_>, Error> {
    match &*block.kind {
        "thinking" => Ok(BlockContent::Thinking {
            text: block.thinking.unwrap_or_default(),
            signature: block.signature.unwrap_or_default(),
        }),
        "redacted_thinking" => Ok(BlockContent::RedactedThinking {
            data: block.data.ok_or_else(|| required(at, "data"))?,
        }),
        "tool_use" => Ok(BlockContent::ToolUse(ToolUse {
            id: block.id.ok_or_else(|| required(at, "id"))?,
            name: block.name.ok_or_else(|| required(at, "name"))?,
            input: input(block.input, at)?,
        })),
        _ => text_block(block, at),
    }
}

fn input(input: Option<&RawValue>, at: At) -> Result<Cow<'_, RawValue>, Error> {
    let input = input.ok_or_else(|| required(at, "input"))?;
    if input.get().starts_with('{') {
        return Ok(Cow::Borrowed(input));
    }
    let place = format!("{}.input", path(at));
    Err(Error::invalid(place, "Input should be an object"))
}

fn source(source: Option<wire::Source<'_>>, at: At) -> Result<Source<'_>, Error> {
    let source = source.ok_or_else(|| required(at, "source"))?;
    match (&*source.kind, source.data, source.url) {
        ("base64", Some(data), _) => Ok(Source::Base64 {
            media_type: source.media_type.unwrap_or_default(),
            data,
        }),
        ("url", _, Some(url)) => Ok(Source::Uri(url)),
        ("base64", None, _) => Err(required(at, "source.data")),
        ("url", _, None) => Err(required(at, "source.url")),
        (kind, ..) => {
            let message = format!("sources of type '{kind}' are not supported; use base64");
            let place = format!("{}.source.type", path(at));
            Err(Error::unsupported(place, message))
        }
    }
}

fn required(at: At, field: &str) -> Error {
    Error::invalid(format!("{}.{field}", path(at)), "Field required")
}

fn unsupported(kind: &str, at: At) -> Error {
    let message = format!("blocks of type '{kind}' are not supported here");
    Error::unsupported(Place::Block(at, Field::Kind), message)
}
