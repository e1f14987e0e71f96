//! Errors in Anthropic's shape: `{"type": "error", "error": {"type", "message"}, "request_id"}`.

use std::borrow::Cow;

use http::StatusCode;
use serde::Serialize;

use super::REQUEST_ID;
use super::params::name;
use crate::chat::{At, Error, ErrorKind, Field, Part, Terms};

/// How this API names what is at fault.
const TERMS: Terms = Terms {
    param: name,
    block: path,
    field: |field| match field {
        Field::Whole => "",
        Field::Kind => ".type",
        Field::Image | Field::FileData => ".source.data",
        Field::File => ".source",
    },
};

/// What clients look for in the error of a request that is too long: they shorten it and try again.
const TOO_LONG: &str = "prompt is too long";

/// What comes before the words of a model's server that says what is wrong.
const RETURNED: &str = "The model returned the following errors: ";

/// The JSON body of an error: <https://platform.claude.com/docs/en/api/errors>.
#[must_use]
pub fn body(error: &Error, id: Option<&str>) -> Vec<u8> {
    let id = id.map(|id| [REQUEST_ID.1, id].concat());
    let is_threads = error.code == Some("thread_unsupported_request");
    let body = Body {
        kind: "error",
        error: Inner {
            kind: kind(error),
            message: &message(error),
            details: error
                .code
                .filter(|_| is_threads)
                .map(|error_code| Details { error_code }),
        },
        request_id: id.as_deref(),
    };
    // Strings always serialise.
    serde_json::to_vec(&body).unwrap_or_default()
}

/// The status that Anthropic's API has for an error.
pub(super) fn status(error: &Error) -> StatusCode {
    if is_overload(error) {
        // Not a registered status, but all of Anthropic's clients know it.
        return StatusCode::from_u16(529).unwrap_or(error.status);
    }
    error.status
}

fn is_overload(error: &Error) -> bool {
    error.status == StatusCode::SERVICE_UNAVAILABLE && error.code != Some("no_route")
}

/// Anthropic has no field for what is at fault; its own messages begin with the path.
fn message(error: &Error) -> Cow<'_, str> {
    let own = error.message.strip_prefix(RETURNED);
    let own = own.unwrap_or(&error.message);
    if error.code == Some("context_length_exceeded") {
        return too_long(own, error.size.as_deref().copied());
    }
    match error.param.as_ref().map(|place| place.told(&TERMS)) {
        None => Cow::Borrowed(own),
        Some(place) if own.contains(&*place) => Cow::Borrowed(own),
        Some(place) => format!("{place}: {own}").into(),
    }
}

/// Clients look for these words, and for the two numbers behind them.
fn too_long(own: &str, size: Option<(u64, u64)>) -> Cow<'_, str> {
    if own.starts_with(TOO_LONG) {
        return Cow::Borrowed(own);
    }
    match size {
        Some((tokens, maximum)) => {
            let tokens = tokens.max(maximum + 1);
            format!("{TOO_LONG}: {tokens} tokens > {maximum} maximum").into()
        }
        None => format!("{TOO_LONG}: {own}").into(),
    }
}

fn kind(error: &Error) -> &'static str {
    match (error.kind, error.status) {
        (_, StatusCode::NOT_FOUND) => "not_found_error",
        (_, StatusCode::PAYLOAD_TOO_LARGE) => "request_too_large",
        (_, StatusCode::GATEWAY_TIMEOUT) => "timeout_error",
        (ErrorKind::InvalidRequest, _) => "invalid_request_error",
        (ErrorKind::Authentication, _) => "authentication_error",
        (ErrorKind::Permission, _) => "permission_error",
        (ErrorKind::RateLimit, _) => "rate_limit_error",
        (ErrorKind::Server, _) if is_overload(error) => "overloaded_error",
        (ErrorKind::Server, _) => "api_error",
    }
}

/// The path of a part of the conversation.
pub(super) fn path(at: At) -> String {
    let message = at.message;
    match at.part {
        Part::Whole => format!("messages.{message}"),
        Part::Content(index) | Part::Call(index) => format!("messages.{message}.content.{index}"),
        Part::Nested(index, inner) => format!("messages.{message}.content.{index}.content.{inner}"),
    }
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    error: Inner<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Inner<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details>,
}

#[derive(Serialize)]
struct Details {
    error_code: &'static str,
}
