//! Errors in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`.

use http::StatusCode;
use serde::Serialize;

/// An error as the client sees it.
///
/// Official clients look at the HTTP status and at these four fields:
/// <https://platform.openai.com/docs/guides/error-codes/api-errors>.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// HTTP status.
    pub status: StatusCode,
    /// `type` of the error.
    pub kind: ErrorKind,
    /// Machine-readable `code`, if there is one.
    pub code: Option<&'static str>,
    /// The request's parameter that is at fault, for example `messages[0].content`.
    pub param: Option<String>,
    /// What went wrong and what to do, for a person.
    pub message: String,
    /// Seconds after which the same request may succeed, for the header `retry-after`.
    pub retry_after: Option<u32>,
}

/// Value of the error's `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The request cannot be served as it is.
    #[serde(rename = "invalid_request_error")]
    InvalidRequest,
    /// The caller may not do this.
    #[serde(rename = "permission_error")]
    Permission,
    /// Too many requests or tokens.
    #[serde(rename = "rate_limit_error")]
    RateLimit,
    /// The gateway or the model failed.
    #[serde(rename = "server_error")]
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
    pub fn invalid(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorKind::InvalidRequest, message)
            .code("invalid_value")
            .param(param)
    }

    /// A 400 for a parameter that Bedrock cannot express.
    #[must_use]
    pub fn unsupported(param: impl Into<String>, message: impl Into<String>) -> Self {
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
        .param("model")
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

    /// The same error with seconds for `retry-after`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The same error with a `param`.
    #[must_use]
    pub fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// The JSON body.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let error = Body {
            message: &self.message,
            kind: self.kind,
            param: self.param.as_deref(),
            code: self.code,
        };
        // Strings and enums always serialise.
        serde_json::to_vec(&Envelope { error }).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: ErrorKind,
    param: Option<&'a str>,
    code: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_all_four_fields() {
        let body = Error::invalid("n", "must be 1").body();
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"error":{"message":"must be 1","type":"invalid_request_error","param":"n","code":"invalid_value"}}"#
        );
        let body = Error::server(StatusCode::BAD_GATEWAY, "stream_error", "cut").body();
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"error":{"message":"cut","type":"server_error","param":null,"code":"stream_error"}}"#
        );
    }
}
