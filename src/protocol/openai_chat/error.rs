//! Errors in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`.

use std::borrow::Cow;

use serde::Serialize;

use super::params::name;
use crate::chat::{At, Error, ErrorKind, Field, Part, Place};

/// The JSON body of an error.
///
/// Official clients look at the HTTP status and at these four fields:
/// <https://platform.openai.com/docs/guides/error-codes/api-errors>.
pub(super) fn body(error: &Error) -> Vec<u8> {
    let param = error.param.as_ref().map(param);
    let error = Body {
        message: &error.message,
        kind: kind(error.kind),
        param: param.as_deref(),
        code: error.code,
    };
    // Strings always serialise.
    serde_json::to_vec(&Envelope { error }).unwrap_or_default()
}

fn kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidRequest => "invalid_request_error",
        ErrorKind::Permission => "permission_error",
        ErrorKind::RateLimit => "rate_limit_error",
        ErrorKind::Server => "server_error",
    }
}

/// Where a place is in a request of OpenAI's.
fn param(place: &Place) -> Cow<'_, str> {
    match place {
        Place::Path(path) => Cow::Borrowed(path),
        Place::Param(param) => name(*param).into(),
        Place::Block(at, field) => {
            let field = match field {
                Field::Whole => "",
                Field::Kind => ".type",
                Field::Image => ".image_url.url",
                Field::File => ".file",
                Field::FileData => ".file.file_data",
            };
            (path(*at) + field).into()
        }
    }
}

/// The path of a part of the conversation.
pub(super) fn path(at: At) -> String {
    let message = at.message;
    match at.part {
        Part::Whole => format!("messages[{message}]"),
        Part::Content(index) => format!("messages[{message}].content[{index}]"),
        Part::Nested(index, inner) => {
            format!("messages[{message}].content[{index}].content[{inner}]")
        }
        Part::Call(index) => format!("messages[{message}].tool_calls[{index}]"),
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
    kind: &'static str,
    param: Option<&'a str>,
    code: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;

    #[test]
    fn the_body_has_all_four_fields() {
        let first = body(&Error::invalid("n", "must be 1"));
        assert_eq!(
            String::from_utf8(first).unwrap(),
            r#"{"error":{"message":"must be 1","type":"invalid_request_error","param":"n","code":"invalid_value"}}"#
        );
        let error = Error::server(StatusCode::BAD_GATEWAY, "stream_error", "cut");
        assert_eq!(
            String::from_utf8(body(&error)).unwrap(),
            r#"{"error":{"message":"cut","type":"server_error","param":null,"code":"stream_error"}}"#
        );
    }
}
