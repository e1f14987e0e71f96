//! Where a scanner stands.

use super::calls::Form;

/// Where a text begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bedrock) enum Start {
    /// In the answer, unless a tag opens reasoning first.
    Answer,
    /// In the reasoning: the prompt ended with the opening tag. A tag that the model writes all the
    /// same is dropped.
    Reasoning,
    /// It is reasoning as a whole.
    Thoughts,
}

/// Which of the two texts goes on.
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
    /// Calls, from their first token; should they be none, they are text of this lane.
    Calls(&'static Form, String, Lane),
}

/// Whether tags opened reasoning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opened {
    Never,
    /// They did, and nothing was said since.
    JustNow,
    Before,
}

/// Whether a text is the body of a message on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    None,
    Message,
    /// One that is shown as it is, from its header to its end.
    Shown,
}
