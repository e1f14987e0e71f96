//! Refusals as problem documents (RFC 9457).

mod choices;
mod money;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::etag;
use crate::access::{Principal, Role};
use crate::callers::CallerError;
use crate::channels::{DiscoverError, EditError};
use crate::export::ExportError;
use crate::fault::{self, Fault, FaultSchema};
use crate::probe::ProbeError;
use crate::reader::SyntaxError;
use crate::store::StoreError;
use crate::token::IssueError;

/// A refusal: `application/problem+json`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `about:blank` if the status says it all, otherwise a name for this kind of refusal.
    #[serde(rename = "type")]
    kind: &'static str,
    /// This kind of refusal in words.
    title: &'static str,
    /// HTTP status.
    #[serde(serialize_with = "status_number")]
    #[schema(value_type = u16)]
    status: StatusCode,
    /// What is wrong, for a person.
    detail: String,
    /// Every fault of the body, up to the hundredth.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<FaultSchema>, required = false)]
    errors: Vec<Fault>,
    /// How many faults there are, including those not listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = usize, required = false)]
    error_count: Option<usize>,
    /// The current revision of the channel or credential, if that is what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64, required = false)]
    revision: Option<u64>,
}

const BLANK: &str = "about:blank";

impl Problem {
    /// 401: no admin token, or a wrong one.
    pub(super) fn unauthorized() -> Self {
        let detail = "send the admin token as `authorization: Bearer <token>`";
        Self::new(StatusCode::UNAUTHORIZED, BLANK, "Unauthorized", detail)
    }

    /// 403: the token's role does not suffice.
    pub(super) fn forbidden(principal: &Principal, needed: Role) -> Self {
        let detail = format!(
            "`{}` has the role {}; this needs {}",
            principal.name,
            principal.role.as_str(),
            needed.as_str()
        );
        Self::new(StatusCode::FORBIDDEN, BLANK, "Forbidden", detail)
    }

    /// 422: a token cannot have this name or role.
    fn invalid_token(fault: Fault) -> Self {
        let kind = "urn:bedrock-filter:problem:invalid-token";
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let detail = "the token has 1 fault; nothing was changed";
        Self::new(status, kind, "Invalid token", detail).with_errors(vec![fault])
    }

    /// 409: another token has the name.
    fn token_name_taken(name: &str) -> Self {
        let detail = format!("another token has the name `{name}`; nothing was changed");
        let kind = "urn:bedrock-filter:problem:name-taken";
        Self::new(StatusCode::CONFLICT, kind, "Name taken", detail)
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

    /// 408: the body did not arrive in time.
    pub(crate) fn request_timeout() -> Self {
        let detail = "the body of the request took too long; see --body-timeout-seconds";
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            BLANK,
            "Request Timeout",
            detail,
        )
    }

    /// 413.
    pub(super) fn too_large(limit: usize) -> Self {
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        let detail = format!("the body is longer than {limit} bytes");
        Self::new(status, BLANK, "Content Too Large", detail)
    }

