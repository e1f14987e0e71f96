//! How many tokens a request has, roughly.
//!
//! More than it will turn out to be, because those who ask cut a conversation by it.

use crate::chat::{Block, BlockContent, Document, Request, Source, Tool};
use crate::json::Text;

/// Bytes of text that make a token at least, measured on prose and code.
const BYTES_PER_TOKEN: usize = 3;

/// Tokens of the largest image that a model looks at.
pub(super) const IMAGE: usize = 2_400;

/// Bytes of a PDF's base64 that make a token, and tokens of the longest that a model reads.
const PDF_BYTES_PER_TOKEN: usize = 5;
const LONGEST_PDF: usize = 300_000;

/// What every request has around its texts.
pub(super) const FRAME: usize = 16;

/// The tokens of a request in the chat vocabulary.
pub(super) fn of(request: &Request<'_>) -> u64 {
    let blocks = request.messages.iter().flat_map(|message| &message.blocks);
    let said = blocks.map(block).sum();
    let tools = request.tools.iter().map(tool).sum();
    whole(said, tools)
}

/// The bytes of a request's texts, images and files not counted.
pub(super) fn text_bytes(request: &Request<'_>) -> usize {
    let blocks = request.messages.iter().flat_map(|message| &message.blocks);
    let said: usize = blocks.map(text_of).sum();
    said + request.tools.iter().map(tool).sum::<usize>()
}

fn text_of(own: &Block<'_>) -> usize {
    match &own.content {
        BlockContent::Text(text) | BlockContent::Thinking { text, .. } => bytes(text),
        BlockContent::ToolUse(call) => call.name.len() + call.input.get().len(),
        BlockContent::ToolResult(result) => result.content.iter().map(text_of).sum(),
        BlockContent::Image(_)
        | BlockContent::Document(_)
        | BlockContent::RedactedThinking { .. }
        | BlockContent::SealedThinking { .. } => 0,
    }
}

/// The tokens of a request from those of its conversation and the bytes of its tools.
pub(super) fn whole(said: usize, tools: usize) -> u64 {
    let tokens = FRAME + said + tools / BYTES_PER_TOKEN;
    u64::try_from(tokens).unwrap_or(u64::MAX)
}

/// Those of a text: as long as its JSON, which need not be unescaped for that.
pub(super) fn of_text(text: &Text<'_>) -> usize {
    of_bytes(text.json().map_or_else(|| text.len(), str::len))
}

/// The bytes of a text, about: its JSON need not be unescaped for that.
pub(super) fn bytes(text: &Text<'_>) -> usize {
    let quotes = 2;
    let json = text.json().map(|json| json.len().saturating_sub(quotes));
    json.unwrap_or_else(|| text.len())
}

/// Those of so many bytes of text.
pub(super) fn of_bytes(bytes: usize) -> usize {
    bytes.div_ceil(BYTES_PER_TOKEN)
}

/// Those of a file in so many bytes of base64.
pub(super) fn of_file(base64: usize) -> usize {
    (base64 / PDF_BYTES_PER_TOKEN).min(LONGEST_PDF)
}

fn block(own: &Block<'_>) -> usize {
    match &own.content {
        BlockContent::Text(text)
        | BlockContent::Thinking { text, .. }
        | BlockContent::RedactedThinking { data: text }
        | BlockContent::SealedThinking { sealed: text } => of_text(text),
        BlockContent::Image(_) => IMAGE,
        BlockContent::Document(document) => file(document),
        BlockContent::ToolUse(call) => FRAME + of_bytes(call.name.len() + call.input.get().len()),
        BlockContent::ToolResult(result) => result.content.iter().map(block).sum::<usize>() + FRAME,
    }
}

fn file(document: &Document<'_>) -> usize {
    match &document.source {
        Source::Uri(text) | Source::Base64 { data: text, .. } => of_file(text.len()),
    }
}

/// The bytes of a tool.
fn tool(own: &Tool<'_>) -> usize {
    let description = own.description.as_ref().map_or(0, |text| text.len());
    let schema = own.parameters.map_or(0, |json| json.get().len());
    own.name.len() + description + schema
}
