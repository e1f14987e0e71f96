//! Lists and objects as they are written.

use crate::json::PieceWriter;

/// Writes what is between two brackets, separated by commas.
pub(super) struct List {
    open: &'static str,
    is_empty: bool,
}

impl List {
    /// One that begins with this as soon as something is in it.
    pub(super) fn new(open: &'static str) -> Self {
        Self {
            open,
            is_empty: true,
        }
    }

    /// Another element follows.
    pub(super) fn next(&mut self, out: &mut PieceWriter<'_>) {
        out.raw(if self.is_empty { self.open } else { "," });
        self.is_empty = false;
    }

    /// Another member follows: its value is to be written.
    pub(super) fn member(&mut self, name: &str, out: &mut PieceWriter<'_>) {
        self.next(out);
        out.string(name);
        out.raw(":");
    }

    /// The end of an array; nothing is written of an empty one that begins with its name.
    pub(super) fn end(self, out: &mut PieceWriter<'_>) {
        let nothing = if self.open.len() == 1 { "[]" } else { "" };
        self.end_with("]", nothing, out);
    }

    /// The end, or what is written in place of an empty one.
    pub(super) fn end_with(self, close: &str, nothing: &str, out: &mut PieceWriter<'_>) {
        out.raw(if self.is_empty { nothing } else { close });
    }
}
