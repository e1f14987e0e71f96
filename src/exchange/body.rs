//! New bodies for messages that pass through.

use crate::json::Pieces;

/// A body in pieces; spans of the client's body are not copied out of it.
#[derive(Debug, Default, PartialEq)]
pub struct Body {
    pieces: Pieces,
    /// The client's body, while it is needed.
    source: Vec<u8>,
}

impl Body {
    /// A body that was made from the client's.
    pub(super) fn new(pieces: Pieces, source: Vec<u8>) -> Self {
        let source = if pieces.is_whole() {
            Vec::new()
        } else {
            source
        };
        Self { pieces, source }
    }

    /// Its pieces, in order.
    pub fn slices(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.slices(&self.source)
    }

    /// Its length in bytes.
    pub(super) fn length(&self) -> usize {
        self.slices().map(<[u8]>::len).sum()
    }

    /// All of it in one piece.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        self.pieces.into_vec(&self.source)
    }
}

impl From<Vec<u8>> for Body {
    fn from(own: Vec<u8>) -> Self {
        Self::new(own.into(), Vec::new())
    }
}
