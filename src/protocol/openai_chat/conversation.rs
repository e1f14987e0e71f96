//! From OpenAI's messages to those of the chat vocabulary.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::content::{Content, Part as WirePart};
use super::error::path;
use super::message::{self, FunctionCall, ThinkingBlock};
use super::read::missing;
use crate::chat::{
    At, Block, BlockContent, CacheControl, Document, Error, Field, Message, Part, Place, Role,
    Source, ToolResult, ToolUse, media,
};
use crate::json::Text;

/// The messages of a request.
///
/// # Errors
///
/// A 400 that names the part which is not what it should be.
pub(super) fn messages<'a>(wire: &mut [message::Message<'a>]) -> Result<Vec<Message<'a>>, Error> {
    let mut messages = Vec::with_capacity(wire.len());
    for (index, message) in wire.iter_mut().enumerate() {
        messages.push(read(message, index)?);
    }
    Ok(messages)
}

fn read<'a>(message: &mut message::Message<'a>, index: usize) -> Result<Message<'a>, Error> {
    let at = At {
        message: index,
        part: Part::Whole,
    };
    let cache = message.cache_control.map(CacheControl::from);
    let (role, mut blocks) = match message.role {
        message::Role::System | message::Role::Developer => (
            Role::System,
            blocks(message.content.take(), at, system_part)?,
        ),
        message::Role::User => (Role::User, blocks(message.content.take(), at, user_part)?),
        message::Role::Assistant => (Role::Assistant, assistant(message, at)?),
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
    if let Some(cache) = cache {
        let mut blocks = blocks.iter_mut();
        if let Some(last) = blocks.rfind(|block| !is_blank(block)) {
            last.cache = Some(cache);
        }
    }
    Ok(Message { role, blocks })
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

/// Models and clients write "no arguments" as an empty string; models read only objects.
fn input<'a>(
    arguments: Option<Text<'a>>,
    place: impl Fn() -> String,
) -> Result<Cow<'a, RawValue>, Error> {
    let json = match arguments.map_or(Cow::Borrowed(""), Cow::from) {
        Cow::Borrowed(json) => {
            let json = some_arguments(json);
            serde_json::from_str::<&RawValue>(json).map(Cow::Borrowed)
        }
        Cow::Owned(json) => {
            let own = some_arguments(&json);
            let json = if own.len() == json.len() {
                json
            } else {
                own.to_owned()
            };
            RawValue::from_string(json).map(Cow::Owned)
        }
    };
    json.ok()
        .filter(|json| json.get().starts_with('{'))
        .ok_or_else(|| {
            let message = "The arguments of a tool call must be a JSON object.";
            Error::invalid(place(), message)
        })
}

fn some_arguments(json: &str) -> &str {
    match json.trim() {
        "" | "null" => "{}",
        json => json,
    }
}

/// The blocks of a content.
fn blocks<'a>(
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
        let at = At {
            part: Part::Content(index),
            ..at
        };
        let cache = part.cache().map(Into::into);
        if let Some(content) = read(part, at)? {
            found.push(Block { content, cache, at });
        }
    }
    Ok(found)
}

fn system_part(part: WirePart<'_>, at: At) -> Result<Option<BlockContent<'_>>, Error> {
    match &*part.kind {
        "text" => Ok(part.text.map(BlockContent::Text)),
        kind => Err(unsupported_part(kind, at, "text")),
    }
}

fn user_part(part: WirePart<'_>, at: At) -> Result<Option<BlockContent<'_>>, Error> {
    match &*part.kind {
        "text" => Ok(part.text.map(BlockContent::Text)),
        "image_url" => {
            let image = part.image_url;
            let image = image.ok_or_else(|| missing(format!("{}.image_url", path(at))))?;
            let source = Source::Uri(image.url);
            Ok(Some(if is_file(&source) {
                BlockContent::Document(Document { name: None, source })
            } else {
                BlockContent::Image(source)
            }))
        }
        "file" => file(part, at).map(Some),
        kind => Err(unsupported_part(kind, at, "text, image_url and file")),
    }
}

fn assistant_part(part: WirePart<'_>, at: At) -> Result<Option<BlockContent<'_>>, Error> {
    match &*part.kind {
        "text" => Ok(part.text.map(BlockContent::Text)),
        "refusal" => Ok(part.refusal.map(BlockContent::Text)),
        "thinking" => Ok(Some(thinking(part.thinking, part.signature))),
        "redacted_thinking" => Ok(redacted(part.data)),
        kind => Err(unsupported_part(kind, at, "text and refusal")),
    }
}

/// Whether an image is really a file: some clients send PDFs that way.
fn is_file(source: &Source<'_>) -> bool {
    let Source::Uri(uri) = source else {
        return false;
    };
    media::split_data_uri(uri)
        .is_some_and(|(media_type, _)| media::document(media_type, None).is_some())
}

fn file(part: WirePart<'_>, at: At) -> Result<BlockContent<'_>, Error> {
    let at = path(at);
    let file = part.file.unwrap_or_default();
    if file.file_id.is_some() {
        let message = "Files uploaded to OpenAI are not visible to Bedrock; send 'file_data'.";
        return Err(Error::unsupported(format!("{at}.file.file_id"), message));
    }
    let data = file.file_data;
    let data = data.ok_or_else(|| missing(format!("{at}.file.file_data")))?;
    Ok(BlockContent::Document(Document {
        name: file.filename,
        source: Source::Uri(data),
    }))
}

fn thought(block: ThinkingBlock<'_>) -> Option<BlockContent<'_>> {
    match &*block.kind {
        "redacted_thinking" => redacted(block.data),
        _ => Some(thinking(block.thinking, block.signature)),
    }
}

fn thinking<'a>(text: Option<Text<'a>>, signature: Option<Text<'a>>) -> BlockContent<'a> {
    BlockContent::Thinking {
        text: text.unwrap_or_default(),
        signature: signature.unwrap_or_default(),
    }
}

fn redacted(data: Option<Text<'_>>) -> Option<BlockContent<'_>> {
    data.map(|data| BlockContent::RedactedThinking { data })
}

fn unsupported_part(kind: &str, at: At, supported: &str) -> Error {
    let message =
        format!("Content parts of type '{kind}' are not supported here; use {supported}.");
    Error::unsupported(Place::Block(at, Field::Kind), message)
}
