//! What was answered, as AWS bills it.

use crate::family::{Answer, Overrides};

/// Sums of everything that was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    /// Answers.
    pub answers: u64,
    /// Input tokens that no cache was involved in.
    pub input_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
    /// Input tokens read from a cache.
    pub cache_read: u64,
    /// Input tokens written to a cache.
    pub cache_write: u64,
}

impl Bill {
    pub(crate) fn add(&mut self, answer: &Answer, overrides: &Overrides) {
        self.answers += 1;
        self.input_tokens += answer.input_tokens;
        self.output_tokens += answer.output_tokens;
        self.cache_read += overrides.cache_read;
        self.cache_write += overrides.cache_write;
    }
}
