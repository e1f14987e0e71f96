//! Errors in Anthropic's shape: `{"type": "error", "error": {"type", "message"}}`.

use std::borrow::Cow;

use http::StatusCode;
use serde::Serialize;

use super::read::name;
use crate::chat::{At, Error, ErrorKind, Field, Part, Place};

/// What clients look for in the error of a request that is too long: they shorten it and try again.
const TOO_LONG: &str = "prompt is too long";

/// The JSON body of an error: <https://platform.claude.com/docs/en/api/errors>.
pub(super) fn body(error: &Error) -> Vec<u8> {
    let body = Body {
        kind: "error",
        error: Inner {
            kind: kind(error),
            message: &message(error),
        },
    };
    // Strings always serialise.
    serde_json::to_vec(&body).unwrap_or_default()
}

/// Anthropic has no field for what is at fault; its own messages begin with the path.
fn message(error: &Error) -> Cow<'_, str> {
    if error.code == Some("context_length_exceeded") {
        return format!("{TOO_LONG}: {}", error.message).into();
    }
    match error.param.as_ref().map(place) {
        // What is well known needs no place.
        None => Cow::Borrowed(&*error.message),
        Some(place) if error.message.contains(&*place) => Cow::Borrowed(&*error.message),
        Some(place) => format!("{place}: {}", error.message).into(),
    }
}

fn kind(error: &Error) -> &'static str {
    match (error.kind, error.status) {
        (_, StatusCode::NOT_FOUND) => "not_found_error",
        (_, StatusCode::PAYLOAD_TOO_LARGE) => "request_too_large",
        (_, StatusCode::GATEWAY_TIMEOUT) => "timeout_error",
        (ErrorKind::InvalidRequest, _) => "invalid_request_error",
        (ErrorKind::Permission, _) => "permission_error",
        (ErrorKind::RateLimit, _) => "rate_limit_error",
        (ErrorKind::Server, StatusCode::SERVICE_UNAVAILABLE) => "overloaded_error",
        (ErrorKind::Server, _) => "api_error",
    }
}

fn place(place: &Place) -> Cow<'_, str> {
    match place {
        Place::Path(path) => Cow::Borrowed(path),
        Place::Param(param) => name(*param).into(),
        Place::Block(at, field) => {
            let field = match field {
                Field::Whole => "",
                Field::Kind => ".type",
                Field::Image | Field::FileData => ".source.data",
                Field::File => ".source",
            };
            (path(*at) + field).into()
        }
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
}

#[derive(Serialize)]
struct Inner<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    message: &'a str,
}
