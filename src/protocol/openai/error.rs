//! Errors in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`.

use serde::Serialize;

use crate::chat::{Error, ErrorKind, Terms};

/// The JSON body of an error, in an API's terms.
///
/// Official clients look at the HTTP status and at these four fields:
/// <https://platform.openai.com/docs/guides/error-codes/api-errors>.
pub(in crate::protocol) fn body(error: &Error, terms: &Terms) -> Vec<u8> {
    let param = error.param.as_ref().map(|place| place.told(terms));
    let error = Body {
        message: &error.message,
        kind: kind(error),
        param: param.as_deref(),
        code: error.code,
    };
    // Strings always serialise.
    serde_json::to_vec(&Envelope { error }).unwrap_or_default()
}

/// A missing parameter.
pub(in crate::protocol) fn missing(param: String) -> Error {
    let message = format!("Missing required parameter: '{param}'.");
    Error::invalid(param, message).code("missing_required_parameter")
}

fn kind(error: &Error) -> &'static str {
    if error.code == Some("insufficient_quota") {
        // OpenAI's own word for it: <https://platform.openai.com/docs/guides/error-codes/api-errors>.
        return "insufficient_quota";
    }
    match error.kind {
        // OpenAI's own kind for a wrong key.
        ErrorKind::InvalidRequest | ErrorKind::Authentication => "invalid_request_error",
        ErrorKind::Permission => "permission_error",
        ErrorKind::RateLimit => "rate_limit_error",
        ErrorKind::Server => "server_error",
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
