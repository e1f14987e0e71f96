//! A JSON string that is read only when needed, and written as it came.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;

use memchr::{memchr, memmem};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Escapes, STRING, without_halves};

/// A string of the request; derefs to `str`.
///
/// A long chat is mostly strings that only pass through. Such a string stays JSON: it is not unescaped on the way in
/// only to be escaped again on the way out.
#[derive(Clone)]
pub struct Text<'a>(Form<'a>);

#[derive(Clone)]
enum Form<'a> {
    /// JSON without an escape.
    Verbatim(&'a RawValue),
    /// JSON with escapes, and its text once it has been needed.
    Escaped(&'a RawValue, OnceCell<String>),
    /// A text of our own.
    Plain(Cow<'a, str>),
}

impl<'a> Text<'a> {
    /// Whether it is empty or white space.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        let first = match &self.0 {
            Form::Escaped(json, _) => inside(json).bytes().next(),
            _ => None,
        };
        // Most texts begin with a letter, so they need not be read to know that they are not blank.
        !first.is_some_and(|first| first.is_ascii_graphic() && first != b'\\')
            && self.trim().is_empty()
    }

    /// The text without trailing white space.
    #[must_use]
    pub fn trimmed_end(self) -> Self {
        let length = self.trim_end().len();
        if length == self.len() {
            return self;
        }
        let cut = |text: &'a str| text.get(..length).unwrap_or(text);
        Self(Form::Plain(match self.0 {
            Form::Verbatim(json) => cut(inside(json)).into(),
            Form::Plain(Cow::Borrowed(text)) => cut(text).into(),
            other => Self(other).trim_end().to_owned().into(),
        }))
    }

    /// Length of the JSON that it came as, in bytes; zero for a text of our own.
    pub(crate) fn json_len(&self) -> usize {
        match &self.0 {
            Form::Verbatim(json) | Form::Escaped(json, _) => json.get().len(),
            Form::Plain(_) => 0,
        }
    }

    /// The JSON that it came as; none for a text of ours.
    pub(crate) fn json(&self) -> Option<&'a str> {
        match &self.0 {
            Form::Verbatim(json) | Form::Escaped(json, _) => Some(json.get()),
            Form::Plain(_) => None,
        }
    }

    pub(crate) fn from_json(json: &'a RawValue) -> Result<Self, serde_json::Error> {
        let text = json.get();
        if !text.starts_with('"') {
            // Says what is there instead.
            return serde_json::from_str::<String>(text).map(Self::from);
        }
        let escapes = if memchr(b'\\', text.as_bytes()).is_none() {
            Escapes::None
        } else if memmem::find(text.as_bytes(), b"\\u").is_none() {
            Escapes::Short
        } else {
            Escapes::Unicode
        };
        Self::from_string(json, escapes)
    }

    fn from_string(json: &'a RawValue, escapes: Escapes) -> Result<Self, serde_json::Error> {
        let plain = OnceCell::new();
        match escapes {
            Escapes::None => return Ok(Self(Form::Verbatim(json))),
            Escapes::Short => {}
            // Only these can be wrong in a way that a skipping reader does not notice: half a surrogate pair.
            Escapes::Unicode => match serde_json::from_str(json.get()) {
                Ok(text) => drop(plain.set(text)),
                Err(fault) => {
                    let repaired = without_halves(json.get()).ok_or(fault)?;
                    return serde_json::from_str::<String>(&repaired).map(Self::from);
                }
            },
        }
        Ok(Self(Form::Escaped(json, plain)))
    }

    /// The string from our own reader.
    pub(crate) fn from_map<A: MapAccess<'a>>(mut map: A) -> Result<Self, A::Error> {
        let escapes = map.next_key()?.unwrap_or(Escapes::Unicode);
        Self::from_string(map.next_value()?, escapes)
            .map_err(|fault| A::Error::custom(reason(&fault)))
    }
}

/// A JSON string without its quotes.
fn inside(json: &RawValue) -> &str {
    let text = json.get();
    text.get(1..text.len().saturating_sub(1))
        .unwrap_or_default()
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Form::Verbatim(json) => inside(json),
            Form::Escaped(json, plain) => {
                plain.get_or_init(|| serde_json::from_str(json.get()).unwrap_or_default())
            }
            Form::Plain(text) => text,
        }
    }
}

