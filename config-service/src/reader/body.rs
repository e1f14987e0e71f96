//! Whole bodies: one JSON object each.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::json::{Kind, Members, SyntaxError, parse};
use super::{encoding, names};
use crate::fault::{Fault, child};

/// Hands each field of a body to `read`, once. A repeated field, or a body that is not an object, is added to `faults`.
///
/// # Errors
///
/// When the body is not well-formed JSON in UTF-8.
pub(crate) fn fields(
    body: &[u8],
    faults: &mut Vec<Fault>,
    mut read: impl FnMut(&str, &RawValue, &mut Vec<Fault>),
) -> Result<(), SyntaxError> {
    let body = encoding::without_mark(body)?;
    let text = std::str::from_utf8(body).map_err(|error| not_utf8(body, error.valid_up_to()))?;
    let raw = parse(text)?;
    if Kind::of(raw) != Kind::Object {
        let message = format!("expected a JSON object, found {}", Kind::of(raw));
        faults.push(Fault::new("", "not_an_object", message));
        return Ok(());
    }
    let Members(members) = serde_json::from_str(raw.get())?;
    let mut times = BTreeMap::<&str, usize>::new();
    for (name, value) in &members {
        let seen = times.entry(name).or_default();
        *seen += 1;
        match *seen {
            1 => read(name, value, faults),
            2 => faults.push(names::duplicate(&child("", name))),
            _ => {}
        }
    }
    Ok(())
}

fn not_utf8(body: &[u8], valid_up_to: usize) -> SyntaxError {
    let valid = body.get(..valid_up_to).unwrap_or_default();
    let line_start = valid.iter().rposition(|byte| *byte == b'\n');
    SyntaxError {
        reason: "the body is not valid UTF-8".to_owned(),
        line: 1 + valid.iter().filter(|byte| **byte == b'\n').count(),
        column: 1 + valid_up_to - line_start.map_or(0, |at| at + 1),
    }
}
