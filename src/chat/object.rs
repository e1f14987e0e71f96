//! The object that arguments of a tool call mean, whatever a model or a client made of them.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::json::{closed, without_halves};

/// Name of the member that holds arguments that are not an object.
const WRAPPED: &str = "arguments";

/// The object that a text of arguments means: it, completed if it was cut off, or an object with it as its only
/// member. `None` if not even that is JSON.
#[must_use]
pub fn object_of(text: Cow<'_, str>) -> Option<Cow<'_, RawValue>> {
    match text {
        Cow::Borrowed(text) => of_str(text),
        Cow::Owned(text) => of_str(&text).map(|object| Cow::Owned(object.into_owned())),
    }
}

fn of_str(text: &str) -> Option<Cow<'_, RawValue>> {
    let text = match text.trim() {
        "" | "null" => "{}",
        text => text,
    };
    match serde_json::from_str::<&RawValue>(text) {
        Ok(json) => object_of_json(Cow::Borrowed(json)),
        Err(_) => closed(text)
            .and_then(|text| RawValue::from_string(text).ok())
            .map_or_else(|| wrapped(text), |json| object_of_json(Cow::Owned(json))),
    }
}

/// The same for arguments that are JSON.
#[must_use]
pub fn object_of_json(json: Cow<'_, RawValue>) -> Option<Cow<'_, RawValue>> {
    if !json.get().starts_with('{') {
        return inside_of_a_string(&json).or_else(|| wrapped(json.get()));
    }
    match without_halves(json.get()) {
        Some(repaired) => RawValue::from_string(repaired).ok().map(Cow::Owned),
        None => Some(json),
    }
}

/// The object in a string in the string, which some clients write.
fn inside_of_a_string<'o>(json: &RawValue) -> Option<Cow<'o, RawValue>> {
    let text: String = serde_json::from_str(json.get()).ok()?;
    let inner = RawValue::from_string(text.trim().to_owned()).ok()?;
    let is_object = inner.get().starts_with('{');
    is_object.then_some(Cow::Owned(inner))
}

fn wrapped<'o>(text: &str) -> Option<Cow<'o, RawValue>> {
    let text = serde_json::to_string(text).ok()?;
    let object = format!("{{\"{WRAPPED}\":{text}}}");
    RawValue::from_string(object).ok().map(Cow::Owned)
}
