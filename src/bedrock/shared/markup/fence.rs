//! Fenced code in an answer: tags in it are part of what is shown.

/// The length of the run of backticks that opens or closes a block.
const RUN: usize = 3;

/// Where the text of an answer is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fence {
    /// Backticks at the end of what was read.
    run: usize,
    is_open: bool,
    /// The last byte that was read.
    last: u8,
}

impl Fence {
    /// Reads on.
    pub(super) fn read(&mut self, text: &str) {
        for byte in text.bytes() {
            self.run = if byte == b'`' { self.run + 1 } else { 0 };
            if self.run == RUN {
                self.is_open = !self.is_open;
            }
        }
        self.last = text.bytes().last().unwrap_or(self.last);
    }

    /// The same for a text without backticks.
    pub(super) fn skip(&mut self, text: &str) {
        self.run = 0;
        self.last = text.bytes().last().unwrap_or(self.last);
    }

    /// Whether a tag that follows is only shown or talked about.
    pub(super) fn is_quoting(self) -> bool {
        self.is_open || matches!(self.last, b'`' | b'"' | b'\'')
    }
}
