//! Reads the content of messages.

pub(super) mod function_call;

use serde_json::value::RawValue;

use super::{Accepts, Block, BlockContent, ToolResult, ToolUse};
use crate::bedrock::shared::document;
use crate::bedrock::shared::image::Image;
use crate::chat::Error;
use crate::json::Text;
use crate::openai::{CacheControl, Content, Message, Part, ThinkingBlock, ToolCall};

/// Texts of a content that has nothing else.
pub(super) fn text_blocks<'a>(
    content: Option<&'a Content<'_>>,
    param: &str,
) -> Result<Vec<(Text<'a>, Option<CacheControl>)>, Error> {
    let found = blocks(content, param, |part, param| match &*part.kind {
        "text" => Ok(text_of(part)),
        kind => Err(unsupported_part(kind, param, "text")),
    })?;
    let texts = found.into_iter().filter_map(|block| match block.content {
        BlockContent::Text(text) => Some((text, block.cache)),
        _ => None,
    });
    Ok(texts.collect())
}

/// What a user says.
pub(super) fn user_blocks<'a>(
    content: Option<&'a Content<'_>>,
    param: &str,
    accepts: Accepts,
) -> Result<Vec<Block<'a>>, Error> {
    blocks(content, param, |part, param| match &*part.kind {
        "text" => Ok(text_of(part)),
        "image_url" if !document::is_data_uri(part) => image_block(part, param, accepts).map(Some),
        "image_url" | "file" => {
            let document = document::parse(part, param, accepts.documents)?;
            Ok(Some(BlockContent::Document(document)))
        }
        kind => Err(unsupported_part(kind, param, "text, image_url and file")),
    })
}

/// What the assistant said: thoughts, texts, then calls.
pub(super) fn assistant_blocks<'a>(
    message: &'a Message<'_>,
    param: &str,
    accepts: Accepts,
) -> Result<Vec<Block<'a>>, Error> {
    let mut found: Vec<Block<'a>> = Vec::new();
    let thoughts = message.thinking_blocks.iter().flatten();
    if accepts.thinking {
        found.extend(thoughts.filter_map(thought).map(Block::from));
    }
    found.extend(blocks(
        message.content.as_ref(),
        param,
        |part, param| match &*part.kind {
            "text" => Ok(text_of(part)),
            "refusal" => Ok(part.refusal.as_ref().and_then(text_block)),
            "thinking" | "redacted_thinking" if !accepts.thinking => Ok(None),
            "thinking" => Ok(thinking(part.thinking.as_ref(), part.signature.as_ref())),
            "redacted_thinking" => Ok(redacted(part.data.as_ref())),
            kind => Err(unsupported_part(kind, param, "text and refusal")),
        },
    )?);
    let refusal = message.refusal.as_ref().and_then(text_block);
    found.extend(refusal.map(Block::from));
    if let Some(call) = &message.function_call {
        found.push(function_call::call(call, param, accepts)?.into());
    }
    for (index, call) in message.tool_calls.iter().flatten().enumerate() {
        let param = format!("{param}.tool_calls[{index}]");
        found.push(tool_use(call, &param, accepts)?.into());
    }
    Ok(found)
}

/// The result of a tool call.
pub(super) fn tool_result<'a>(
    message: &'a Message<'_>,
    param: &str,
    accepts: Accepts,
) -> Result<Block<'a>, Error> {
    let Some(id) = &message.tool_call_id else {
        return Err(missing(format!("{param}.tool_call_id")));
    };
    result(id, message, param, accepts)
}

fn result<'a>(
    id: &'a str,
    message: &'a Message<'_>,
    param: &str,
    accepts: Accepts,
) -> Result<Block<'a>, Error> {
    refuse_without_tools(param, accepts)?;
    let content = user_blocks(message.content.as_ref(), param, accepts)?;
    Ok(BlockContent::ToolResult(ToolResult { id, content }).into())
}

