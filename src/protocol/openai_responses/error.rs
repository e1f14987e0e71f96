//! Errors, and where in a Responses request they are.

use std::borrow::Cow;

use super::params::name;
use crate::chat::{At, Error, ErrorKind, Field, Part, Terms};
use crate::protocol::openai::error;

/// How this API names what is at fault.
const TERMS: Terms = Terms {
    param: name,
    block: path,
    field: |field| match field {
        Field::Whole | Field::File => "",
        Field::Kind => ".type",
        Field::Image => ".image_url",
        Field::FileData => ".file_data",
    },
};

/// The JSON body of an error.
pub(super) fn body(error: &Error) -> Vec<u8> {
    error::body(error, &TERMS)
}

/// The code of an error inside a response, of those that clients know:
/// <https://platform.openai.com/docs/api-reference/responses/object#responses/object-error>.
pub(super) fn code(error: &Error) -> &'static str {
    match error.kind {
        _ if error.code == Some("context_length_exceeded") => "context_length_exceeded",
        ErrorKind::RateLimit => "rate_limit_exceeded",
        ErrorKind::InvalidRequest => "invalid_prompt",
        ErrorKind::Authentication | ErrorKind::Permission | ErrorKind::Server => "server_error",
    }
}

/// The message of such an error: a stream has no header for the time to wait.
pub(super) fn message(error: &Error) -> Cow<'_, str> {
    match error.retry_after {
        Some(seconds) => format!("{} Please try again in {seconds}s.", error.message).into(),
        None => Cow::Borrowed(&error.message),
    }
}

/// The path of a part of the conversation.
pub(super) fn path(at: At) -> String {
    let item = at.message;
    match at.part {
        Part::Whole | Part::Call(_) => format!("input[{item}]"),
        Part::Content(index) => format!("input[{item}].content[{index}]"),
        Part::Nested(_, index) => format!("input[{item}].output[{index}]"),
    }
}
