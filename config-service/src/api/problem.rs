//! Refusals as problem documents (RFC 9457).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::channels::EditError;
use crate::fault::Fault;
use crate::store::StoreError;

/// A refusal: `application/problem+json`.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// `about:blank` when the status says it all, otherwise a name for this kind of refusal.
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    #[serde(serialize_with = "status_number")]
    status: StatusCode,
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
}

const BLANK: &str = "about:blank";

impl Problem {
    /// 401: no admin token, or a wrong one.
    pub(super) fn unauthorized() -> Self {
        let detail = "send the admin token as `authorization: Bearer <token>`";
        Self::new(StatusCode::UNAUTHORIZED, BLANK, "Unauthorized", detail)
    }

    /// 404.
    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, BLANK, "Not Found", detail)
    }

    /// 405.
    pub(super) fn method_not_allowed(detail: impl Into<String>) -> Self {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Self::new(status, BLANK, "Method Not Allowed", detail)
    }

    /// 413.
    pub(super) fn too_large(limit: usize) -> Self {
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        let detail = format!("the body is longer than {limit} bytes");
        Self::new(status, BLANK, "Content Too Large", detail)
    }

    /// 400: the body cannot be read.
    pub(super) fn bad_body(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, BLANK, "Bad Request", detail)
    }

    /// 503: something that is needed does not work right now.
    pub(super) fn unavailable(detail: impl Into<String>) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::new(status, BLANK, "Service Unavailable", detail)
    }

    fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            title,
            status,
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    fn with_errors(mut self, errors: Vec<Fault>) -> Self {
        self.errors = errors;
        self
    }

    fn invalid_channel(faults: Vec<Fault>) -> Self {
        let detail = match faults.len() {
            1 => "the channel has 1 fault; nothing was changed".to_owned(),
            n => format!("the channel has {n} faults; nothing was changed"),
        };
        let kind = "urn:bedrock-filter:problem:invalid-channel";
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            kind,
            "Invalid channel",
            detail,
        )
        .with_errors(faults)
    }

    fn name_taken(name: &str) -> Self {
        let detail = format!("another channel has the name `{name}`; nothing was changed");
        let kind = "urn:bedrock-filter:problem:name-taken";
        let fault = Fault::new("/name", "name_taken", "another channel has this name");
        Self::new(StatusCode::CONFLICT, kind, "Name taken", detail).with_errors(vec![fault])
    }

    fn internal() -> Self {
        let detail = "the config-service failed; its log says why";
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::new(status, BLANK, "Internal Server Error", detail)
    }
}

impl From<EditError> for Problem {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Syntax(error) => {
                let fault = Fault::new("", "invalid_json", error.to_string());
                let kind = "urn:bedrock-filter:problem:malformed-json";
                let detail = format!("the body is not valid JSON: {error}");
                Self::new(StatusCode::BAD_REQUEST, kind, "Malformed JSON", detail)
                    .with_errors(vec![fault])
            }
            EditError::Invalid(faults) => Self::invalid_channel(faults),
            EditError::NameTaken(name) => Self::name_taken(&name),
            EditError::NotFound(_) => Self::not_found(error.to_string()),
            EditError::Store(error) => error.into(),
            EditError::Interrupted => {
                tracing::error!("an edit was interrupted");
                Self::internal()
            }
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        Self::internal()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"config-service\""),
            );
        }
        response
    }
}

fn status_number<S: serde::Serializer>(
    status: &StatusCode,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}