/// As it came, whether or not it has been read.
impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Verbatim(json) | Form::Escaped(json, _) => f.write_str(json.get()),
            Form::Plain(text) => text.fmt(f),
        }
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl Default for Text<'_> {
    fn default() -> Self {
        Self::from("")
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Form::Plain(text.into()))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Form::Plain(text.into()))
    }
}

impl<'a> From<Cow<'a, str>> for Text<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self(Form::Plain(text))
    }
}

impl<'a> From<Text<'a>> for Cow<'a, str> {
    fn from(text: Text<'a>) -> Self {
        match text.0 {
            Form::Verbatim(json) => inside(json).into(),
            Form::Plain(text) => text,
            Form::Escaped(json, plain) => plain
                .into_inner()
                .unwrap_or_else(|| serde_json::from_str(json.get()).unwrap_or_default())
                .into(),
        }
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text<'_> {}

impl PartialOrd for Text<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Form::Verbatim(json) | Form::Escaped(json, _) => json.serialize(serializer),
            Form::Plain(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Text::from_map(map)
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<Self::Value, D::Error> {
                let json = <&RawValue>::deserialize(deserializer)?;
                Text::from_json(json).map_err(|fault| D::Error::custom(reason(&fault)))
            }
        }

        deserializer.deserialize_newtype_struct(STRING, TextVisitor)
    }
}

/// What is wrong, without the position, which would be relative to the string.
pub(crate) fn reason(fault: &serde_json::Error) -> String {
    let text = fault.to_string();
    match text.rsplit_once(" at line ") {
        Some((reason, _)) => reason.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Text<'_>, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_text_is_written_as_it_came() {
        for (json, plain) in [
            (r#""""#, ""),
            (r#""plain é""#, "plain é"),
            (r#""a\/b""#, "a/b"),
            (r#""\n\"x\"""#, "\n\"x\""),
            (r#""\u00E9\ud83d\ude00""#, "é😀"),
        ] {
            let text = read(json).unwrap();
            assert_eq!(serde_json::to_string(&text).unwrap(), json);
            assert_eq!(&*text, plain);
            // Reading it does not change how it is written.
            assert_eq!(serde_json::to_string(&text).unwrap(), json);
        }
    }

    #[test]
    fn values_that_are_not_texts_are_refused_like_serde_jsons_own() {
        for json in ["5", "null", "[]", "{}", "true"] {
            let own = serde_json::from_str::<String>(json).unwrap_err();
            let refused = read(json).unwrap_err();
            assert!(refused.starts_with(&reason(&own)), "{refused} / {own}");
        }
        for json in ["\"\n\"", r#""\x""#, r#""\u12""#, "\""] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn half_a_pair_becomes_the_replacement_character() {
        for json in [r#""\ud83dx""#, r#""\ude00x""#] {
            let text = read(json).unwrap();
            assert_eq!(&*text, "\u{fffd}x");
            assert_eq!(serde_json::to_string(&text).unwrap(), "\"\u{fffd}x\"");
        }
        assert!(read(r#""\ud83d\u12""#).is_err());
    }

    #[test]
    fn blank_texts_are_recognised_in_every_form() {
        for (json, blank) in [
            (r#""""#, true),
            (r#"" ""#, true),
            (r#""\n\u00a0""#, true),
            (r#""\u3000x""#, false),
            (r#""x\n""#, false),
            (r#"" \n x""#, false),
        ] {
            assert_eq!(read(json).unwrap().is_blank(), blank, "{json}");
        }
        assert!(Text::from(" ").is_blank() && !Text::from("x".to_owned()).is_blank());
    }

    #[test]
    fn the_end_is_trimmed_and_the_rest_kept() {
        for (json, trimmed) in [
            (r#""a b""#, r#""a b""#),
            (r#""a b  ""#, r#""a b""#),
            (r#""a\nb""#, r#""a\nb""#),
            (r#""a\/b\n""#, r#""a/b""#),
        ] {
            let text = read(json).unwrap().trimmed_end();
            assert_eq!(serde_json::to_string(&text).unwrap(), trimmed);
        }
    }
}
