//! Bedrock's errors, and what the client is told instead.

mod channel_fault;
mod too_long;

pub use channel_fault::ChannelFault;

use http::StatusCode;
use serde::Deserialize;

use crate::bedrock::redact;
use crate::chat::{Error, ErrorKind, Param};

/// An error that Bedrock answered with, by status or inside a stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{exception}: {message}")]
pub struct UpstreamError {
    /// Name of the exception in upper camel case, for example `ThrottlingException`; empty when
    /// the answer did not name one.
    pub exception: String,
    /// HTTP status of the answer, or of the exception inside a stream.
    pub status: StatusCode,
    /// Text of the answer; may contain AWS identifiers.
    pub message: String,
}

/// How one exception is passed on.
struct Mapping {
    status: StatusCode,
    kind: ErrorKind,
    code: &'static str,
}

/// Reads an error answer: exception from `x-amzn-errortype` or the body, message from the body.
///
/// The header can be namespaced (`Name:http://…`, `ns#Name`); bodies can be empty, text or HTML.
#[must_use]
pub fn decode_error(status: StatusCode, error_type: Option<&str>, body: &[u8]) -> UpstreamError {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Body {
        message: Option<String>,
        #[serde(rename = "Message")]
        upper_message: Option<String>,
        #[serde(rename = "__type")]
        kind: Option<String>,
        code: Option<String>,
        #[serde(rename = "originalStatusCode")]
        original_status: Option<u16>,
    }
    let body: Body = serde_json::from_slice(body).unwrap_or_default();
    let exception = error_type
        .map(str::to_owned)
        .or(body.code)
        .or(body.kind)
        .map(|name| bare_name(&name).to_owned())
        .unwrap_or_default();
    // Only the model's own status says whether a model error is the request's fault.
    let status = match body.original_status {
        Some(original) if exception == "ModelErrorException" && original < 500 => {
            StatusCode::BAD_REQUEST
        }
        _ => status,
    };
    UpstreamError {
        exception,
        status,
        message: body.message.or(body.upper_message).unwrap_or_default(),
    }
}

fn bare_name(name: &str) -> &str {
    let name = name.split(':').next().unwrap_or(name);
    name.rsplit('#').next().unwrap_or(name)
}

impl UpstreamError {
    /// An exception inside a stream, where `exception` is in lower camel case.
    #[must_use]
    pub fn in_stream(exception: &str, message: &str) -> Self {
        let mut letters = exception.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        let exception: String = first.into_iter().chain(letters).collect();
        let status = known(&exception).map_or(StatusCode::BAD_GATEWAY, |mapping| mapping.status);
        Self {
            exception,
            status,
            message: message.to_owned(),
        }
    }

    /// An error that a model itself streams, in Anthropic's words: <https://platform.claude.com/docs/en/api/errors>.
    #[must_use]
    pub fn in_band(kind: &str, message: &str) -> Self {
        let exception = match kind {
            "overloaded_error" => "serviceUnavailableException",
            "rate_limit_error" => "throttlingException",
            "invalid_request_error" => "validationException",
            "timeout_error" => "modelTimeoutException",
            _ => "modelStreamErrorException",
        };
        Self::in_stream(exception, message)
    }

