//! Reads JSON, and says where its fault is.

use http::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::error::missing;
use crate::chat::{Error, ErrorKind};
use crate::json::{Fault, Located, read_located, syntax};

/// Reads a body, and the names of unread members; `prefix` comes before the places of faults.
///
/// # Errors
///
/// A 400 that says what is wrong, and where.
pub(in crate::protocol) fn read<'a, T: Deserialize<'a>>(
    body: &'a [u8],
    prefix: &str,
) -> Result<(T, Vec<&'a str>), Error> {
    // The standard library's check takes as long as all the rest where a text is not English.
    let text = simdutf8::basic::from_utf8(body).map_err(|_| not_utf8(body))?;
    read_located(text).map_err(|located| parse_error(text, &located, prefix))
}

/// Reads a value that was left as JSON until now.
///
/// # Errors
///
/// A 400 that says what is wrong, and where below `path`.
pub(in crate::protocol) fn inner<'a, T: Deserialize<'a>>(
    json: &'a RawValue,
    path: &str,
) -> Result<T, Error> {
    let read = read_located(json.get());
    read.map(|(value, _)| value).map_err(|located| {
        let path = match located.path().as_str() {
            "" => path.to_owned(),
            index if index.starts_with('[') => format!("{path}{index}"),
            member => format!("{path}.{member}"),
        };
        fault_at(path, &Fault::of(&located.error))
    })
}

/// The error for a body that is not a JSON object.
pub(in crate::protocol) fn no_object(found: &str) -> Error {
    let message = format!("The request body must be a JSON object, got {found}.");
    Error::new(StatusCode::BAD_REQUEST, ErrorKind::InvalidRequest, message).code("invalid_json")
}

/// The error for a body that is not UTF-8.
fn not_utf8(body: &[u8]) -> Error {
    let valid = std::str::from_utf8(body).map_or_else(|fault| fault.valid_up_to(), str::len);
    let before = body.get(..valid).unwrap_or_default();
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    let column = before
        .iter()
        .rev()
        .take_while(|byte| **byte != b'\n')
        .count();
    invalid_json(&format!(
        "it is not valid UTF-8 (line {line}, column {column})"
    ))
}

fn invalid_json(what: &str) -> Error {
    let message = format!("We could not parse the JSON body of your request: {what}.");
    Error::new(StatusCode::BAD_REQUEST, ErrorKind::InvalidRequest, message).code("invalid_json")
}

fn parse_error(body: &str, located: &Located, prefix: &str) -> Error {
    if let Err(fault) = serde_json::from_str::<IgnoredAny>(body) {
        return invalid_json(&syntax(&fault));
    }
    match (located.path().as_str(), Fault::of(&located.error)) {
        ("", Fault::Missing(field)) => missing(format!("{prefix}{field}")),
        ("", Fault::Twice(field)) => twice(format!("{prefix}{field}")),
        ("", Fault::Is(words)) => {
            let found = words.rsplit_once(", got ").map(|(_, found)| found);
            no_object(found.unwrap_or("something else"))
        }
        (path, fault) => fault_at(format!("{prefix}{path}"), &fault),
    }
}

fn fault_at(path: String, fault: &Fault) -> Error {
    match fault {
        Fault::Missing(field) => missing(format!("{path}.{field}")),
        Fault::Twice(field) => twice(format!("{path}.{field}")),
        Fault::Unknown => {
            let message = format!("Unknown parameter: '{path}'.");
            Error::invalid(path, message).code("unknown_parameter")
        }
        Fault::Is(words) => {
            let message = format!("'{path}' {words}.");
            Error::invalid(path, message)
        }
    }
}

fn twice(path: String) -> Error {
    let message = format!("'{path}' is sent twice; send it once.");
    Error::invalid(path, message)
}
