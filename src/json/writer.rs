//! Assembles a body from fragments that are already JSON.

use super::escape::write_str;
use super::pieces::{Out, Pieces};
use super::text::Text;
use super::without_halves;

/// Assembles a body from parts of a source and text of its own. Long parts stay spans of the source.
pub struct PieceWriter<'s> {
    out: Out<'s>,
    repairs: bool,
}

impl<'s> PieceWriter<'s> {
    /// An empty body; `capacity` is the likely length of what will be copied, in bytes.
    #[must_use]
    pub fn new(source: &'s [u8], capacity: usize) -> Self {
        Self {
            out: Out::new(Vec::with_capacity(capacity), source),
            repairs: false,
        }
    }

    /// The same for a source with halves of surrogate pairs, which no reader accepts: each becomes the replacement
    /// character.
    #[must_use]
    pub fn repairing(self) -> Self {
        Self {
            repairs: true,
            ..self
        }
    }

    /// Adds JSON unchanged.
    pub fn raw(&mut self, json: &str) {
        match self.repaired(json) {
            Some(repaired) => self.out.own.extend_from_slice(repaired.as_bytes()),
            None => self.out.verbatim(json),
        }
    }

    fn repaired(&self, json: &str) -> Option<String> {
        if self.repairs {
            without_halves(json)
        } else {
            None
        }
    }

    /// Adds a text as a JSON string, unchanged if it came as one.
    pub fn text(&mut self, text: &Text<'_>) {
        match text.json() {
            Some(json) => self.raw(json),
            None => self.string(text),
        }
    }

    /// Adds a JSON string.
    pub fn string(&mut self, text: &str) {
        write_str(&mut self.out.own, text);
    }

    /// The finished body.
    #[must_use]
    pub fn into_pieces(self) -> Pieces {
        self.out.into_pieces()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_pairs_are_repaired_only_where_that_is_wanted() {
        let source = r#"{"a":["\ud83d\ude00\ud83d"]}"#;
        let written = |mut writer: PieceWriter<'_>| {
            writer.raw(source);
            String::from_utf8(writer.into_pieces().into_vec(source.as_bytes())).unwrap()
        };
        let writer = || PieceWriter::new(source.as_bytes(), 0);
        assert_eq!(written(writer()), source);
        assert_eq!(
            written(writer().repairing()),
            r#"{"a":["\ud83d\ude00\ufffd"]}"#
        );
    }
}
