//! Goes through a text value by value, for those who want to know where each stands.

use std::borrow::Cow;

use serde::Deserialize as _;
use serde_json::value::RawValue;

use super::reader::{MAX_DEPTH, Reader};
use super::text::Text;
use super::without_halves;

/// A place in a JSON text, from where one goes on value by value. Every string is looked at once.
pub struct Walker<'de>(Reader<'de>);

/// What kind of value follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// `null`
    Null,
    /// A number, `true` or `false`, if it is anything.
    Other,
}

/// The text is not JSON, or nests too deep. The slower reader finds out which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotJson;

/// The name of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name<'de> {
    /// As written, with its quotes.
    pub json: &'de str,
    /// What it says.
    pub text: Cow<'de, str>,
}

impl<'de> Walker<'de> {
    /// At the beginning of a text.
    #[must_use]
    pub fn new(text: &'de str) -> Self {
        Self(Reader::new(text))
    }

    /// What follows.
    pub fn kind(&mut self) -> Kind {
        match self.0.peek() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b'n') => Kind::Null,
            _ => Kind::Other,
        }
    }

    /// Passes a value, whatever it is.
    ///
    /// # Errors
    ///
    /// See [`NotJson`].
    pub fn raw(&mut self) -> Result<&'de RawValue, NotJson> {
        <&RawValue>::deserialize(&mut self.0).map_err(|_| NotJson)
    }

    /// Passes a value that nobody reads, however deep it nests.
    ///
    /// # Errors
    ///
    /// See [`NotJson`].
    pub fn unread(&mut self) -> Result<&'de RawValue, NotJson> {
        let before = std::mem::replace(&mut self.0.skips_deep, true);
        let json = self.raw();
        self.0.skips_deep = before;
        json
    }

    /// Passes a string.
    ///
    /// # Errors
    ///
    /// See [`NotJson`]; also when the next value is not a string.
    pub fn text(&mut self) -> Result<Text<'de>, NotJson> {
        Text::deserialize(&mut self.0).map_err(|_| NotJson)
    }

    /// Passes an object; `each` has to pass the value of the member with a name. Gives its JSON.
    ///
    /// # Errors
    ///
    /// See [`NotJson`]; and what `each` does not like.
    pub fn object<E: From<NotJson>>(
        &mut self,
        mut each: impl FnMut(&mut Self, Name<'de>) -> Result<(), E>,
    ) -> Result<&'de str, E> {
        self.within((b'{', b'}'), |own| {
            let name = own.name()?;
            each(own, name)
        })
    }

    /// Passes an array; `each` has to pass the element with an index. Gives its JSON.
    ///
    /// # Errors
    ///
    /// See [`NotJson`]; and what `each` does not like.
    pub fn array<E: From<NotJson>>(
        &mut self,
        mut each: impl FnMut(&mut Self, usize) -> Result<(), E>,
    ) -> Result<&'de str, E> {
        let mut index = 0;
        self.within((b'[', b']'), |own| {
            each(own, index)?;
            index += 1;
            Ok(())
        })
    }

    /// Whether nothing follows any more.
    pub fn is_at_end(&mut self) -> bool {
        self.0.peek().is_none()
    }

    /// Whether half of a surrogate pair is in what was passed.
    #[must_use]
    pub fn has_halves(&self) -> bool {
        let passed = self.0.text.get(..self.0.at).unwrap_or_default();
        self.0.has_surrogates && without_halves(passed).is_some()
    }

    fn name(&mut self) -> Result<Name<'de>, NotJson> {
        let token = self.0.key().map_err(|_| NotJson)?;
        let text = match token.plain() {
            Some(text) => text.into(),
            None => unescaped(token.json).ok_or(NotJson)?.into(),
        };
        self.pass(b':')?;
        let json = token.json;
        Ok(Name { json, text })
    }

    fn within<E: From<NotJson>>(
        &mut self,
        (open, close): (u8, u8),
        mut item: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<&'de str, E> {
        self.0.peek();
        let start = self.0.at;
        self.pass(open)?;
        self.0.depth += 1;
        if self.0.depth > MAX_DEPTH {
            return Err(NotJson.into());
        }
        if self.0.peek() != Some(close) {
            loop {
                item(self)?;
                if self.0.peek() != Some(b',') {
                    break;
                }
                self.0.at += 1;
            }
        }
        self.pass(close)?;
        self.0.depth -= 1;
        Ok(self.0.text.get(start..self.0.at).unwrap_or_default())
    }

    fn pass(&mut self, byte: u8) -> Result<(), NotJson> {
        self.0.pass(byte).map_err(|_| NotJson)
    }
}

