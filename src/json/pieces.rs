//! Output that leaves long texts where they are.
//!
//! An image goes upstream unchanged. Copying it into the new body would take time and twice its memory, so the body
//! refers to it as a span of the text that it was read from.

use std::ops::Range;

/// Shortest text that is left where it is, in bytes. Each becomes two more calls of the host, some
/// microseconds; to copy so much takes longer.
pub const MIN_SPAN: usize = 128 * 1024;

/// A body in pieces: its own bytes, with spans of a source in between.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pieces {
    own: Vec<u8>,
    /// In order.
    spans: Vec<Span>,
}

/// A span of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Span {
    /// How many of the body's own bytes come before it.
    after: usize,
    source: Range<usize>,
}

impl Pieces {
    /// Length of the whole body, in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        let spans = self.spans.iter().map(|span| span.source.len());
        self.own.len() + spans.sum::<usize>()
    }

    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the body consists only of its own bytes.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.spans.is_empty()
    }

    /// The pieces in order; `source` is what the body was made from.
    pub fn slices<'p>(&'p self, source: &'p [u8]) -> impl Iterator<Item = &'p [u8]> {
        let mut at = 0;
        let before_last = self.spans.iter().flat_map(move |span| {
            let own = self.own.get(at..span.after);
            at = span.after;
            [own, source.get(span.source.clone())]
        });
        let last = self.spans.last().map_or(0, |span| span.after);
        before_last.chain([self.own.get(last..)]).flatten()
    }

    /// The body in one piece; `source` is what it was made from.
    #[must_use]
    pub fn into_vec(self, source: &[u8]) -> Vec<u8> {
        if self.is_whole() {
            return self.own;
        }
        self.slices(source).collect::<Vec<_>>().concat()
    }
}

impl From<Vec<u8>> for Pieces {
    fn from(own: Vec<u8>) -> Self {
        Self {
            own,
            spans: Vec::new(),
        }
    }
}

/// Where the serializer writes.
pub(super) struct Out<'s> {
    pub(super) own: Vec<u8>,
    spans: Vec<Span>,
    source: &'s [u8],
}

impl<'s> Out<'s> {
    /// Appends to `own`; long texts of `source` stay there.
    pub(super) fn new(own: Vec<u8>, source: &'s [u8]) -> Self {
        Self {
            own,
            spans: Vec::new(),
            source,
        }
    }

    pub(super) fn push(&mut self, byte: u8) {
        self.own.push(byte);
    }

    pub(super) fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.own.extend_from_slice(bytes);
    }

    /// Adds a text unchanged.
    pub(super) fn verbatim(&mut self, text: &str) {
        match self.place(text) {
            Some(source) => self.spans.push(Span {
                after: self.own.len(),
                source,
            }),
            None => self.own.extend_from_slice(text.as_bytes()),
        }
    }

    /// Where a text is in the source, if it is long and part of it.
    fn place(&self, text: &str) -> Option<Range<usize>> {
        if text.len() < MIN_SPAN {
            return None;
        }
        let start = text
            .as_ptr()
            .addr()
            .checked_sub(self.source.as_ptr().addr())?;
        let end = start.checked_add(text.len())?;
        (end <= self.source.len()).then_some(start..end)
    }

    pub(super) fn into_pieces(self) -> Pieces {
        Pieces {
            own: self.own,
            spans: self.spans,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::json::{Verbatim, to_pieces};

    #[test]
    fn long_texts_of_the_source_are_left_there_and_no_others() {
        let long = "x".repeat(MIN_SPAN);
        let source = format!("[\"{long}\",\"short\",\"{long}\"]");
        let texts: Vec<&RawValue> = serde_json::from_str(&source).unwrap();
        let elsewhere = long.clone();
        let value = (&texts, Verbatim(&elsewhere), "\n");
        let pieces = to_pieces(&value, source.as_bytes(), 0).unwrap();
        let whole = serde_json::to_string(&value).unwrap();
        assert_eq!(pieces.len(), whole.len());
        let slices: Vec<_> = pieces.slices(source.as_bytes()).collect();
        assert_eq!(slices.len(), 5);
        assert_eq!(slices[1].len(), MIN_SPAN + 2);
        assert_eq!(slices.concat(), whole.as_bytes());
        assert_eq!(pieces.into_vec(source.as_bytes()), whole.as_bytes());
    }

    #[test]
    fn without_a_source_all_is_copied() {
        let long = "x".repeat(2 * MIN_SPAN);
        let pieces = to_pieces(&Verbatim(&long), b"", 0).unwrap();
        assert!(pieces.is_whole() && !pieces.is_empty());
        assert_eq!(pieces.slices(b"").count(), 1);
        assert!(Pieces::default().is_empty());
    }
}
