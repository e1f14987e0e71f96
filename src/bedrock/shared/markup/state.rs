//! Where a scanner is.

use super::calls::Form;

/// Where a text begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bedrock) enum Start {
    /// In the answer, unless a tag opens reasoning first.
    Answer,
    /// In the reasoning: the prompt ended with the opening tag. If the model writes the tag again, it is dropped.
    Reasoning,
    /// The whole text is reasoning.
    Thoughts,
}

/// Which of the two texts continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Answer,
    Thought,
}

#[derive(Debug)]
pub(super) enum Mode {
    Text,
    /// A header of a message, from its first token.
    Header(String),
    /// Calls, from their first token; if they turn out not to be calls, they are text of this lane.
    Calls(&'static Form, String, Lane),
}

/// Whether tags opened reasoning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opened {
    Never,
    /// They did, and no text has followed yet.
    JustNow,
    Before,
}

/// Whether a text is the body of a message on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    None,
    Message,
    /// A message that is shown unchanged, from its header to its end.
    Shown,
}

impl Opened {
    /// The same when text follows.
    pub(super) fn then_text(self) -> Self {
        match self {
            Self::JustNow | Self::Before => Self::Before,
            Self::Never => Self::Never,
        }
    }
}