    /// Whether the answer has nothing but its status, like those of proxies.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.exception.is_empty() && self.message.is_empty()
    }

    /// Whether the model did not recognise the body, as happens when a profile serves another family than the one
    /// that the body was written for.
    #[must_use]
    pub fn is_about_schema(&self) -> bool {
        const PATTERNS: [&str; 4] = [
            "Malformed input request",
            "extraneous key",
            "Extra inputs are not permitted",
            "required key",
        ];
        self.exception == "ValidationException"
            && PATTERNS
                .iter()
                .any(|pattern| self.message.contains(pattern))
    }

    /// Whether it means that the model is served only through inference profiles.
    #[must_use]
    pub fn is_about_on_demand(&self) -> bool {
        self.exception == "ValidationException" && self.message.contains(NO_ON_DEMAND)
    }

    /// Whether it means that the gateway's own credentials are wrong.
    #[must_use]
    pub fn is_about_credentials(&self) -> bool {
        is_credentials(&self.exception) || is_api_key(&self.exception, &self.message)
    }

    /// Whether it means that this channel cannot serve the model, whatever the request contains.
    #[must_use]
    pub fn channel_fault(&self) -> Option<ChannelFault> {
        channel_fault::of(self)
    }

    /// The error as the client sees it.
    #[must_use]
    pub fn reply(&self) -> Error {
        if self.is_about_credentials() {
            let message = format!(
                "Bedrock refused the gateway's AWS credentials ({}). Only the gateway's \
                 administrator can fix this.",
                self.exception
            );
            return Error::server(
                StatusCode::BAD_GATEWAY,
                "upstream_authentication_failed",
                message,
            );
        }
        if self.exception == "UnknownOperationException" {
            let message = "Bedrock does not know the path that the gateway called; the channel's \
                           model id or ARN is probably malformed.";
            return Error::server(StatusCode::BAD_GATEWAY, "unknown_operation", message);
        }
        let mut mapping = self.mapping();
        let fault = self.channel_fault();
        if let Some(fault) = fault
            && (mapping.status == StatusCode::BAD_REQUEST
                || matches!(fault, ChannelFault::Configuration(_)))
        {
            mapping = failed(StatusCode::BAD_GATEWAY, "channel_misconfigured");
        }
        let message = self.text(mapping.status, fault);
        let mut error = Error::new(mapping.status, mapping.kind, message).code(mapping.code);
        if mapping.status == StatusCode::BAD_REQUEST && too_long::says(&self.message) {
            error.code = Some("context_length_exceeded");
            error.param = Some(Param::Messages.into());
        }
        error
    }

    fn mapping(&self) -> Mapping {
        if self.exception == "ModelErrorException" && self.status == StatusCode::BAD_REQUEST {
            return by_status(self.status);
        }
        known(&self.exception).unwrap_or_else(|| by_status(self.status))
    }

    /// The redacted message, with a remedy if there is one.
    fn text(&self, status: StatusCode, fault: Option<ChannelFault>) -> String {
        let message = self.message.trim();
        if message.is_empty() {
            return generic_message(status).to_owned();
        }
        let mut text = redact(message);
        let remedy = fault.map(ChannelFault::remedy);
        if let Some(remedy) = remedy.or_else(|| remedy_of(message, &self.exception)) {
            text.push_str(if text.ends_with('.') { " (" } else { ". (" });
            text.push_str(remedy);
            text.push(')');
        }
        text
    }
}

/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html#API_runtime_InvokeModel_Errors>
fn known(exception: &str) -> Option<Mapping> {
    Some(match exception {
        "ValidationException" | "SerializationException" => INVALID_REQUEST,
        "ServiceQuotaExceededException" => throttled("quota_exceeded"),
        "AccessDeniedException" | "NotAuthorized" | "OptInRequired" | "MPAgreementBeingCreated" => {
            ACCESS_DENIED
        }
        "FTUFormNotFilled" => ACCESS_DENIED,
        "ResourceNotFoundException" => refused(StatusCode::NOT_FOUND, "model_not_found"),
        // Clients retry a 504 but not a 424, which some of Bedrock's failures have.
        "ModelTimeoutException" => TIMEOUT,
        "ModelErrorException" => failed(StatusCode::BAD_GATEWAY, "model_error"),
        "ModelStreamErrorException" => failed(StatusCode::BAD_GATEWAY, "stream_error"),
        "ModelNotReadyException" => failed(StatusCode::SERVICE_UNAVAILABLE, "model_not_ready"),
        "ThrottlingException" | "ThrottledException" | "TooManyRequestsException" => RATE_LIMITED,
        "InternalServerException" => INTERNAL_ERROR,
        "ServiceUnavailableException" => UNAVAILABLE,
        _ => return None,
    })
}

