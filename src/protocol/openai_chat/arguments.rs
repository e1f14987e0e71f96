//! Arguments of calls in the history: what a model wrote once, and what became of it.
//!
//! They should be an object in a string. Models that were cut off leave half of one, and some clients send the
//! object itself. Whatever it is, the conversation must go on: every later turn repeats it.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;

use crate::json::{Text, closed, reason, without_halves};

/// Under which name arguments stand that are no object.
const WRAPPED: &str = "arguments";

/// Arguments of a call.
#[derive(Clone, Debug)]
pub enum Arguments<'a> {
    /// JSON in a string, as it should be.
    Text(Text<'a>),
    /// JSON as it is.
    Json(&'a RawValue),
}

impl<'a> Arguments<'a> {
    /// The object that a model is told: the arguments themselves, closed where they were cut off, or as the
    /// only member of an object where they are none. None if not even that is JSON.
    #[must_use]
    pub fn into_object(self) -> Option<Cow<'a, RawValue>> {
        match self {
            Self::Text(text) => of_text(text.into()),
            Self::Json(json) => of_json(Cow::Borrowed(json)),
        }
    }

    fn from_json(json: &'a RawValue) -> Result<Self, serde_json::Error> {
        if json.get().starts_with('"') {
            Text::from_json(json).map(Self::Text)
        } else {
            Ok(Self::Json(json))
        }
    }
}

fn of_text(text: Cow<'_, str>) -> Option<Cow<'_, RawValue>> {
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
        Ok(json) => of_json(Cow::Borrowed(json)),
        Err(_) => closed(text)
            .and_then(|text| RawValue::from_string(text).ok())
            .map_or_else(|| wrapped(text), |json| of_json(Cow::Owned(json))),
    }
}

fn of_json(json: Cow<'_, RawValue>) -> Option<Cow<'_, RawValue>> {
    if !json.get().starts_with('{') {
        return inside_of_a_string(&json).or_else(|| wrapped(json.get()));
    }
    match without_halves(json.get()) {
        Some(mended) => RawValue::from_string(mended).ok().map(Cow::Owned),
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

impl<'de: 'a, 'a> Deserialize<'de> for Arguments<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?;
        Self::from_json(json).map_err(|fault| D::Error::custom(reason(&fault)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[track_caller]
    fn check(arguments: &str, object: &str) {
        let slow: Arguments<'_> = serde_json::from_str(arguments).unwrap();
        assert_eq!(slow.into_object().unwrap().get(), object);
        let fast: Arguments<'_> = json::read(arguments).unwrap();
        assert_eq!(fast.into_object().unwrap().get(), object);
    }

    #[test]
    fn an_object_in_a_string_is_that_object() {
        check(r#""{\"a\": 1}""#, r#"{"a": 1}"#);
        check(r#"" {} ""#, "{}");
        check(r#""""#, "{}");
        check(r#"" null""#, "{}");
    }

    #[test]
    fn other_forms_of_an_object_are_it_too() {
        check(r#"{"a": 1}"#, r#"{"a": 1}"#);
        check(r#""\"{\\\"a\\\":1}\"""#, r#"{"a":1}"#);
        check(r#""{\"a\":\"x""#, r#"{"a":"x"}"#);
        check(r#""{\"a\":\"\\ud83d\"}""#, r#"{"a":"\ufffd"}"#);
    }

    #[test]
    fn what_is_no_object_is_wrapped() {
        check(r#""Oslo \"now\"""#, r#"{"arguments":"Oslo \"now\""}"#);
        check(r#""[1, 2]""#, r#"{"arguments":"[1, 2]"}"#);
        check("7", r#"{"arguments":"7"}"#);
        check(r#""{}{\"a\":1}""#, r#"{"arguments":"{}{\"a\":1}"}"#);
    }
}
