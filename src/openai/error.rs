//! Errors in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`.

use serde::Serialize;

use crate::chat::{Error, ErrorKind, Place};

/// The JSON body of an error.
///
/// Official clients look at the HTTP status and at these four fields:
/// <https://platform.openai.com/docs/guides/error-codes/api-errors>.
#[must_use]
pub fn error_body(error: &Error) -> Vec<u8> {
    let error = Body {
        message: &error.message,
        kind: kind(error.kind),
        param: error.param.as_ref().map(param),
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
fn param(place: &Place) -> &str {
    match place {
        Place::Path(path) => path,
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
        let body = error_body(&Error::invalid("n", "must be 1"));
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"error":{"message":"must be 1","type":"invalid_request_error","param":"n","code":"invalid_value"}}"#
        );
        let error = Error::server(StatusCode::BAD_GATEWAY, "stream_error", "cut");
        assert_eq!(
            String::from_utf8(error_body(&error)).unwrap(),
            r#"{"error":{"message":"cut","type":"server_error","param":null,"code":"stream_error"}}"#
        );
    }
}
