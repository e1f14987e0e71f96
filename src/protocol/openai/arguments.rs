//! Arguments of calls in the history: what a model wrote once, and what became of it.
//!
//! They should be an object in a string. Models that were cut off leave half of one, and some clients send the
//! object itself. Whatever it is, the conversation must go on: every later turn repeats it.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;

use crate::chat::{self, object_of, object_of_json};
use crate::json::{Text, reason};

/// Arguments of a call.
#[derive(Clone, Debug)]
pub enum Arguments<'a> {
    /// JSON in a string, as it should be.
    Text(Text<'a>),
    /// JSON as it is.
    Json(&'a RawValue),
}

impl<'a> Arguments<'a> {
    /// The object that a model gets: the arguments themselves, completed if they were cut off, or an object with
    /// them as its only member if they are not one. `None` if not even that is JSON.
    #[must_use]
    pub fn into_object(self) -> Option<Cow<'a, RawValue>> {
        match self {
            Self::Text(text) => object_of(text.into()),
            Self::Json(json) => object_of_json(Cow::Borrowed(json)),
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

impl<'de: 'a, 'a> Deserialize<'de> for Arguments<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?;
        Self::from_json(json).map_err(|fault| D::Error::custom(reason(&fault)))
    }
}

/// The object of a call's arguments.
pub(in crate::protocol) fn input<'a>(
    arguments: Option<Arguments<'a>>,
    place: impl Fn() -> String,
) -> Result<Cow<'a, RawValue>, chat::Error> {
    let arguments = arguments.unwrap_or_else(|| Arguments::Text(Text::default()));
    arguments.into_object().ok_or_else(|| {
        let message = "The arguments of a tool call must be a JSON object.";
        chat::Error::invalid(place(), message)
    })
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
    fn arguments_that_are_not_an_object_are_wrapped() {
        check(r#""Oslo \"now\"""#, r#"{"arguments":"Oslo \"now\""}"#);
        check(r#""[1, 2]""#, r#"{"arguments":"[1, 2]"}"#);
        check("7", r#"{"arguments":"7"}"#);
        check(r#""{}{\"a\":1}""#, r#"{"arguments":"{}{\"a\":1}"}"#);
    }
}
