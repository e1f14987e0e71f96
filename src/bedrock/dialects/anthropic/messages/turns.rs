//! Writes a conversation down in Claude's words.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::body::{Block, CacheControl, Cached, Data, Message, Source};
use crate::bedrock::ToolNames;
use crate::bedrock::shared::cache_points::CachePoints;
use crate::bedrock::shared::conversation::{
    self, BlockContent, Conversation, Document, Speaker, SystemText,
};
use crate::bedrock::shared::image::Image;
use crate::bedrock::shared::tool_names::call_id;
use crate::chat::{self, CacheTtl, Error, Param};

/// The mark for a place where the client may have put one.
pub(super) fn mark(
    marks: &mut CachePoints,
    wanted: Option<chat::CacheControl>,
) -> Option<CacheControl> {
    let ttl = marks.next(wanted)?;
    Some(CacheControl {
        kind: "ephemeral",
        ttl: (ttl == CacheTtl::Hour).then_some("1h"),
    })
}

pub(super) fn system<'a>(
    texts: &[SystemText<'a>],
    marks: &mut CachePoints,
) -> Vec<Cached<Block<'a>>> {
    let texts = texts.iter().map(|system| Cached {
        content: Block::Text {
            text: system.text.clone(),
        },
        cache_control: mark(marks, system.cache),
    });
    texts.collect()
}

pub(super) fn messages<'a>(
    conversation: Conversation<'a>,
    names: &mut ToolNames,
    marks: &mut CachePoints,
) -> Result<Vec<Message<'a>>, Error> {
    let turns = conversation.turns.into_iter().map(|turn| {
        Ok(Message {
            role: match turn.speaker {
                Speaker::User => "user",
                Speaker::Assistant => "assistant",
            },
            content: blocks(turn.blocks, names, marks)?,
        })
    });
    let mut messages: Vec<_> = turns.collect::<Result<_, Error>>()?;
    if !conversation.closing.is_empty() {
        messages.push(Message {
            role: "system",
            content: system(&conversation.closing, marks),
        });
    }
    Ok(messages)
}

fn blocks<'a>(
    blocks: Vec<conversation::Block<'a>>,
    names: &mut ToolNames,
    marks: &mut CachePoints,
) -> Result<Vec<Cached<Block<'a>>>, Error> {
    let blocks = blocks.into_iter().map(|own| {
        Ok(Cached {
            content: block(own.content, names, marks)?,
            cache_control: mark(marks, own.cache),
        })
    });
    blocks.collect()
}

fn block<'a>(
    content: BlockContent<'a>,
    names: &mut ToolNames,
    marks: &mut CachePoints,
) -> Result<Block<'a>, Error> {
    Ok(match content {
        BlockContent::Text(text) => Block::Text { text },
        BlockContent::Image(image) => Block::Image {
            source: image_source(image),
        },
        BlockContent::Document(document) => Block::Document {
            title: document.name,
            source: document_source(document)?,
        },
        BlockContent::ToolUse(call) => Block::ToolUse {
            id: call_id(call.id),
            name: names.send(call.name),
            input: call.input,
        },
        BlockContent::ToolResult(result) => Block::ToolResult {
            tool_use_id: call_id(result.id),
            content: blocks(result.content, names, marks)?,
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

/// PDF files go as base64, text files as the text that they are.
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
            let message = "A text file must be base64 of UTF-8 text.";
            Error::invalid(Param::Messages, message)
        })?;
    Ok(Source {
        kind: "text",
        media_type: "text/plain",
        data: Data::Text(text),
    })
}
