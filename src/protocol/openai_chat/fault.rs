//! Reads what is not of the common kind, and says where the fault of a body is.

use std::borrow::Cow;
use std::fmt;

use http::StatusCode;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_path_to_error::{Path, Segment};

use super::content::Part;
use super::read::missing;
use super::request::ChatRequest;
use crate::chat::{Error, ErrorKind};
use crate::json::{Fault, Text, syntax};

/// Reads a body slowly, with its eye on where it is; `prefix` stands before the places of faults.
///
/// # Errors
///
/// A 400 that says what is wrong, and where.
pub(super) fn read<'a>(body: &'a [u8], prefix: &str) -> Result<Box<ChatRequest<'a>>, Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let request = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|located| parse_error(body, &located, prefix))?;
    deserializer.end().map_err(|fault| invalid_json(&fault))?;
    Ok(request)
}

/// The names of an object's members, as far as anybody wants to know them.
pub(super) fn names(body: &[u8]) -> Vec<Cow<'_, str>> {
    /// Enough to say what was left out; a hostile body has millions.
    const MOST: usize = 128;

    struct Names<'a>(Vec<Cow<'a, str>>);

    struct NamesVisitor;

    impl<'de> Visitor<'de> for NamesVisitor {
        type Value = Names<'de>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut names = Vec::new();
            while let Some(name) = map.next_key::<Text<'de>>()? {
                map.next_value::<IgnoredAny>()?;
                if names.len() < MOST {
                    names.push(name.into());
                }
            }
            Ok(Names(names))
        }
    }

    impl<'de: 'a, 'a> Deserialize<'de> for Names<'a> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(NamesVisitor)
        }
    }

    let names = serde_json::from_slice::<Names<'_>>(body);
    names.map_or_else(|_| Vec::new(), |Names(names)| names)
}

/// Reads a value that was left as JSON until now.
///
/// # Errors
///
/// A 400 that says what is wrong, and where below `path`.
pub(super) fn inner<'a, T: Deserialize<'a>>(json: &'a RawValue, path: &str) -> Result<T, Error> {
    let mut deserializer = serde_json::Deserializer::from_str(json.get());
    serde_path_to_error::deserialize(&mut deserializer).map_err(|located| {
        let below = located.path().to_string();
        let path = match below.as_str() {
            "." => path.to_owned(),
            index if index.starts_with('[') => format!("{path}{index}"),
            member => format!("{path}.{member}"),
        };
        fault_at(path, &Fault::of(located.inner()))
    })
}

/// The error for a body that is no JSON object.
pub(super) fn no_object(found: &str) -> Error {
    let message = format!("The request body must be a JSON object, got {found}.");
    Error::new(StatusCode::BAD_REQUEST, ErrorKind::InvalidRequest, message).code("invalid_json")
}

fn invalid_json(fault: &serde_json::Error) -> Error {
    let message = format!(
        "We could not parse the JSON body of your request: {}.",
        syntax(fault)
    );
    Error::new(StatusCode::BAD_REQUEST, ErrorKind::InvalidRequest, message).code("invalid_json")
}

fn parse_error(
    body: &[u8],
    located: &serde_path_to_error::Error<serde_json::Error>,
    prefix: &str,
) -> Error {
    let fault = located.inner();
    if !fault.is_data() {
        return invalid_json(fault);
    }
    if let Some(error) = fault_in_parts(body, located.path()) {
        return error;
    }
    let path = located.path().to_string();
    match (path.as_str(), Fault::of(fault)) {
        (".", Fault::Missing(field)) => missing(format!("{prefix}{field}")),
        (".", Fault::Twice(field)) => twice(format!("{prefix}{field}")),
        (".", Fault::Is(words)) => {
            let found = words.rsplit_once(", got ").map(|(_, found)| found);
            no_object(found.unwrap_or("something else"))
        }
        (_, fault) => fault_at(format!("{prefix}{path}"), &fault),
    }
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
    let content = outline.messages.get(index)?.content?;
    let path = path.to_string();
    if path != format!("messages[{index}].content") || !content.get().starts_with('[') {
        return None;
    }
    inner::<Vec<Part<'_>>>(content, &path).err()
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
    let message = format!("'{path}' is there twice; send it once.");
    Error::invalid(path, message)
}
