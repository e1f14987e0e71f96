//! Arguments of tool calls, in the forms that models and servers write.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::json::Text;

/// The JSON of a call's arguments, or a piece of it: some write it into a string, some do not, whatever their
/// documentation says. `null` means nothing.
pub(in crate::bedrock) fn arguments(raw: &RawValue) -> Cow<'_, str> {
    match raw.get() {
        "null" => Cow::Borrowed(""),
        json if json.starts_with('"') => {
            let text = serde_json::from_str::<Text<'_>>(json);
            text.map_or(Cow::Borrowed(json), Cow::from)
        }
        json => Cow::Borrowed(json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_from_a_string_and_as_they_are() {
        let read = |json: &str| {
            let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
            arguments(&raw).into_owned()
        };
        assert_eq!(read(r#""{\"a\":1}""#), r#"{"a":1}"#);
        assert_eq!(read(r#"{"a":1}"#), r#"{"a":1}"#);
        assert_eq!(read("null"), "");
        assert_eq!(read(r#""""#), "");
    }
}
