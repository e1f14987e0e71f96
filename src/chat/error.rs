//! Why a request gets no answer: what is wrong, where, and what to do.

use std::borrow::Cow;

use http::StatusCode;

use super::{At, Field, Param};

/// An error for the client. Its protocol writes it down, and says where it is in its own words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// HTTP status.
    pub status: StatusCode,
    /// What kind of error it is.
    pub kind: ErrorKind,
    /// A word for programs, if there is one; the same in every protocol that has a place for it.
    pub code: Option<&'static str>,
    /// What of the request is at fault.
    pub param: Option<Place>,
    /// What went wrong and what to do, for a person.
    pub message: String,
    /// Seconds after which the same request may succeed.
    pub retry_after: Option<u32>,
}

/// What is at fault in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A parameter by the client's name for it, or a path in the client's terms.
    Path(Cow<'static, str>),
    /// A parameter, by the protocol's name for it.
    Param(Param),
    /// A block of the conversation.
    Block(At, Field),
}

impl From<Param> for Place {
    fn from(param: Param) -> Self {
        Self::Param(param)
    }
}

impl From<&'static str> for Place {
    fn from(path: &'static str) -> Self {
        Self::Path(path.into())
    }
}

impl From<String> for Place {
    fn from(path: String) -> Self {
        Self::Path(path.into())
    }
}

/// What kind of error it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request cannot be served as it is.
    InvalidRequest,
    /// The caller may not do this.
    Permission,
    /// Too many requests or tokens.
    RateLimit,
    /// The gateway or the model failed.
    Server,
}

impl Error {
    /// An error without `code` and `param`.
    #[must_use]
    pub fn new(status: StatusCode, kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            code: None,
            param: None,
            message: message.into(),
            retry_after: None,
        }
    }

    /// A 400 for a parameter that is wrong.
    #[must_use]
    pub fn invalid(param: impl Into<Place>, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorKind::InvalidRequest, message)
            .code("invalid_value")
            .param(param)
    }

    /// A 400 for a parameter that the model cannot honour.
    #[must_use]
    pub fn unsupported(param: impl Into<Place>, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorKind::InvalidRequest, message)
            .code("unsupported_parameter")
            .param(param)
    }

    /// A 404 for a name that nothing is behind.
    #[must_use]
    pub fn model_not_found(reason: &impl std::fmt::Display) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            ErrorKind::InvalidRequest,
            reason.to_string(),
        )
        .code("model_not_found")
        .param(Param::Model)
    }

    /// A failure of the gateway or of what stands behind it.
    #[must_use]
    pub fn server(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self::new(status, ErrorKind::Server, message).code(code)
    }

    /// The same error with a `code`.
    #[must_use]
    pub fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// The same error with seconds after which it may be tried again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The same error with a `param`.
    #[must_use]
    pub fn param(mut self, param: impl Into<Place>) -> Self {
        self.param = Some(param.into());
        self
    }
}
