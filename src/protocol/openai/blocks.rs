//! Parts of messages as blocks of the chat vocabulary, and where they are.

use super::content::{Content, Part as WirePart};
use crate::chat::{At, Block, BlockContent, Error, Part};

/// Where a part of a request is.
#[derive(Clone, Copy)]
pub(in crate::protocol) struct Spot {
    pub(in crate::protocol) at: At,
    pub(in crate::protocol) words: &'static Words,
}

/// How an API names what a conversation is made of.
pub(in crate::protocol) struct Words {
    /// The path of a block.
    pub(in crate::protocol) path: fn(At) -> String,
    /// Types of parts that instructions may have.
    pub(in crate::protocol) system: &'static str,
    /// The same for users and tools.
    pub(in crate::protocol) user: &'static str,
    /// The same for the assistant.
    pub(in crate::protocol) assistant: &'static str,
}

impl Spot {
    /// Its path.
    pub(in crate::protocol) fn path(self) -> String {
        (self.words.path)(self.at)
    }
}

/// A block without a mark.
pub(in crate::protocol) fn block(content: BlockContent<'_>, at: At) -> Block<'_> {
    Block {
        content,
        cache: None,
        at,
    }
}

/// The blocks of a content: of a message's, or of one inside a part of it.
pub(in crate::protocol) fn blocks<'a>(
    content: Option<Content<'a>>,
    spot: Spot,
    read: fn(WirePart<'a>, Spot) -> Result<Option<BlockContent<'a>>, Error>,
) -> Result<Vec<Block<'a>>, Error> {
    let parts = match content {
        None => return Ok(Vec::new()),
        Some(Content::Text(text)) => return Ok(vec![block(BlockContent::Text(text), spot.at)]),
        Some(Content::Parts(parts)) => parts,
    };
    let mut found = Vec::with_capacity(parts.len());
    for (index, part) in parts.into_iter().enumerate() {
        let part_of = match spot.at.part {
            Part::Content(outer) => Part::Nested(outer, index),
            _ => Part::Content(index),
        };
        let at = At {
            part: part_of,
            ..spot.at
        };
        let cache = part.cache().map(Into::into);
        if let Some(content) = read(part, Spot { at, ..spot })? {
            found.push(Block { content, cache, at });
        }
    }
    Ok(found)
}