fn tool_use<'a>(
    call: &'a ToolCall<'_>,
    param: &str,
    accepts: Accepts,
) -> Result<BlockContent<'a>, Error> {
    refuse_without_tools(param, accepts)?;
    let param = format!("{param}.function.arguments");
    Ok(BlockContent::ToolUse(ToolUse {
        id: &call.id,
        name: &call.function.name,
        input: arguments(call.function.arguments.as_ref(), param)?,
    }))
}

/// Models and clients write "no arguments" as an empty string; models read only objects.
fn arguments<'a>(text: Option<&'a Text<'_>>, param: String) -> Result<&'a RawValue, Error> {
    let text = match text.map_or("", |text| text.trim()) {
        "" | "null" => "{}",
        text => text,
    };
    serde_json::from_str::<&RawValue>(text)
        .ok()
        .filter(|input| input.get().starts_with('{'))
        .ok_or_else(|| Error::invalid(param, "The arguments of a tool call must be a JSON object."))
}

fn refuse_without_tools(param: &str, accepts: Accepts) -> Result<(), Error> {
    if accepts.tools {
        return Ok(());
    }
    let message = "This model cannot be told of tool calls and their results.";
    Err(Error::unsupported(param, message))
}

/// A thought that came back; without its proof a model would refuse it, so it is left out then.
fn thought<'a>(block: &'a ThinkingBlock<'_>) -> Option<BlockContent<'a>> {
    match &*block.kind {
        "redacted_thinking" => redacted(block.data.as_ref()),
        _ => thinking(block.thinking.as_ref(), block.signature.as_ref()),
    }
}

fn thinking<'a>(
    text: Option<&'a Text<'_>>,
    signature: Option<&'a Text<'_>>,
) -> Option<BlockContent<'a>> {
    let signature = signature.filter(|signature| !signature.is_empty())?;
    Some(BlockContent::Thinking {
        text: text.map_or("", |text| text),
        signature,
    })
}

fn redacted<'a>(data: Option<&'a Text<'_>>) -> Option<BlockContent<'a>> {
    data.map(|data| BlockContent::RedactedThinking { data })
}

/// The blocks of a content; blank texts are left out, because models refuse them.
fn blocks<'a>(
    content: Option<&'a Content<'_>>,
    param: &str,
    mut block: impl FnMut(&'a Part<'_>, &str) -> Result<Option<BlockContent<'a>>, Error>,
) -> Result<Vec<Block<'a>>, Error> {
    let parts = match content {
        None => return Ok(Vec::new()),
        Some(Content::Text(text)) => {
            return Ok(text_block(text).map(Block::from).into_iter().collect());
        }
        Some(Content::Parts(parts)) => parts,
    };
    let mut found = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        let param = format!("{param}.content[{index}]");
        if let Some(content) = block(part, &param)? {
            let cache = part.cache();
            found.push(Block { content, cache });
        }
    }
    Ok(found)
}

fn text_block<'a>(text: &'a Text<'_>) -> Option<BlockContent<'a>> {
    (!text.is_blank()).then(|| BlockContent::Text(text.clone()))
}

fn text_of<'a>(part: &'a Part<'_>) -> Option<BlockContent<'a>> {
    part.text.as_ref().and_then(text_block)
}

fn image_block<'a>(
    part: &'a Part<'_>,
    param: &str,
    accepts: Accepts,
) -> Result<BlockContent<'a>, Error> {
    if !accepts.images {
        let message = "This model does not read images.";
        return Err(Error::unsupported(format!("{param}.type"), message));
    }
    let Some(image_url) = &part.image_url else {
        return Err(missing(format!("{param}.image_url")));
    };
    Image::parse(&image_url.url, param).map(BlockContent::Image)
}

fn unsupported_part(kind: &str, param: &str, supported: &str) -> Error {
    let message =
        format!("Content parts of type '{kind}' are not supported here; use {supported}.");
    Error::unsupported(format!("{param}.type"), message)
}

fn missing(param: String) -> Error {
    let message = format!("Missing required parameter: '{param}'.");
    Error::invalid(param, message).code("missing_required_parameter")
}