/// For answers without a known exception, including Envoy's own.
fn by_status(status: StatusCode) -> Mapping {
    match status {
        StatusCode::FORBIDDEN => ACCESS_DENIED,
        StatusCode::NOT_FOUND => refused(status, "not_found"),
        StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => TIMEOUT,
        StatusCode::PAYLOAD_TOO_LARGE => refused(status, "request_too_large"),
        StatusCode::TOO_MANY_REQUESTS => RATE_LIMITED,
        _ if status.is_client_error() => INVALID_REQUEST,
        StatusCode::INTERNAL_SERVER_ERROR => INTERNAL_ERROR,
        StatusCode::SERVICE_UNAVAILABLE => UNAVAILABLE,
        _ => failed(StatusCode::BAD_GATEWAY, "bad_gateway"),
    }
}

const INVALID_REQUEST: Mapping = refused(StatusCode::BAD_REQUEST, "invalid_request");
const ACCESS_DENIED: Mapping = Mapping {
    status: StatusCode::FORBIDDEN,
    kind: ErrorKind::Permission,
    code: "access_denied",
};
const RATE_LIMITED: Mapping = throttled("rate_limit_exceeded");
const INTERNAL_ERROR: Mapping = failed(StatusCode::INTERNAL_SERVER_ERROR, "internal_error");
const UNAVAILABLE: Mapping = failed(StatusCode::SERVICE_UNAVAILABLE, "service_unavailable");
const TIMEOUT: Mapping = failed(StatusCode::GATEWAY_TIMEOUT, "timeout");

/// The request's fault.
const fn refused(status: StatusCode, code: &'static str) -> Mapping {
    let kind = ErrorKind::InvalidRequest;
    Mapping { status, kind, code }
}

/// Too much at once.
const fn throttled(code: &'static str) -> Mapping {
    let (status, kind) = (StatusCode::TOO_MANY_REQUESTS, ErrorKind::RateLimit);
    Mapping { status, kind, code }
}

/// Bedrock's fault.
const fn failed(status: StatusCode, code: &'static str) -> Mapping {
    let kind = ErrorKind::Server;
    Mapping { status, kind, code }
}

fn generic_message(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "Bedrock refused the request.",
        StatusCode::FORBIDDEN => "The gateway's account has no access to this model.",
        StatusCode::NOT_FOUND => "Bedrock does not know this model.",
        StatusCode::PAYLOAD_TOO_LARGE => "The request is too large.",
        StatusCode::TOO_MANY_REQUESTS => "Too many requests; try again later.",
        StatusCode::SERVICE_UNAVAILABLE => {
            "Bedrock cannot be reached or is overloaded; try again later."
        }
        StatusCode::GATEWAY_TIMEOUT => "The model did not answer in time; try again later.",
        _ => "The model failed to answer; try again later.",
    }
}

/// Exceptions that mean the gateway's own credentials are wrong:
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html>.
fn is_credentials(exception: &str) -> bool {
    matches!(
        exception,
        "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "ExpiredTokenException"
            | "ExpiredToken"
            | "MissingAuthenticationTokenException"
            | "MissingAuthenticationToken"
            | "IncompleteSignatureException"
            | "IncompleteSignature"
            | "InvalidClientTokenId"
            | "RequestExpired"
            | "RequestTimeTooSkewed"
    )
}

/// Bedrock's message for a model that it serves only through inference profiles, up to the apostrophe, which is one
/// of two characters.
const NO_ON_DEMAND: &str = "with on-demand throughput isn";

/// Messages that mean that a Bedrock API key is wrong; the exception is the one for policies.
fn is_api_key(exception: &str, message: &str) -> bool {
    const TEXTS: [&str; 4] = [
        "make sure your API Key is valid",
        "Bearer Token has expired",
        "Invalid API Key format",
        "bearer token included in the request is invalid",
    ];
    exception == "AccessDeniedException" && TEXTS.iter().any(|text| message.contains(text))
}

/// What to do about the errors that operators meet most often.
fn remedy_of(message: &str, exception: &str) -> Option<&'static str> {
    if message.contains("invalid beta flag") {
        return Some("Remove the flag that this model does not support from 'anthropic_beta'.");
    }
    (exception == "AccessDeniedException").then_some(
        "The channel's IAM identity needs bedrock:InvokeModel and \
         bedrock:InvokeModelWithResponseStream on the inference profile and on its foundation \
         models, and the account needs access to the model.",
    )
}

#[cfg(test)]
mod tests;
