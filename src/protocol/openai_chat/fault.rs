//! Reads what is not of the common kind, and says where the fault of a body is.

use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_path_to_error::{Path, Segment};

use super::content::Part;
use super::read::missing;
use super::request::ChatRequest;
use crate::chat::{Error, ErrorKind};
use crate::json::reason;

/// Reads a body slowly, with its eye on where it is.
///
/// # Errors
///
/// A 400 that says what is wrong, and where.
pub(super) fn read(body: &[u8]) -> Result<Box<ChatRequest<'_>>, Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let request = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|located| parse_error(body, &located))?;
    deserializer.end().map_err(|fault| invalid_json(&fault))?;
    Ok(request)
}

fn invalid_json(fault: &serde_json::Error) -> Error {
    let message = format!("We could not parse the JSON body of your request: {fault}.");
    Error::new(StatusCode::BAD_REQUEST, ErrorKind::InvalidRequest, message).code("invalid_json")
}

fn parse_error(body: &[u8], located: &serde_path_to_error::Error<serde_json::Error>) -> Error {
    let fault = located.inner();
    if !fault.is_data() {
        return invalid_json(fault);
    }
    if let Some(error) = fault_in_parts(body, located.path()) {
        return error;
    }
    let path = located.path().to_string();
    if path == "." {
        let message = format!("The request body must be a JSON object: {fault}.");
        let error = Error::new(StatusCode::BAD_REQUEST, ErrorKind::InvalidRequest, message);
        return match quoted_after(&located.inner().to_string(), "missing field ") {
            Some(field) => missing(field.to_owned()),
            None => error.code("invalid_json"),
        };
    }
    fault_at(path, &located.inner().to_string())
}

/// The fault inside a content's parts, which are read apart from the rest of the body.
fn fault_in_parts(body: &[u8], path: &Path) -> Option<Error> {
    #[derive(Deserialize)]
    struct Outline<'a> {
        #[serde(borrow)]
        messages: Vec<OutlinedMessage<'a>>,
    }

    #[derive(Deserialize)]
    struct OutlinedMessage<'a> {
        #[serde(default, borrow)]
        content: Option<&'a RawValue>,
    }

    let index = path.iter().find_map(|segment| match segment {
        Segment::Seq { index } => Some(*index),
        _ => None,
    })?;
    let outline: Outline<'_> = serde_json::from_slice(body).ok()?;
    let content = outline.messages.get(index)?.content?.get();
    if path.to_string() != format!("messages[{index}].content") || !content.starts_with('[') {
        return None;
    }
    let mut deserializer = serde_json::Deserializer::from_str(content);
    let located = serde_path_to_error::deserialize::<_, Vec<Part<'_>>>(&mut deserializer).err()?;
    let path = format!("{path}{}", located.path());
    Some(fault_at(path, &reason(located.inner())))
}

fn fault_at(path: String, message: &str) -> Error {
    if let Some(field) = quoted_after(message, "missing field ") {
        return missing(format!("{path}.{field}"));
    }
    if quoted_after(message, "unknown field ").is_some() {
        let message = format!("Unknown parameter: '{path}'.");
        return Error::invalid(path, message).code("unknown_parameter");
    }
    let message = format!("Invalid value for '{path}': {message}.");
    Error::invalid(path, message)
}

fn quoted_after<'m>(message: &'m str, start: &str) -> Option<&'m str> {
    message.strip_prefix(start)?.split('`').nth(1)
}
