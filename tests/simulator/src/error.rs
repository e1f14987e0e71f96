//! Errors as Bedrock words and frames them.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;

/// The namespace AWS appends to the exception name in `x-amzn-ErrorType`.
const NAMESPACE: &str = "http://internal.amazon.com/coral/com.amazon.bedrock/";

/// One error answer: HTTP status, exception name, message.
///
/// Statuses and names:
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html#API_runtime_InvokeModel_Errors>
/// and <https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AwsError {
    pub(crate) status: u16,
    pub(crate) name: String,
    pub(crate) message: String,
}

impl AwsError {
    pub(crate) fn new(status: u16, name: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            name: name.to_owned(),
            message: message.into(),
        }
    }

    /// 400 `ValidationException`: the body or the model id is not acceptable.
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationException", message)
    }

    /// 403 `AccessDeniedException`: known caller, forbidden action.
    pub(crate) fn access_denied(message: impl Into<String>) -> Self {
        Self::new(403, "AccessDeniedException", message)
    }

    /// 403 `InvalidSignatureException`: the signature or its scope is wrong.
    pub(crate) fn invalid_signature(message: impl Into<String>) -> Self {
        Self::new(403, "InvalidSignatureException", message)
    }

    /// 400 `IncompleteSignatureException`: `Authorization` cannot be read.
    pub(crate) fn incomplete_signature(message: impl Into<String>) -> Self {
        Self::new(400, "IncompleteSignatureException", message)
    }

    /// 403 `UnrecognizedClientException`: no such access key or session token.
    pub(crate) fn unrecognized_client() -> Self {
        Self::new(
            403,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        )
    }

    pub(crate) fn into_response(self) -> Response {
        let body = json!({ "message": self.message }).to_string();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if let Ok(value) = HeaderValue::from_str(&format!("{}:{NAMESPACE}", self.name)) {
            headers.insert("x-amzn-errortype", value);
        }
        response
    }
}
