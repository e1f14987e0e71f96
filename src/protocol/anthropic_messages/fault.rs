//! What is wrong with a request, and where, in the words of Anthropic's own API.

use std::fmt::Display;

use http::StatusCode;

use crate::chat::{Error, ErrorKind};
use crate::json::{NotJson, unread};

/// What is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The body is not JSON.
    NotJson,
    /// A value at a path is not what it should be.
    At {
        /// Where it is; empty for the body itself.
        path: String,
        /// What is wrong with it.
        words: String,
    },
}

impl Fault {
    /// A fault of the value itself.
    pub(super) fn here(words: impl Into<String>) -> Self {
        Self::At {
            path: String::new(),
            words: words.into(),
        }
    }

    /// A member of the value is missing.
    pub(super) fn missing(name: &str) -> Self {
        Self::here("Field required").below(name)
    }

    /// The same fault, seen from the value that has the faulty one as a part.
    pub(super) fn below(self, part: impl Display) -> Self {
        match self {
            Self::At { path, words } if path.is_empty() => Self::At {
                path: part.to_string(),
                words,
            },
            Self::At { path, words } => Self::At {
                path: format!("{part}.{path}"),
                words,
            },
            Self::NotJson => Self::NotJson,
        }
    }

    /// The client's error.
    pub(super) fn error(self, body: &[u8]) -> Error {
        match self {
            Self::NotJson => invalid(format!("The request body {}", unread(body))),
            Self::At { path, words } if path.is_empty() => invalid(words),
            Self::At { path, words } => Error::invalid(path, words),
        }
    }
}

impl From<NotJson> for Fault {
    fn from(_: NotJson) -> Self {
        Self::NotJson
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(
        StatusCode::BAD_REQUEST,
        ErrorKind::InvalidRequest,
        message.into(),
    )
}
