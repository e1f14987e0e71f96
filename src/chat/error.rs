//! Why a request fails: what is wrong, where, and what to do.

use std::borrow::Cow;

use http::StatusCode;

use super::{At, Field, Param};

/// An error for the client. Its protocol writes it, and says in its own terms where the fault is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// HTTP status.
    pub status: StatusCode,
    /// What kind of error it is.
    pub kind: ErrorKind,
    /// A word for programs, if there is one; the same in every protocol that has a place for it.
    pub code: Option<&'static str>,
    /// The part of the request that is at fault.
    pub param: Option<Place>,
    /// What went wrong and what to do, for a person.
    pub message: String,
    /// Seconds after which the same request may succeed.
    pub retry_after: Option<u32>,
    /// Of a prompt that is too long: its tokens, as far as they can be told, and the most that the model takes.
    pub size: Option<Box<(u64, u64)>>,
    /// The name of a model that was asked for in vain.
    pub model: Option<Box<str>>,
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

/// How a protocol names what can be at fault.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// The name of a parameter.
    pub param: fn(Param) -> &'static str,
    /// The path of a part of the conversation.
    pub block: fn(At) -> String,
    /// What comes after that path for a field of the part.
    pub field: fn(Field) -> &'static str,
}

impl Place {
    /// The place in a protocol's own terms.
    #[must_use]
    pub fn told(&self, terms: &Terms) -> Cow<'_, str> {
        match self {
            Self::Path(path) => Cow::Borrowed(path),
            Self::Param(param) => (terms.param)(*param).into(),
            Self::Block(at, field) => ((terms.block)(*at) + (terms.field)(*field)).into(),
        }
    }
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
    /// Nothing says who the caller is.
    Authentication,
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
            size: None,
            model: None,
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

    /// A 404 for a name that does not exist.
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

    /// The same with the name of the model that was asked for in vain.
    #[must_use]
    pub fn about_model(mut self, name: &str) -> Self {
        self.model = Some(name.into());
        self
    }

    /// A failure of the gateway or of something behind it.
    #[must_use]
    pub fn server(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self::new(status, ErrorKind::Server, message).code(code)
    }

    /// A fault of the gateway: something could not be written as JSON or as a header.
    #[must_use]
    pub fn encoding(error: &impl std::error::Error) -> Self {
        let message = format!("cannot encode: {error}");
        Self::server(
            StatusCode::INTERNAL_SERVER_ERROR,
            "encoding_failed",
            message,
        )
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