/// What a string says; half of a surrogate pair is the replacement character.
fn unescaped(json: &str) -> Option<String> {
    serde_json::from_str(json)
        .ok()
        .or_else(|| serde_json::from_str(&without_halves(json)?).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// The same text, reassembled from what the walker found.
    fn walked(walker: &mut Walker<'_>) -> Result<String, NotJson> {
        match walker.kind() {
            Kind::Object => {
                let mut members = Vec::new();
                walker.object::<NotJson>(|own, name| {
                    members.push(format!("{}:{}", name.json, walked(own)?));
                    Ok(())
                })?;
                Ok(format!("{{{}}}", members.join(",")))
            }
            Kind::Array => {
                let mut elements = Vec::new();
                walker.array::<NotJson>(|own, index| {
                    assert_eq!(index, elements.len());
                    elements.push(walked(own)?);
                    Ok(())
                })?;
                Ok(format!("[{}]", elements.join(",")))
            }
            Kind::String => Ok(serde_json::to_string(&walker.text()?).unwrap()),
            _ => Ok(walker.raw()?.get().to_owned()),
        }
    }

    fn whole(text: &str) -> Result<String, NotJson> {
        let mut walker = Walker::new(text);
        let seen = walked(&mut walker)?;
        walker.is_at_end().then_some(seen).ok_or(NotJson)
    }

    #[test]
    fn values_are_where_they_are() {
        let text = r#" {"a": [1, {"b":"x\n"}, []], "\u0063": null, "d":{ }} "#;
        let seen = whole(text).unwrap();
        assert_eq!(seen, r#"{"a":[1,{"b":"x\n"},[]],"\u0063":null,"d":{}}"#);
        let mut walker = Walker::new(text);
        let mut names = Vec::new();
        let json = walker.object::<NotJson>(|own, name| {
            names.push(name.text.into_owned());
            own.raw().map(drop)
        });
        assert_eq!((json, names.join("")), (Ok(text.trim()), "acd".to_owned()));
    }

    #[test]
    fn halves_of_pairs_are_noticed_wherever_they_are() {
        for (text, has_halves) in [
            (r#"{"a":"\u00e9\ud83d\ude00","b":["\\ud83d"]}"#, false),
            (r#"{"a":"\ud83d"}"#, true),
            (r#"{"a":{"b":["\uDE00\ud83d"]}}"#, true),
            (r#"{"a\ud83d":1}"#, true),
        ] {
            let mut walker = Walker::new(text);
            let mut names = Vec::new();
            let passed = walker.object::<NotJson>(|own, name| {
                names.push(name.text.into_owned());
                own.raw().map(drop)
            });
            assert_eq!(passed, Ok(text));
            assert_eq!(walker.has_halves(), has_halves, "{text}");
            assert!(names[0] == "a" || names[0] == "a\u{fffd}", "{names:?}");
        }
    }

    #[test]
    fn what_is_no_json_is_not_taken() {
        for text in [
            "", "{", "{]", "[1,]", "[1 2]", "{\"a\"}", "{a:1}", "[01]", "\"", "{} x", "{,}",
        ] {
            assert_eq!(whole(text), Err(NotJson), "{text}");
        }
        let deep = "[".repeat(200) + &"]".repeat(200);
        assert_eq!(whole(&deep), Err(NotJson));
    }

    proptest! {
        #[test]
        fn what_it_takes_is_json(text in r#"[\[\]{}:,"a1\\ ]{0,16}"#) {
            if let Ok(seen) = whole(&text) {
                let seen: Value = serde_json::from_str(&seen).unwrap();
                prop_assert_eq!(seen, serde_json::from_str::<Value>(&text).unwrap());
            }
        }
    }
}
