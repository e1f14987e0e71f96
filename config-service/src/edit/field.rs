//! Readers for single fields. Each gives `None` after adding a fault.

use bedrock_filter::catalog::CrossRegion;
use bedrock_filter::config::{Api, ModelIds, SignedBy, UnknownParameters};
use serde_json::value::RawValue;

use super::json::Kind;
use super::maps::{TextCodes, text_faults};
use crate::fault::{Fault, child};

/// Whether a body says something about a field, and what.
#[derive(Debug, Default)]
pub(super) enum Said<T> {
    /// Nothing, or something faulty.
    #[default]
    Nothing,
    /// This; an empty value when the field was cleared.
    Value(T),
}

impl<T> From<Option<T>> for Said<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Self::Value)
    }
}

impl<T> Said<T> {
    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// Overwrites `target` when something was said.
    pub(super) fn store(self, target: &mut T) {
        if let Self::Value(value) = self {
            *target = value;
        }
    }
}

/// A text that cannot be cleared.
pub(super) fn text(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<String> {
    match Kind::of(raw) {
        Kind::String => {
            let text = string(raw, at, faults)?;
            if text.is_empty() {
                faults.push(not_clearable(at));
                return None;
            }
            Some(text)
        }
        kind => mismatch(kind, "a string", at, faults),
    }
}

/// A text that `null` or `""` clears.
pub(super) fn nullable_text(
    raw: &RawValue,
    at: &str,
    faults: &mut Vec<Fault>,
) -> Option<Option<String>> {
    match Kind::of(raw) {
        Kind::Null => Some(None),
        Kind::String => string(raw, at, faults).map(|text| Some(text).filter(|t| !t.is_empty())),
        kind => mismatch(kind, "a string, \"\" or null", at, faults),
    }
}

/// A whole number that cannot be cleared.
pub(super) fn number(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<u32> {
    let number = nullable_number(raw, at, faults)?;
    if number.is_none() {
        faults.push(not_clearable(at));
    }
    number
}

/// A whole number that `null` or `""` clears.
pub(super) fn nullable_number(
    raw: &RawValue,
    at: &str,
    faults: &mut Vec<Fault>,
) -> Option<Option<u32>> {
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

pub(super) fn boolean(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<bool> {
    match Kind::of(raw) {
        Kind::Boolean => Some(raw.get() == "true"),
        kind => mismatch(kind, "true or false", at, faults),
    }
}

pub(super) fn cross_region(
    raw: &RawValue,
    at: &str,
    faults: &mut Vec<Fault>,
) -> Option<CrossRegion> {
    let text = text(raw, at, faults)?;
    match text.as_str() {
        "off" => Some(CrossRegion::Off),
        "geo" => Some(CrossRegion::Geo),
        "global" => Some(CrossRegion::Global),
        _ => {
            let message = "expected \"off\", \"geo\" or \"global\"";
            faults.push(Fault::new(at, "unknown_value", message));
            None
        }
    }
}

pub(super) fn allow_model_ids(
    raw: &RawValue,
    at: &str,
    faults: &mut Vec<Fault>,
) -> Option<ModelIds> {
    let text = text(raw, at, faults)?;
    match text.as_str() {
        "none" => Some(ModelIds::None),
        "catalogue" => Some(ModelIds::Catalogue),
        "any" => Some(ModelIds::Any),
        _ => {
            let message = "expected \"none\", \"catalogue\" or \"any\"";
            faults.push(Fault::new(at, "unknown_value", message));
            None
        }
    }
}

/// Who signs; `null` or `""` leaves it to the filter.
pub(super) fn signer(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<SignedBy> {
    let text = nullable_text(raw, at, faults)?;
    match text.as_deref() {
        None | Some("filter") => Some(SignedBy::Filter),
        Some("envoy") => Some(SignedBy::Envoy),
        Some(_) => {
            let message = "expected \"filter\" or \"envoy\"";
            faults.push(Fault::new(at, "unknown_value", message));
            None
        }
    }
}

/// What becomes of unknown parameters; `null` or `""` leaves it to the config-service's setting.
pub(super) fn unknown_parameters(
    raw: &RawValue,
    at: &str,
    faults: &mut Vec<Fault>,
) -> Option<Option<UnknownParameters>> {
    let text = nullable_text(raw, at, faults)?;
    match text.as_deref() {
        None => Some(None),
        Some("leave_out") => Some(Some(UnknownParameters::LeaveOut)),
        Some("refuse") => Some(Some(UnknownParameters::Refuse)),
        Some(_) => {
            let message = "expected \"leave_out\" or \"refuse\"";
            faults.push(Fault::new(at, "unknown_value", message));
            None
        }
    }
}

/// An API; `null` or `""` leaves the choice to the gateway.
pub(super) fn api(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Api> {
    let text = nullable_text(raw, at, faults)?;
    match text.as_deref() {
        None | Some("auto") => Some(Api::Auto),
        Some("invoke") => Some(Api::Invoke),
        Some("converse") => Some(Api::Converse),
        Some(_) => {
            let message = "expected \"auto\", \"invoke\" or \"converse\"";
            faults.push(Fault::new(at, "unknown_value", message));
            None
        }
    }
}

/// A field that only the config-service sets: any value that a read could have given will do.
pub(super) fn ignored(raw: &RawValue, expected: Kind, at: &str, faults: &mut Vec<Fault>) {
    if Kind::of(raw) != expected {
        let message = "is set by the config-service; leave it out, or send what a read gave";
        faults.push(Fault::new(at, "read_only_field", message));
    }
}

/// A list of texts that `null` or `""` clears.
pub(super) fn texts(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Vec<String>> {
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

/// The fault of a field that does not exist, with the likely spelling.
pub(super) fn unknown(name: &str, at: &str, known: &[&str]) -> Fault {
    let message = match nearest(name, known) {
        Some(likely) => format!("there is no such field; did you mean `{likely}`?"),
        None => format!(
            "there is no such field; expected one of {}",
            known.join(", ")
        ),
    };
    Fault::new(at, "unknown_field", message)
}

/// The fault of a field that stands more than once.
pub(super) fn duplicate(at: &str) -> Fault {
    let message = "the field stands more than once; keep one of them";
    Fault::new(at, "duplicate_field", message)
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

pub(super) fn mismatch<T>(
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

/// The known name with the fewest edits, when it is close enough to be a slip.
fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let closest = known
        .iter()
        .map(|candidate| (distance(name, candidate), *candidate))
        .min()?;
    (closest.0 <= 1 + closest.1.len() / 4).then_some(closest.1)
}

/// Levenshtein distance in bytes; inputs are cut at 64 bytes.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<u8> = b.bytes().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.bytes().take(64).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, to) in row.iter_mut().skip(1).zip(&b) {
            let changed = diagonal + usize::from(from != *to);
            diagonal = *cell;
            left = changed.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}
