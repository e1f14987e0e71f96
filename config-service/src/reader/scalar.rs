//! Strings, numbers and lists. Each reader returns `None` after adding a fault.

use std::str::FromStr;

use bedrock_filter::config::Invisible;
use serde_json::value::RawValue;

use super::json::Kind;
use super::maps::{TextCodes, invisible, text_faults};
use crate::fault::{Fault, child};

/// A string that cannot be cleared.
pub(crate) fn text(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<String> {
    match Kind::of(raw) {
        Kind::String => {
            let text = string(raw, at, faults)?;
            if text.is_empty() {
                faults.push(not_clearable(at));
                return None;
            }
            visible(text, at, faults)
        }
        kind => mismatch(kind, "a string", at, faults),
    }
}

/// A string that `null` or `""` clears.
pub(crate) fn nullable_text(
    raw: &RawValue,
    at: &str,
    faults: &mut Vec<Fault>,
) -> Option<Option<String>> {
    match Kind::of(raw) {
        Kind::Null => Some(None),
        Kind::String => {
            let text = visible(string(raw, at, faults)?, at, faults)?;
            Some(Some(text).filter(|text| !text.is_empty()))
        }
        kind => mismatch(kind, "a string, \"\" or null", at, faults),
    }
}

/// A whole number that cannot be cleared.
pub(crate) fn number<N: FromStr>(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<N> {
    let number = nullable_number(raw, at, faults)?;
    if number.is_none() {
        faults.push(not_clearable(at));
    }
    number
}

/// A whole number that `null` or `""` clears.
pub(crate) fn nullable_number<N: FromStr>(
    raw: &RawValue,
    at: &str,
    faults: &mut Vec<Fault>,
) -> Option<Option<N>> {
    match Kind::of(raw) {
        Kind::Null => Some(None),
        Kind::String if raw.get() == "\"\"" => Some(None),
        Kind::Number => {
            let number = raw.get().parse().ok();
            if number.is_none() {
                let message = "must be a whole number that is not negative";
                faults.push(Fault::new(at, "out_of_range", message));
            }
            number.map(Some)
        }
        kind => mismatch(kind, "a number, \"\" or null", at, faults),
    }
}

/// A number, also with a fraction, that `null` or `""` clears.
pub(crate) fn nullable_decimal(
    raw: &RawValue,
    at: &str,
    faults: &mut Vec<Fault>,
) -> Option<Option<f64>> {
    match Kind::of(raw) {
        Kind::Null => Some(None),
        Kind::String if raw.get() == "\"\"" => Some(None),
        Kind::Number => {
            let number = raw.get().parse().ok().filter(|own: &f64| own.is_finite());
            if number.is_none() {
                faults.push(Fault::new(at, "out_of_range", "is too large"));
            }
            number.map(Some)
        }
        kind => mismatch(kind, "a number, \"\" or null", at, faults),
    }
}

pub(crate) fn boolean(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<bool> {
    match Kind::of(raw) {
        Kind::Boolean => Some(raw.get() == "true"),
        kind => mismatch(kind, "true or false", at, faults),
    }
}

/// A field that only the config-service sets: any value that a read could have returned is
/// accepted.
pub(crate) fn read_only(raw: &RawValue, expected: Kind, at: &str, faults: &mut Vec<Fault>) {
    if Kind::of(raw) != expected {
        let message = "is set by the config-service; leave it out, or send what a read returned";
        faults.push(Fault::new(at, "read_only_field", message));
    }
}

/// A list of strings that `null` or `""` clears.
pub(crate) fn texts(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Vec<String>> {
    match Kind::of(raw) {
        Kind::Null => return Some(Vec::new()),
        Kind::String if raw.get() == "\"\"" => return Some(Vec::new()),
        Kind::Array => {}
        kind => return mismatch(kind, "an array of strings, \"\" or null", at, faults),
    }
    let items: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
    let found_before = faults.len();
    let texts = items
        .iter()
        .enumerate()
        .filter_map(|(index, item)| list_item(item, &child(at, &index.to_string()), faults))
        .collect();
    (faults.len() == found_before).then_some(texts)
}

/// The text, if all of it can be seen.
fn visible(text: String, at: &str, faults: &mut Vec<Fault>) -> Option<String> {
    let Some(found) = Invisible::find(&text) else {
        return Some(text);
    };
    faults.push(Fault::new(
        at,
        "invisible_character",
        invisible("the value", found),
    ));
    None
}

/// The decoded text of a JSON string.
pub(super) fn string(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<String> {
    let text = serde_json::from_str(raw.get());
    if text.is_err() {
        let message = "the string has an invalid escape sequence";
        faults.push(Fault::new(at, "invalid_json", message));
    }
    text.ok()
}

fn list_item(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<String> {
    if Kind::of(raw) != Kind::String {
        let message = format!("expected a string, found {}", Kind::of(raw));
        faults.push(Fault::new(at, "not_a_string", message));
        return None;
    }
    let text = string(raw, at, faults)?;
    let codes = TextCodes {
        empty: "empty_value",
    };
    let broken = text_faults(&text, "the name", codes);
    let sound = broken.is_empty();
    for (code, message) in broken {
        faults.push(Fault::new(at, code, message));
    }
    sound.then_some(text)
}

/// Adds the fault for a value of the wrong type.
pub(crate) fn mismatch<T>(
    found: Kind,
    expected: &str,
    at: &str,
    faults: &mut Vec<Fault>,
) -> Option<T> {
    faults.push(match found {
        Kind::Null => not_clearable(at),
        _ => Fault::new(
            at,
            "invalid_type",
            format!("expected {expected}, found {found}"),
        ),
    });
    None
}

fn not_clearable(at: &str) -> Fault {
    Fault::new(
        at,
        "not_clearable",
        "cannot be cleared; leave it out to keep it",
    )
}