    /// 400: a part of the request cannot be read.
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, BLANK, "Bad Request", detail)
    }

    /// 503: something that the service needs does not work right now.
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
            error_count: None,
            revision: None,
        }
    }

    /// HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// What is wrong, in words.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    fn with_errors(mut self, mut errors: Vec<Fault>) -> Self {
        self.error_count = Some(fault::cap(&mut errors));
        self.errors = errors;
        self
    }

    pub(super) fn invalid_channel(faults: Vec<Fault>) -> Self {
        let kind = "urn:bedrock-filter:problem:invalid-channel";
        Self::invalid((kind, "Invalid channel"), "channel", faults)
    }

    fn invalid(
        (kind, title): (&'static str, &'static str),
        what: &str,
        faults: Vec<Fault>,
    ) -> Self {
        let detail = match faults.len() {
            1 => format!("the {what} has 1 fault; nothing was changed"),
            n => format!("the {what} has {n} faults; nothing was changed"),
        };
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self::new(status, kind, title, detail).with_errors(faults)
    }

    pub(super) fn name_taken(what: &str, name: &str) -> Self {
        let detail = format!("another {what} has the name `{name}`; nothing was changed");
        let kind = "urn:bedrock-filter:problem:name-taken";
        let fault = fault::name_taken(what);
        Self::new(StatusCode::CONFLICT, kind, "Name taken", detail).with_errors(vec![fault])
    }

    pub(super) fn outdated(what: &str, revision: Option<u64>) -> Self {
        let detail = match revision {
            Some(revision) => format!(
                "the {what} was edited since it was read, and is now at revision {revision}; \
                 nothing was changed; read it again and repeat the edit"
            ),
            None => format!("the {what} no longer exists; nothing was changed"),
        };
        let kind = "urn:bedrock-filter:problem:edit-conflict";
        let status = StatusCode::PRECONDITION_FAILED;
        Self {
            revision,
            ..Self::new(status, kind, "Edit conflict", detail)
        }
    }

    pub(super) fn malformed(error: &SyntaxError) -> Self {
        let fault = Fault::new("", "invalid_json", error.to_string());
        let kind = "urn:bedrock-filter:problem:malformed-json";
        let detail = format!("the body is not valid JSON: {error}");
        Self::new(StatusCode::BAD_REQUEST, kind, "Malformed JSON", detail).with_errors(vec![fault])
    }

    fn invalid_credential(faults: Vec<Fault>) -> Self {
        let detail = match faults.len() {
            1 => "the credential has 1 fault; nothing was changed".to_owned(),
            n => format!("the credential has {n} faults; nothing was changed"),
        };
        let kind = "urn:bedrock-filter:problem:invalid-credential";
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self::new(status, kind, "Invalid credential", detail).with_errors(faults)
    }

    fn credential_in_use(detail: String) -> Self {
        let kind = "urn:bedrock-filter:problem:credential-in-use";
        Self::new(StatusCode::CONFLICT, kind, "Credential in use", detail)
    }

    fn no_credentials(detail: String) -> Self {
        let kind = "urn:bedrock-filter:problem:no-credentials";
        Self::new(StatusCode::CONFLICT, kind, "No credentials", detail)
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
            EditError::Syntax(error) => Self::malformed(&error),
            EditError::Invalid(faults) => Self::invalid_channel(faults),
            EditError::NameTaken(name) => Self::name_taken("channel", &name),
            EditError::NotFound(_)
            | EditError::UnknownRevision(_)
            | EditError::UnknownCredential(_)
            | EditError::UnknownCaller(_) => Self::not_found(error.to_string()),
            EditError::InvalidCredential(faults) => Self::invalid_credential(faults),
            EditError::CredentialInUse { .. } => Self::credential_in_use(error.to_string()),
            EditError::Outdated(revision) => Self::outdated("channel", revision),
            EditError::CredentialOutdated(revision) => Self::outdated("credential", revision),
            EditError::Store(error) => error.into(),
            EditError::Interrupted => {
                tracing::error!("an edit was interrupted");
                Self::internal()
            }
        }
    }
}

impl From<CallerError> for Problem {
    fn from(error: CallerError) -> Self {
        match error {
            CallerError::Syntax(error) => Self::malformed(&error),
            CallerError::Invalid(faults) => {
                let kind = "urn:bedrock-filter:problem:invalid-caller";
                Self::invalid((kind, "Invalid caller"), "caller", faults)
            }
            CallerError::Export(faults) => {
                let kind = "urn:bedrock-filter:problem:invalid-export";
                Self::invalid((kind, "Invalid export"), "export", faults)
            }
            CallerError::NameTaken(name) => Self::name_taken("caller", &name),
            CallerError::NotFound(_) | CallerError::NoKey(_) | CallerError::UnknownRevision(_) => {
                Self::not_found(error.to_string())
            }
            CallerError::Outdated(revision) => Self::outdated("caller", revision),
            CallerError::Random(error) => {
                tracing::error!(%error, "the system provides no random numbers for a key");
                Self::unavailable("the system provides no random numbers")
            }
            CallerError::Store(error) => error.into(),
            CallerError::Interrupted => {
                tracing::error!("an edit of a caller was interrupted");
                Self::internal()
            }
        }
    }
}

impl From<IssueError> for Problem {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Name => {
                let message = error.to_string();
                Self::invalid_token(Fault::new("/name", "invalid_name", message))
            }
            IssueError::Taken(name) => Self::token_name_taken(&name),
            IssueError::Random(error) => {
                tracing::error!(%error, "the system provides no random numbers for a token");
                Self::unavailable("the system provides no random numbers")
            }
            IssueError::Store(error) => error.into(),
        }
    }
}

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Contents(error) => error.into(),
            ExportError::Target(error) => Self::bad_request(error.to_string()),
            ExportError::Template(reason) => {
                tracing::error!(reason, "the export failed");
                Self::internal()
            }
            _ => {
                let kind = "urn:bedrock-filter:problem:not-exportable";
                let detail = error.to_string();
                Self::new(StatusCode::CONFLICT, kind, "Not exportable", detail)
            }
        }
    }
}

impl From<DiscoverError> for Problem {
    fn from(error: DiscoverError) -> Self {
        match error {
            DiscoverError::Channel(error) => error.into(),
            DiscoverError::NoCredentials => Self::no_credentials(error.to_string()),
        }
    }
}

impl From<ProbeError> for Problem {
    fn from(error: ProbeError) -> Self {
        match error {
            ProbeError::Channel(error) => error.into(),
            ProbeError::NoModels | ProbeError::LongPrompt | ProbeError::ManyModels(_) => {
                Self::bad_request(error.to_string())
            }
            ProbeError::NoCredentials => Self::no_credentials(error.to_string()),
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
        let revision = self.revision;
        let mut response = (status, Json(self)).into_response();
        if let Some(revision) = revision {
            response.headers_mut().extend([etag::of(revision)]);
        }
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
