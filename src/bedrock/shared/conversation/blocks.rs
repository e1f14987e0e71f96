//! Reads what is said, as far as a model can be told it.

use std::borrow::Cow;

use super::{Accepts, Block, BlockContent, ToolResult, ToolUse};
use crate::bedrock::shared::document;
use crate::bedrock::shared::image::Image;
use crate::chat::{self, At, Error, Field, Place, Source};

/// The blocks of a message that a model is told; blank texts are left out, because models refuse them.
///
/// # Errors
///
/// A 400 at the block which the model cannot be told.
pub(super) fn blocks<'a>(
    blocks: &'a [chat::Block<'_>],
    accepts: Accepts,
) -> Result<Vec<Block<'a>>, Error> {
    let mut found = Vec::with_capacity(blocks.len());
    for block in blocks {
        if let Some(content) = content(block, accepts)? {
            let cache = block.cache;
            found.push(Block { content, cache });
        }
    }
    Ok(found)
}

fn content<'a>(
    block: &'a chat::Block<'_>,
    accepts: Accepts,
) -> Result<Option<BlockContent<'a>>, Error> {
    let at = block.at;
    Ok(match &block.content {
        chat::BlockContent::Text(text) => {
            (!text.is_blank()).then(|| BlockContent::Text(text.clone()))
        }
        chat::BlockContent::Image(source) => Some(image(source, at, accepts)?),
        chat::BlockContent::Document(document) => Some(BlockContent::Document(document::read(
            document,
            at,
            accepts.documents,
        )?)),
        chat::BlockContent::ToolUse(call) => {
            refuse_without_tools(at, accepts)?;
            Some(BlockContent::ToolUse(ToolUse {
                id: Cow::Borrowed(&*call.id),
                name: &call.name,
                input: &call.input,
            }))
        }
        chat::BlockContent::ToolResult(result) => {
            refuse_without_tools(at, accepts)?;
            let mut content = blocks(&result.content, accepts)?;
            if result.is_error && !accepts.failures {
                say_that_it_failed(&mut content);
            }
            Some(BlockContent::ToolResult(ToolResult {
                id: Cow::Borrowed(&*result.id),
                content,
                is_error: result.is_error && accepts.failures,
            }))
        }
        chat::BlockContent::Thinking { .. } | chat::BlockContent::RedactedThinking { .. }
            if !accepts.thinking =>
        {
            None
        }
        // Without its proof a model would refuse it.
        chat::BlockContent::Thinking { text, signature } => {
            (!signature.is_empty()).then_some(BlockContent::Thinking { text, signature })
        }
        // Models refuse one that hides nothing.
        chat::BlockContent::RedactedThinking { data } => {
            (!data.is_empty()).then_some(BlockContent::RedactedThinking { data })
        }
    })
}

/// Says in the text of a result that the tool failed.
fn say_that_it_failed(content: &mut Vec<Block<'_>>) {
    match content.first_mut().map(|block| &mut block.content) {
        Some(BlockContent::Text(text)) => *text = format!("Error: {}", &**text).into(),
        _ => content.insert(0, BlockContent::Text("Error".into()).into()),
    }
}

fn refuse_without_tools(at: At, accepts: Accepts) -> Result<(), Error> {
    if accepts.tools {
        return Ok(());
    }
    let message = "This model cannot be told of tool calls and their results.";
    Err(Error::unsupported(Place::Block(at, Field::Whole), message))
}

fn image<'a>(source: &'a Source<'_>, at: At, accepts: Accepts) -> Result<BlockContent<'a>, Error> {
    if !accepts.images {
        let message = "This model does not read images.";
        return Err(Error::unsupported(Place::Block(at, Field::Kind), message));
    }
    Image::read(source, at).map(BlockContent::Image)
}
