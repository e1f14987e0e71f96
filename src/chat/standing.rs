//! How a caller stands with its limits.

use std::time::Duration;

/// What a limit is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LimitKind {
    /// Requests in a minute.
    Requests,
    /// Tokens in a minute.
    Tokens,
}

impl LimitKind {
    /// What is counted, in words.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
        }
    }
}

/// How a caller stands with one of its limits, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What is limited.
    pub kind: LimitKind,
    /// How much is allowed in a minute.
    pub limit: u32,
    /// How much of it is left.
    pub remaining: Option<u32>,
    /// When all of it will be there again, if nothing more is used.
    pub reset: Option<Duration>,
}
