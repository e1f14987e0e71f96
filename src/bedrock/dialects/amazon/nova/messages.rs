//! Writes a conversation in Nova's format.

use super::body::{Block, Content, Empty, Image, Message, ResultContent, ToolResult};
use crate::bedrock::ToolNames;
use crate::bedrock::shared::cache_points::CachePoints;
use crate::bedrock::shared::conversation::{self, BlockContent, Conversation, Speaker};
use crate::bedrock::shared::converse_blocks::{CachePoint, Source, ToolUse};
use crate::bedrock::shared::image;
use crate::bedrock::shared::tool_names::call_id;
use crate::chat::CacheControl;

/// The cache points that can be set. Nova takes them only on texts and images; a prefix that it caches contains the
/// tools anyway.
pub(super) fn requested_cache_points(
    conversation: &Conversation<'_>,
) -> impl Iterator<Item = CacheControl> {
    let system = conversation.system.iter();
    let in_system = system.filter_map(|text| text.cache);
    let blocks = conversation
        .blocks()
        .filter(|block| takes_cache_point(block));
    in_system.chain(blocks.filter_map(|block| block.cache))
}

fn cache_point(cache_points: &mut CachePoints, wanted: Option<CacheControl>) -> Option<CachePoint> {
    cache_points.next(wanted).map(|_| CachePoint {
        kind: "default",
        ttl: None,
    })
}

fn takes_cache_point(block: &conversation::Block<'_>) -> bool {
    matches!(
        block.content,
        BlockContent::Text(_) | BlockContent::Image(_)
    )
}

pub(super) fn system<'a>(
    conversation: &Conversation<'a>,
    cache_points: &mut CachePoints,
) -> Vec<Content<'a>> {
    let texts = conversation.system.iter().map(|system| Content {
        block: Block::Text(system.text.clone()),
        cache_point: cache_point(cache_points, system.cache),
    });
    texts.collect()
}

pub(super) fn messages<'a>(
    conversation: Conversation<'a>,
    names: &mut ToolNames,
    cache_points: &mut CachePoints,
) -> Vec<Message<'a>> {
    let turns = conversation.turns.into_iter().map(|turn| Message {
        role: match turn.speaker {
            Speaker::User => "user",
            Speaker::Assistant => "assistant",
        },
        content: turn
            .blocks
            .into_iter()
            .filter_map(|block| content(block, names, cache_points))
            .collect(),
    });
    turns.collect()
}

/// A block in Nova's format; `None` for blocks that the request encoder never accepts.
fn content<'a>(
    own: conversation::Block<'a>,
    names: &mut ToolNames,
    cache_points: &mut CachePoints,
) -> Option<Content<'a>> {
    let cache = own.cache.filter(|_| takes_cache_point(&own));
    let block = match own.content {
        BlockContent::Text(text) => Block::Text(text),
        BlockContent::Image(own) => Block::Image(image(own)),
        BlockContent::ToolUse(call) => Block::ToolUse(ToolUse {
            tool_use_id: call_id(call.id),
            name: names.send(call.name),
            input: call.input,
        }),
        BlockContent::ToolResult(result) => Block::ToolResult(ToolResult {
            tool_use_id: call_id(result.id),
            content: result_content(result.content),
            status: if result.is_error { "error" } else { "success" },
        }),
        BlockContent::Document(_)
        | BlockContent::Thinking { .. }
        | BlockContent::RedactedThinking { .. } => return None,
    };
    Some(Content {
        block,
        cache_point: cache_point(cache_points, cache),
    })
}

/// A result needs content, even if the tool returned nothing: a blank text would be refused.
fn result_content(blocks: Vec<conversation::Block<'_>>) -> Vec<ResultContent<'_>> {
    let mut content: Vec<_> = blocks
        .into_iter()
        .filter_map(|block| match block.content {
            BlockContent::Text(text) => Some(ResultContent::Text(text)),
            BlockContent::Image(own) => Some(ResultContent::Image(image(own))),
            _ => None,
        })
        .collect();
    if content.is_empty() {
        content.push(ResultContent::Json(Empty {}));
    }
    content
}

fn image(image: image::Image<'_>) -> Image<'_> {
    let format = image.media_type.strip_prefix("image/");
    Image {
        format: format.unwrap_or(image.media_type),
        source: Source { bytes: image.data },
    }
}
