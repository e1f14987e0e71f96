//! Reads the blocks of messages, as far as a model can be told them.

use std::borrow::Cow;

use super::{Accepts, Block, BlockContent, ToolResult, ToolUse};
use crate::bedrock::shared::document::{self, Documents, Told};
use crate::bedrock::shared::image::{self, Image};
use crate::chat::{self, At, Error, Field, Source};

/// What a result says in place of what the model does not read.
const NO_IMAGE: &str = "(An image was left out: this model does not read images.)";
const NO_FILE: &str = "(A file was left out: this model does not read files.)";
const NO_SUCH_IMAGE: &str = "(An image was left out: this model does not read images of its kind.)";
const NO_SUCH_FILE: &str = "(A file was left out: this model does not read files of its kind.)";

/// What a result says in place of what the user shows.
const SEE_IMAGE: &str = "(The image follows the results.)";
const SEE_FILE: &str = "(The file follows the results.)";

/// The blocks of a message that a model is told; blank texts are left out, because models refuse them.
///
/// # Errors
///
/// A 400 at the block that the model cannot be told.
pub(super) fn blocks<'a>(
    blocks: &'a [chat::Block<'_>],
    accepts: Accepts,
) -> Result<Vec<Block<'a>>, Error> {
    let mut found = Vec::with_capacity(blocks.len());
    for block in blocks {
        let cache = block.cache;
        if let chat::BlockContent::ToolResult(own) = &block.content {
            refuse_without_tools(block.at, accepts)?;
            let (result, shown) = result(own, accepts)?;
            let content = BlockContent::ToolResult(result);
            found.push(Block { content, cache });
            found.extend(shown);
        } else if let Some(content) = content(block, accepts)? {
            found.push(Block { content, cache });
        }
    }
    Ok(found)
}

/// The result of a call, and what the user has to show because a result cannot.
///
/// Tools return what a person would not have sent to the model, and it stays in the conversation, so nothing in it is
/// refused because the model does not read it.
fn result<'a>(
    own: &'a chat::ToolResult<'_>,
    accepts: Accepts,
) -> Result<(ToolResult<'a>, Vec<Block<'a>>), Error> {
    let (mut inside, mut shown) = (Vec::with_capacity(own.content.len()), Vec::new());
    for block in &own.content {
        let note = match place(&block.content, accepts) {
            Place::Result => None,
            Place::Nowhere(note) => Some(note),
            Place::Beside(note) => {
                shown.extend(content(block, accepts)?.map(Block::from));
                Some(note)
            }
        };
        let content = match note {
            Some(note) => Some(BlockContent::Text(note.into())),
            None => content(block, accepts)?,
        };
        let cache = block.cache;
        inside.extend(content.map(|content| Block { content, cache }));
    }
    if own.is_error && !(accepts.failures && is_text(&inside)) {
        say_that_it_failed(&mut inside);
    }
    let result = ToolResult {
        id: Cow::Borrowed(&*own.id),
        is_error: own.is_error && accepts.failures && is_text(&inside),
        content: inside,
    };
    Ok((result, shown))
}

/// Where a block of a result can be.
enum Place {
    /// In it.
    Result,
    /// In the user's message, while the result says so.
    Beside(&'static str),
    /// Not in the request; the result says so.
    Nowhere(&'static str),
}

fn place(content: &chat::BlockContent<'_>, accepts: Accepts) -> Place {
    let (is_read, is_left_out, is_beside) = match content {
        chat::BlockContent::Image(own) => {
            let is_read = accepts.images && image::is_read(own);
            let note = if accepts.images {
                NO_SUCH_IMAGE
            } else {
                NO_IMAGE
            };
            (is_read, note, SEE_IMAGE)
        }
        // Its text is in the result.
        chat::BlockContent::Document(own)
            if accepts.documents == Documents::None && document::is_text_file(own) =>
        {
            return Place::Result;
        }
        chat::BlockContent::Document(own) => {
            let is_read = document::is_read(own, accepts.documents);
            let note = match accepts.documents {
                Documents::None => NO_FILE,
                Documents::PdfAndText | Documents::Office => NO_SUCH_FILE,
            };
            (is_read, note, SEE_FILE)
        }
        _ => return Place::Result,
    };
    match (is_read, accepts.rich_results) {
        (false, _) => Place::Nowhere(is_left_out),
        (true, false) => Place::Beside(is_beside),
        (true, true) => Place::Result,
    }
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
        chat::BlockContent::Document(document) => {
            Some(match document::read(document, at, accepts.documents)? {
                Told::File(file) => BlockContent::Document(file),
                Told::Text(text) => BlockContent::Text(text.into()),
            })
        }
        chat::BlockContent::ToolUse(call) => {
            refuse_without_tools(at, accepts)?;
            Some(BlockContent::ToolUse(ToolUse {
                id: Cow::Borrowed(&*call.id),
                name: &call.name,
                input: &call.input,
            }))
        }
        // A result inside another, which no protocol has.
        chat::BlockContent::ToolResult(_) => None,
        chat::BlockContent::Thinking { .. } | chat::BlockContent::RedactedThinking { .. }
            if !accepts.thinking =>
        {
            None
        }
        // Without its proof, a model would refuse it.
        chat::BlockContent::Thinking { text, signature } => {
            (!signature.is_empty()).then_some(BlockContent::Thinking { text, signature })
        }
        // It was not opened, so nobody can tell whose it is.
        chat::BlockContent::SealedThinking { .. } => None,
        // Models refuse an empty one.
        chat::BlockContent::RedactedThinking { data } => {
            (!data.is_empty()).then_some(BlockContent::RedactedThinking { data })
        }
    })
}

/// Whether there is text, and text alone: what goes with a call that failed.
fn is_text(content: &[Block<'_>]) -> bool {
    let is_text = |own: &Block<'_>| matches!(own.content, BlockContent::Text(_));
    !content.is_empty() && content.iter().all(is_text)
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
    let message = "This model does not support tool calls and their results.";
    Err(Error::unsupported(
        chat::Place::Block(at, Field::Whole),
        message,
    ))
}

fn image<'a>(source: &'a Source<'_>, at: At, accepts: Accepts) -> Result<BlockContent<'a>, Error> {
    if !accepts.images {
        let message = "This model does not read images.";
        return Err(Error::unsupported(
            chat::Place::Block(at, Field::Kind),
            message,
        ));
    }
    Image::read(source, at).map(BlockContent::Image)
}
