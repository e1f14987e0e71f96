//! Errors, and where in a chat request they are.

use super::params::name;
use crate::chat::{At, Error, Field, Part, Terms};
use crate::protocol::openai::error;

/// How this API names what is at fault.
const TERMS: Terms = Terms {
    param: name,
    block: path,
    field: |field| match field {
        Field::Whole => "",
        Field::Kind => ".type",
        Field::Image => ".image_url.url",
        Field::File => ".file",
        Field::FileData => ".file.file_data",
    },
};

/// The JSON body of an error.
pub(super) fn body(error: &Error) -> Vec<u8> {
    error::body(error, &TERMS)
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
