//! Texts that hold a JSON object: for tools that store JSON as text, and for what somebody pasted.

use serde_json::value::RawValue;

use super::json::{self, Kind, SyntaxError};
use super::pasted::{plain_json, reworded};
use super::scalar;
use crate::fault::Fault;

/// What a text holds.
pub(crate) enum Embedded {
    /// Nothing but blanks, if anything.
    Nothing,
    /// An object, as strict JSON.
    Object(String),
    /// Something else, or a fault that has been added.
    Other(Option<Kind>),
}

/// Reads a text that should hold an object, as far as its outside goes.
pub(crate) fn embedded(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Embedded {
    let Some(text) = scalar::string(raw, at, faults) else {
        return Embedded::Other(None);
    };
    match parse(&text) {
        Ok(None) => Embedded::Nothing,
        Ok(Some((Kind::Object, plain))) => Embedded::Object(plain),
        Ok(Some((kind, _))) => Embedded::Other(Some(kind)),
        Err(SyntaxError {
            reason,
            line,
            column,
        }) => {
            let message = format!("line {line} column {column}: {reason}");
            faults.push(Fault::new(at, "invalid_json", message));
            Embedded::Other(None)
        }
    }
}

fn parse(text: &str) -> Result<Option<(Kind, String)>, SyntaxError> {
    let plain = plain_json(text)?;
    if plain.trim().is_empty() {
        return Ok(None);
    }
    let kind = json::parse(&plain).map(Kind::of);
    let kind = kind.map_err(|error| {
        let mut error = reworded(&error, &plain);
        if !plain.trim_start().starts_with('{') {
            "a JSON object begins with {".clone_into(&mut error.reason);
        }
        error
    })?;
    Ok(Some((kind, plain)))
}
