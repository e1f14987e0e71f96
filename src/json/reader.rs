//! Reads JSON fast: every string is looked at once.
//!
//! `serde_json` looks at a string once to find where it ends, and once more where a value was set aside to
//! see what it is; in Wasm each look costs as much as hashing a twentieth of it. This reader takes the common
//! path and gives up on anything else. So it never has to say what is wrong, and what it takes `serde_json`
//! takes too, with the same outcome.

mod access;
mod skip;
mod token;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;

use super::RAW_VALUE;
use access::{Elements, Members};

pub use token::{Escapes, STRING};

/// The brackets of an object, and of an array.
const OBJECT: (u8, u8) = (b'{', b'}');
const ARRAY: (u8, u8) = (b'[', b']');

/// Most names that are noted of members that nobody reads.
const MOST_NOTED: usize = 64;

/// How deep values may nest; `serde_json` itself stops at 128.
const MAX_DEPTH: u8 = 100;

/// Reads a value from the whole of a text, if everything in it is common.
///
/// `None` says nothing about the text: `serde_json` may take it all the same, and if not, it knows why.
#[must_use]
pub fn read<'de, T: Deserialize<'de>>(text: &'de str) -> Option<T> {
    read_noting(text).map(|(value, _)| value)
}

/// The same, with the names of those members of the object itself whose values nobody reads: as they stand in the
/// text, without quotes, and 64 at most.
#[must_use]
pub fn read_noting<'de, T: Deserialize<'de>>(text: &'de str) -> Option<(T, Vec<&'de str>)> {
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
        name: "",
        unread: Vec::new(),
    };
    let value = T::deserialize(&mut reader).ok()?;
    let is_whole = reader.peek().is_none();
    is_whole.then_some((value, reader.unread))
}

/// A place in a text.
struct Reader<'de> {
    text: &'de str,
    at: usize,
    depth: u8,
    /// The latest name of a member of the outermost object, with its quotes.
    name: &'de str,
    /// The names that are noted.
    unread: Vec<&'de str>,
}

type Result<T, E = serde_json::Error> = std::result::Result<T, E>;

/// Leaves the text to `serde_json`.
fn give_up<T>() -> Result<T> {
    Err(serde_json::Error::custom("left to serde_json"))
}

impl<'de> Reader<'de> {
    fn rest(&self) -> &'de [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// The next byte that is no white space; it is not passed.
    fn peek(&mut self) -> Option<u8> {
        loop {
            let next = *self.rest().first()?;
            if !matches!(next, b' ' | b'\n' | b'\t' | b'\r') {
                return Some(next);
            }
            self.at += 1;
        }
    }

    /// Passes a byte, with white space before it.
    fn pass(&mut self, byte: u8) -> Result<()> {
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

    /// Runs `read` one level deeper, between the brackets that follow.
    fn within<T>(
        &mut self,
        (open, close): (u8, u8),
        read: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        self.pass(open)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return give_up();
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

    /// `serde_json` reads an array as the fields in their order.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.peek() {
            Some(b'{') => self.deserialize_any(visitor),
            _ => give_up(),
        }
    }

    /// Only names of variants without content.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.key()?.plain() {
            Some(name) => visitor.visit_enum(BorrowedStrDeserializer::new(name)),
            None => give_up(),
        }
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
            _ => give_up(),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.depth == 1 && self.unread.len() < MOST_NOTED {
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

    /// Nothing of a request is read as one of these.
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
