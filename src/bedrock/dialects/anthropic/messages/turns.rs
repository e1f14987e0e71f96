//! Writes a conversation in Claude's format.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::body::{Block, CacheControl, Cached, Data, Message, Source};
use crate::bedrock::ToolNames;
use crate::bedrock::shared::cache_points::CachePoints;
use crate::bedrock::shared::conversation::{self, BlockContent, Conversation, Speaker, SystemText};
use crate::bedrock::shared::document::Document;
use crate::bedrock::shared::image::Image;
use crate::bedrock::shared::tool_names::call_id;
use crate::chat::{self, CacheTtl, Error, Param};

/// The cache point at a place for which the client may have asked.
pub(super) fn cache_control(
    cache_points: &mut CachePoints,
    wanted: Option<chat::CacheControl>,
) -> Option<CacheControl> {
    let ttl = cache_points.next(wanted)?;
    Some(CacheControl {
        kind: "ephemeral",
        ttl: (ttl == CacheTtl::Hour).then_some("1h"),
    })
}

pub(super) fn system<'a>(
    texts: &[SystemText<'a>],
    cache_points: &mut CachePoints,
) -> Vec<Cached<Block<'a>>> {
    let texts = texts.iter().map(|system| Cached {
        content: Block::Text {
            text: system.text.clone(),
        },
        cache_control: cache_control(cache_points, system.cache),
    });
    texts.collect()
}

pub(super) fn messages<'a>(
    conversation: Conversation<'a>,
    names: &mut ToolNames,
    cache_points: &mut CachePoints,
) -> Result<Vec<Message<'a>>, Error> {
    let mut messages = Vec::with_capacity(conversation.turns.len() + 1);
    for turn in conversation.turns {
        messages.push(Message {
            role: match turn.speaker {
                Speaker::User => "user",
                Speaker::Assistant => "assistant",
            },
            content: blocks(turn.blocks, names, cache_points)?,
        });
    }
    if !conversation.closing.is_empty() {
        messages.push(Message {
            role: "system",
            content: system(&conversation.closing, cache_points),
        });
    }
    Ok(messages)
}

fn blocks<'a>(
    blocks: Vec<conversation::Block<'a>>,
    names: &mut ToolNames,
    cache_points: &mut CachePoints,
) -> Result<Vec<Cached<Block<'a>>>, Error> {
    let blocks = blocks.into_iter().map(|own| {
        Ok(Cached {
            content: block(own.content, names, cache_points)?,
            cache_control: cache_control(cache_points, own.cache),
        })
    });
    blocks.collect()
}

fn block<'a>(
    content: BlockContent<'a>,
    names: &mut ToolNames,
    cache_points: &mut CachePoints,
) -> Result<Block<'a>, Error> {
    Ok(match content {
        BlockContent::Text(text) => Block::Text { text },
        BlockContent::Image(image) => Block::Image {
            source: image_source(image),
        },
        BlockContent::Document(document) => Block::Document {
            title: document.name,
            context: document.context,
            source: document_source(document)?,
        },
        BlockContent::ToolUse(call) => Block::ToolUse {
            id: call_id(call.id),
            name: names.send(call.name),
            input: call.input,
        },
        BlockContent::ToolResult(result) => Block::ToolResult {
            tool_use_id: call_id(result.id),
            content: blocks(result.content, names, cache_points)?,
            is_error: result.is_error,
        },
        BlockContent::Thinking { text, signature } => Block::Thinking {
            thinking: text,
            signature,
        },
        BlockContent::RedactedThinking { data } => Block::RedactedThinking { data },
    })
}

fn image_source(image: Image<'_>) -> Source<'_> {
    Source {
        kind: "base64",
        media_type: image.media_type,
        data: Data::Base64(image.data),
    }
}

/// PDF files are sent as base64, text files as plain text.
fn document_source(document: Document<'_>) -> Result<Source<'_>, Error> {
    if document.media_type == "application/pdf" {
        return Ok(Source {
            kind: "base64",
            media_type: document.media_type,
            data: Data::Base64(document.data),
        });
    }
    let text = STANDARD
        .decode(document.data.as_bytes())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| {
            let message = "A text file must be UTF-8 text in base64.";
            Error::invalid(Param::Messages, message)
        })?;
    Ok(Source {
        kind: "text",
        media_type: "text/plain",
        data: Data::Text(text),
    })
}
