//! Writes a conversation in Converse's blocks.

use super::blob::blob;
use super::body::{Block, File, Message, Reasoning, System, ToolResult};
use super::documents::DocumentNames;
use super::family::Traits;
use crate::bedrock::ToolNames;
use crate::bedrock::shared::cache_points::CachePoints;
use crate::bedrock::shared::conversation::{
    self, BlockContent, Conversation, Speaker, SystemText, Turn,
};
use crate::bedrock::shared::converse_blocks::{CachePoint, Source, ToolUse};
use crate::bedrock::shared::document::{self, Document};
use crate::bedrock::shared::image::Image;
use crate::bedrock::shared::tool_names::call_id;
use crate::chat::{CacheControl, CacheTtl};

/// Accompanies a document that the client sent without any text: Converse requires one.
const DOCUMENT_TEXT: &str = "See the attached file.";

/// Result of a tool that returned nothing: models refuse results without content.
const EMPTY_RESULT: &str = "(empty)";

/// Writes blocks; remembers what must be unique, or the same, throughout the request.
pub(super) struct Writer<'n> {
    pub(super) names: &'n mut ToolNames,
    pub(super) cache_points: &'n mut CachePoints,
    pub(super) traits: &'n Traits,
    pub(super) documents: DocumentNames,
}

/// The cache points for which the client asked in system texts and turns.
pub(super) fn requested_cache_points(
    conversation: &Conversation<'_>,
) -> impl Iterator<Item = CacheControl> {
    let system = conversation.system.iter().filter_map(|text| text.cache);
    let closing = conversation.closing.iter().filter_map(|text| text.cache);
    let blocks = conversation.blocks().filter_map(cache_mark);
    system.chain(blocks).chain(closing)
}

/// The cache point after a block. For results of tools it follows the whole result; there is none after reasoning.
fn cache_mark(block: &conversation::Block<'_>) -> Option<CacheControl> {
    match &block.content {
        BlockContent::Thinking { .. } | BlockContent::RedactedThinking { .. } => None,
        BlockContent::ToolResult(result) => block
            .cache
            .or_else(|| result.content.iter().find_map(|block| block.cache)),
        _ => block.cache,
    }
}

/// The cache point at a place for which the client may have asked.
pub(super) fn cache_point(
    cache_points: &mut CachePoints,
    wanted: Option<CacheControl>,
) -> Option<CachePoint> {
    let ttl = cache_points.next(wanted)?;
    Some(CachePoint {
        kind: "default",
        ttl: (ttl == CacheTtl::Hour).then_some("1h"),
    })
}

/// Moves the instructions into the first turn, for models without a system prompt.
pub(super) fn fold_system(conversation: &mut Conversation<'_>) {
    let texts = std::mem::take(&mut conversation.system).into_iter();
    if let Some(turn) = conversation.turns.first_mut() {
        let texts = texts.map(|system| conversation::Block {
            content: BlockContent::Text(system.text),
            cache: system.cache,
        });
        turn.blocks.splice(0..0, texts);
    }
}

impl Writer<'_> {
    pub(super) fn system<'a>(&mut self, conversation: &Conversation<'a>) -> Vec<System<'a>> {
        let mut blocks = Vec::with_capacity(conversation.system.len());
        for system in &conversation.system {
            blocks.push(System::Text(system.text.clone()));
            let point = cache_point(self.cache_points, system.cache);
            blocks.extend(point.map(System::CachePoint));
        }
        blocks
    }

    pub(super) fn messages<'a>(&mut self, mut conversation: Conversation<'a>) -> Vec<Message<'a>> {
        conversation.unmix(self.traits.mixing);
        let turns = conversation.turns.into_iter();
        let mut messages: Vec<_> = turns.map(|turn| self.message(turn)).collect();
        if !conversation.closing.is_empty() {
            messages.push(self.closing(conversation.closing));
        }
        messages
    }

    fn closing<'a>(&mut self, texts: Vec<SystemText<'a>>) -> Message<'a> {
        let mut content = Vec::with_capacity(texts.len());
        for system in texts {
            content.push(Block::Text(system.text));
            let point = cache_point(self.cache_points, system.cache);
            content.extend(point.map(Block::CachePoint));
        }
        Message {
            role: "system",
            content,
        }
    }

    fn message<'a>(&mut self, turn: Turn<'a>) -> Message<'a> {
        let Turn { speaker, blocks } = turn;
        let has = |wanted: fn(&BlockContent<'_>) -> bool| {
            blocks.iter().any(|block| wanted(&block.content))
        };
        let lacks_text = has(|content| matches!(content, BlockContent::Document(_)))
            && !has(|content| matches!(content, BlockContent::Text(_)));
        let mut text = lacks_text.then(|| Block::Text(DOCUMENT_TEXT.into()));
        let mut content = Vec::with_capacity(blocks.len() + 1);
        for own in blocks {
            // Results of calls come first in a turn.
            if matches!(own.content, BlockContent::Document(_)) {
                content.extend(text.take());
            }
            let mark = cache_mark(&own);
            content.push(self.block(own.content));
            let point = cache_point(self.cache_points, mark);
            content.extend(point.map(Block::CachePoint));
        }
        Message {
            role: role(speaker),
            content,
        }
    }

    fn block<'a>(&mut self, content: BlockContent<'a>) -> Block<'a> {
        match content {
            BlockContent::Text(text) => Block::Text(text),
            BlockContent::Image(image) => Block::Image(image_file(image)),
            BlockContent::Document(document) => Block::Document(self.document(document)),
            BlockContent::ToolUse(call) => Block::ToolUse(ToolUse {
                tool_use_id: call_id(call.id),
                name: self.names.send(call.name),
                input: call.input,
            }),
            BlockContent::ToolResult(result) => Block::ToolResult(ToolResult {
                tool_use_id: call_id(result.id),
                content: self.result(result.content),
                status: result.is_error.then_some("error"),
            }),
            BlockContent::Thinking { text, signature } => {
                Block::ReasoningContent(Reasoning::ReasoningText { text, signature })
            }
            BlockContent::RedactedThinking { data } => {
                Block::ReasoningContent(Reasoning::RedactedContent(blob(data)))
            }
        }
    }

    fn document<'a>(&mut self, document: Document<'a>) -> File<'a> {
        let format = document::format(document.media_type);
        File {
            format,
            name: Some(self.documents.name(document.name, format)),
            context: document.context,
            source: Source {
                bytes: document.data,
            },
        }
    }

    fn result<'a>(&mut self, content: Blocks<'a>) -> Vec<Block<'a>> {
        if content.is_empty() {
            return vec![Block::Text(EMPTY_RESULT.into())];
        }
        content
            .into_iter()
            .map(|block| self.block(block.content))
            .collect()
    }
}

type Blocks<'a> = Vec<conversation::Block<'a>>;

fn role(speaker: Speaker) -> &'static str {
    match speaker {
        Speaker::User => "user",
        Speaker::Assistant => "assistant",
    }
}

fn image_file(image: Image<'_>) -> File<'_> {
    let format = image.media_type;
    File {
        format: format.strip_prefix("image/").unwrap_or(format),
        name: None,
        context: None,
        source: Source { bytes: image.data },
    }
}
