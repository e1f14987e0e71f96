//! Tools of the type `custom`, whose input is free text. Models here take objects alone, so the text is a member of one.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::Error;
use crate::json::{Text, closed, without_halves};

/// The schema of the object that holds the text.
const SCHEMA: &str =
    r#"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}"#;

/// What the description of such a tool says to models.
const NOTE: &str = "Its input is free text, given whole as `input`.";

/// What the text has to look like.
#[derive(Clone, Copy, Debug)]
pub(in crate::protocol) struct Grammar<'g> {
    /// The language that the definition is written in.
    pub(in crate::protocol) syntax: Option<&'g str>,
    pub(in crate::protocol) definition: &'g str,
}

/// The schema of a tool's arguments.
pub(in crate::protocol) fn schema<'a>() -> Option<&'a RawValue> {
    serde_json::from_str(SCHEMA).ok()
}

/// The description of a tool: what its text looks like can be said there alone.
pub(in crate::protocol) fn description<'a>(
    own: Option<&str>,
    grammar: Option<Grammar<'_>>,
) -> Text<'a> {
    let own = own.unwrap_or_default().trim_end();
    let gap = if own.is_empty() { "" } else { "\n\n" };
    let mut text = format!("{own}{gap}{NOTE}");
    if let Some(Grammar { syntax, definition }) = grammar {
        let syntax = syntax.unwrap_or("following");
        text.push_str(&format!(" It fits this {syntax} grammar:\n{definition}"));
    }
    text.into()
}

/// The arguments of an earlier call, of its text in JSON.
///
/// # Errors
///
/// A 400 at `place` for what is not a string.
pub(in crate::protocol) fn arguments<'a>(
    json: &RawValue,
    place: &str,
) -> Result<Cow<'a, RawValue>, Error> {
    let text = json.get();
    let text = without_halves(text).map_or(Cow::Borrowed(text), Cow::Owned);
    let object = text
        .starts_with('"')
        .then(|| RawValue::from_string(format!("{{\"input\":{text}}}")).ok());
    let object = object.flatten().map(Cow::Owned);
    object.ok_or_else(|| {
        let message = format!("'{place}' must be a string.");
        Error::invalid(place.to_owned(), message)
    })
}

/// The text in the arguments that the model gave, which may be cut off; or the arguments where it did not keep to their
/// shape.
pub(in crate::protocol) fn free_text(arguments: &str) -> Cow<'_, str> {
    #[derive(Deserialize)]
    struct Object<'a> {
        #[serde(borrow)]
        input: Cow<'a, str>,
    }
    if let Ok(object) = serde_json::from_str::<Object<'_>>(arguments) {
        return object.input;
    }
    let closed = closed(arguments);
    let object = closed.as_deref().map(serde_json::from_str::<Object<'_>>);
    match object {
        Some(Ok(object)) => object.input.into_owned().into(),
        _ => arguments.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_free_text_is_found_however_the_model_gave_it() {
        for (arguments, text) in [
            (r#"{"input":"a"}"#, "a"),
            (r#"{"input":"a\n\"\u00e9","more":1}"#, "a\n\"é"),
            (r#"{"input":"cut o"#, "cut o"),
            (r#"{"patch":"a"}"#, r#"{"patch":"a"}"#),
            (r#"{"input":5}"#, r#"{"input":5}"#),
            ("plain", "plain"),
            ("{}", "{}"),
        ] {
            assert_eq!(free_text(arguments), text, "{arguments}");
        }
    }

    #[test]
    fn a_text_becomes_arguments_and_nothing_else_does() {
        let read = |json: &str| arguments(&RawValue::from_string(json.to_owned()).unwrap(), "x");
        let object = read(r#""a\n\"b""#).unwrap();
        assert_eq!(object.get(), r#"{"input":"a\n\"b"}"#);
        let error = read("5").unwrap_err();
        assert_eq!(error.message, "'x' must be a string.");
    }
}
