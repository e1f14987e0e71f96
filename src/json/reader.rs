//! Reads JSON fast: every string is looked at once.
//!
//! `serde_json` looks at a string once to find its end, and again where a value was set aside until its type is
//! known. In Wasm each look costs as much as hashing a twentieth of it. This reader gives up on invalid
//! JSON without saying why; whatever it accepts, `serde_json` accepts too, with the same result. It does say where a
//! value of the wrong type is.

mod access;
mod mismatch;
mod skip;
mod token;
mod trail;

use std::borrow::Cow;

use serde::de::value::CowStrDeserializer;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;

use super::RAW_VALUE;
use access::{Elements, Members};
use mismatch::OneOf;
use trail::Trail;

pub use token::{Escapes, STRING};
pub use trail::{Located, escape_pointer};

/// The brackets of an object, and of an array.
const OBJECT: (u8, u8) = (b'{', b'}');
const ARRAY: (u8, u8) = (b'[', b']');

/// Most names of unread members that are noted.
const MAX_NOTED: usize = 64;

/// How deeply values may nest; `serde_json` itself stops at 128.
pub(super) const MAX_DEPTH: u8 = 100;

/// Reads a value from the whole of a text, if everything in it is common.
///
/// `None` says nothing about the text: `serde_json` may still take it, and if it does not, it knows why.
#[must_use]
pub fn read<'de, T: Deserialize<'de>>(text: &'de str) -> Option<T> {
    read_noting(text).map(|(value, _)| value)
}

/// The same, with the names of those members of the outermost object whose values are not read: as written, without
/// quotes, and at most 64.
#[must_use]
pub fn read_noting<'de, T: Deserialize<'de>>(text: &'de str) -> Option<(T, Vec<&'de str>)> {
    let mut reader = Reader::new(text);
    let value = T::deserialize(&mut reader).ok()?;
    let is_whole = reader.peek().is_none();
    is_whole.then_some((value, reader.unread))
}

/// The same, with what is wrong and where; whatever is read as JSON may nest as deeply as it likes.
///
/// # Errors
///
/// When a value is not what it should be, or the text is not JSON: that is for `serde_json` to say.
pub fn read_located<'de, T: Deserialize<'de>>(
    text: &'de str,
) -> std::result::Result<(T, Vec<&'de str>), Located> {
    let mut reader = Reader::new(text);
    reader.skips_deep = true;
    let value = T::deserialize(&mut reader);
    let value = value.and_then(|value| match reader.peek() {
        None => Ok(value),
        Some(_) => give_up(),
    });
    match value {
        Ok(value) => Ok((value, reader.unread)),
        Err(error) => Err(reader.trail.located(error)),
    }
}

/// A position in a text.
pub(super) struct Reader<'de> {
    pub(super) text: &'de str,
    pub(super) at: usize,
    pub(super) depth: u8,
    /// Whether an escape of half a surrogate pair was seen, with or without the other half.
    pub(super) has_surrogates: bool,
    /// The latest name of a member of the outermost object, with its quotes.
    name: &'de str,
    /// The names that are noted.
    unread: Vec<&'de str>,
    /// Where an error came up.
    trail: Trail,
    /// Whether values that are only skipped may nest deeper than [`MAX_DEPTH`].
    pub(super) skips_deep: bool,
}

type Result<T, E = serde_json::Error> = std::result::Result<T, E>;

/// Leaves the text to `serde_json`.
fn give_up<T>() -> Result<T> {
    Err(serde_json::Error::custom("left to serde_json"))
}

impl<'de> Reader<'de> {
    /// At the beginning of a text.
    pub(super) fn new(text: &'de str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
            has_surrogates: false,
            name: "",
            unread: Vec::new(),
            trail: Trail::default(),
            skips_deep: false,
        }
    }

    fn rest(&self) -> &'de [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// The next byte that is not white space; it is not consumed.
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            let next = *self.rest().first()?;
            if !matches!(next, b' ' | b'\n' | b'\t' | b'\r') {
                return Some(next);
            }
            self.at += 1;
        }
    }

    /// Consumes a byte, and white space before it.
    pub(super) fn pass(&mut self, byte: u8) -> Result<()> {
        if self.peek() != Some(byte) {
            return give_up();
        }
        self.at += 1;
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<()> {
        if !self.rest().starts_with(word.as_bytes()) {
            return give_up();
        }
        self.at += word.len();
        Ok(())
    }

    /// Runs `read` one level deeper, between the next pair of brackets.
    fn within<T>(
        &mut self,
        (open, close): (u8, u8),
        read: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        self.pass(open)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(serde_json::Error::custom("recursion limit exceeded"));
        }
        let value = read(self)?;
        self.depth -= 1;
        self.pass(close)?;
        Ok(value)
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.peek() {
            Some(b'"') => {
                let token = self.string()?;
                match token.plain() {
                    Some(text) => visitor.visit_borrowed_str(text),
                    None => visitor.visit_string(serde_json::from_str(token.json)?),
                }
            }
            Some(b'{') => self.within(OBJECT, |own| visitor.visit_map(Members::new(own))),
            Some(b'[') => self.within(ARRAY, |own| visitor.visit_seq(Elements::new(own))),
            Some(b't') => self.word("true").and_then(|()| visitor.visit_bool(true)),
            Some(b'f') => self.word("false").and_then(|()| visitor.visit_bool(false)),
            Some(b'n') => self.word("null").and_then(|()| visitor.visit_unit()),
            Some(_) => {
                let mut number = serde_json::Deserializer::from_str(self.number());
                let value = number.deserialize_any(visitor)?;
                number.end()?;
                Ok(value)
            }
            None => give_up(),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.peek() {
            Some(b'n') => self.word("null").and_then(|()| visitor.visit_none()),
            _ => visitor.visit_some(self),
        }
    }

    /// Only an object. `serde_json` also reads an array as the fields in order, so that `["user", "Hi"]` would be a
    /// message, and would mean something else as soon as a field is added.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.peek() {
            Some(b'[') => Err(self.mismatch(&visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    /// Only names of variants without content.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if self.peek() != Some(b'"') {
            return Err(self.mismatch(&OneOf(variants)));
        }
        let token = self.string()?;
        let name = match token.plain() {
            Some(name) => Cow::Borrowed(name),
            None => serde_json::from_str::<String>(token.json)?.into(),
        };
        visitor.visit_enum(CowStrDeserializer::new(name))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        if name == RAW_VALUE {
            let json = self.skipped()?;
            return visitor.visit_map(access::RawValue::new(json));
        }
        if name != STRING {
            return visitor.visit_newtype_struct(self);
        }
        match self.peek() {
            Some(b'"') => visitor.visit_map(access::String::new(self.string()?)),
            Some(b'[') => self.deserialize_any(visitor),
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.depth == 1 && self.unread.len() < MAX_NOTED {
            let inside = self.name.get(1..self.name.len().saturating_sub(1));
            self.unread.extend(inside);
        }
        self.skipped()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string
        seq tuple map identifier
    }

    /// Nothing in a request is read as one of these.
    fn deserialize_bytes<V: Visitor<'de>>(self, _: V) -> Result<V::Value> {
        give_up()
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, _: V) -> Result<V::Value> {
        give_up()
    }

    fn deserialize_unit<V: Visitor<'de>>(self, _: V) -> Result<V::Value> {
        give_up()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, _: V) -> Result<V::Value> {
        give_up()
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        _: V,
    ) -> Result<V::Value> {
        give_up()
    }
}

#[cfg(test)]
mod tests;
