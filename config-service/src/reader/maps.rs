//! Maps of names.
//!
//! A map is a JSON object of string to string, a string that holds such an object, maybe as somebody pasted it, `""`
//! or `null`. All faults of a map are found in one pass.

use std::collections::BTreeMap;

use bedrock_filter::config::{Invisible, TextFault};
use serde::de::value::{Error as ValueError, StringDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde_json::value::RawValue;

use super::embedded::{Embedded, embedded};
use super::json::{self, Kind, Members};
use super::scalar;
use crate::fault::{Fault, child};

/// Reads a map of string to string at the JSON pointer `at`; `None` when there were faults, which
/// are added to `faults`.
pub(crate) fn string_map(
    raw: &RawValue,
    at: &str,
    faults: &mut Vec<Fault>,
) -> Option<BTreeMap<String, String>> {
    typed_map(raw, at, faults, |value| Ok(value.to_owned()))
}

/// Reads a map of string to one of an enum's names; otherwise like [`string_map`]. `code` is the
/// fault for an unknown name; the message lists the known ones.
pub(crate) fn enum_map<T: DeserializeOwned>(
    raw: &RawValue,
    at: &str,
    code: &'static str,
    faults: &mut Vec<Fault>,
) -> Option<BTreeMap<String, T>> {
    typed_map(raw, at, faults, |value| {
        let deserializer: StringDeserializer<ValueError> = value.to_owned().into_deserializer();
        T::deserialize(deserializer).map_err(|error| (code, error.to_string()))
    })
}

/// Rules for a text that is looked up or sent verbatim: not blank, no surrounding white space, no
/// control characters. `what` names the text in the messages.
pub(super) fn text_faults(text: &str, what: &str, codes: TextCodes) -> Vec<(&'static str, String)> {
    let faults = TextFault::all(text).into_iter();
    let told = faults.map(|fault| match fault {
        TextFault::Blank => (
            codes.empty,
            format!("{what} is empty; fill it in or remove the entry"),
        ),
        TextFault::Padded => (
            "surrounding_whitespace",
            format!("{what} begins or ends with white space; remove it, because matching is exact"),
        ),
        TextFault::Control => (
            "control_character",
            format!("{what} contains a control character such as a line break; remove it"),
        ),
    });
    let hidden = Invisible::find(text);
    told.chain(hidden.map(|found| ("invisible_character", invisible(what, found))))
        .collect()
}

/// Says that a text contains an invisible character, and nothing else of the text.
pub(super) fn invisible(what: &str, found: Invisible) -> String {
    format!("{what} contains an invisible character, {found}; remove it")
}

/// Codes that depend on where a text is.
#[derive(Clone, Copy)]
pub(super) struct TextCodes {
    /// Code for a blank text.
    pub(super) empty: &'static str,
}

type ValueFault = (&'static str, String);

fn typed_map<T>(
    raw: &RawValue,
    at: &str,
    faults: &mut Vec<Fault>,
    read: impl Fn(&str) -> Result<T, ValueFault>,
) -> Option<BTreeMap<String, T>> {
    let found_before = faults.len();
    let map = match Kind::of(raw) {
        Kind::Null => BTreeMap::new(),
        Kind::Object => object_map(raw.get(), at, faults, &read),
        Kind::String => embedded_map(raw, at, faults, &read),
        kind => {
            faults.push(not_a_map(at, &kind.to_string()));
            return None;
        }
    };
    (faults.len() == found_before).then_some(map)
}

fn embedded_map<T>(
    raw: &RawValue,
    at: &str,
    faults: &mut Vec<Fault>,
    read: &impl Fn(&str) -> Result<T, ValueFault>,
) -> BTreeMap<String, T> {
    match embedded(raw, at, faults) {
        Embedded::Object(text) => object_map(&text, at, faults, read),
        Embedded::Other(Some(kind)) => {
            faults.push(not_a_map(at, &format!("a string that holds {kind}")));
            BTreeMap::new()
        }
        Embedded::Nothing | Embedded::Other(None) => BTreeMap::new(),
    }
}

fn not_a_map(at: &str, found: &str) -> Fault {
    Fault::new(
        at,
        "not_a_map",
        format!(
            "expected a JSON object whose values are strings (or a string that contains one, \"\" \
             or null), found {found}"
        ),
    )
}

fn object_map<T>(
    text: &str,
    at: &str,
    faults: &mut Vec<Fault>,
    read: &impl Fn(&str) -> Result<T, ValueFault>,
) -> BTreeMap<String, T> {
    let Members(members) = match serde_json::from_str(text) {
        Ok(members) => members,
        Err(error) => {
            faults.push(Fault::new(
                at,
                "invalid_json",
                json::SyntaxError::from(error).to_string(),
            ));
            return BTreeMap::new();
        }
    };
    let mut map = BTreeMap::new();
    let mut times = BTreeMap::<&str, usize>::new();
    for (key, raw) in &members {
        let at = child(at, key);
        let seen = times.entry(key).or_default();
        *seen += 1;
        if *seen == 1 {
            check_key(key, &at, faults);
        } else if *seen == 2 {
            faults.push(Fault::new(
                &at,
                "duplicate_key",
                "the key appears more than once; keep one of the entries",
            ));
        }
        if let Some(value) = map_value(raw, &at, faults, read) {
            map.insert(key.clone(), value);
        }
    }
    map
}

fn check_key(key: &str, at: &str, faults: &mut Vec<Fault>) {
    let codes = TextCodes { empty: "empty_key" };
    for (code, message) in text_faults(key, "the key", codes) {
        faults.push(Fault::new(at, code, message));
    }
}

fn map_value<T>(
    raw: &RawValue,
    at: &str,
    faults: &mut Vec<Fault>,
    read: &impl Fn(&str) -> Result<T, ValueFault>,
) -> Option<T> {
    if Kind::of(raw) != Kind::String {
        let message = format!("expected a string, found {}", Kind::of(raw));
        faults.push(Fault::new(at, "not_a_string", message));
        return None;
    }
    let value = scalar::string(raw, at, faults)?;
    let codes = TextCodes {
        empty: "empty_value",
    };
    let broken = text_faults(&value, "the value", codes);
    let sound = broken.is_empty();
    for (code, message) in broken {
        faults.push(Fault::new(at, code, message));
    }
    if !sound {
        return None;
    }
    match read(&value) {
        Ok(value) => Some(value),
        Err((code, message)) => {
            faults.push(Fault::new(at, code, message));
            None
        }
    }
}

#[cfg(test)]
mod tests;
