//! Arrays and objects for visitors, and the two things that are disguised as objects.

use serde::de::value::{BorrowedStrDeserializer, U8Deserializer};
use serde::de::{
    DeserializeSeed, Deserializer, IntoDeserializer as _, MapAccess, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::token::Token;
use super::{Reader, Result, give_up};
use crate::json::RAW_VALUE;

/// The inside of an array.
pub(super) struct Elements<'r, 'de>(Items<'r, 'de>);

/// The inside of an object.
pub(super) struct Members<'r, 'de>(Items<'r, 'de>);

struct Items<'r, 'de> {
    reader: &'r mut Reader<'de>,
    is_first: bool,
    /// How many there have been.
    count: usize,
    /// The latest name, with its quotes.
    name: &'de str,
}

impl<'r, 'de> Elements<'r, 'de> {
    pub(super) fn new(reader: &'r mut Reader<'de>) -> Self {
        Self(Items::new(reader))
    }
}

impl<'r, 'de> Members<'r, 'de> {
    pub(super) fn new(reader: &'r mut Reader<'de>) -> Self {
        Self(Items::new(reader))
    }
}

impl<'r, 'de> Items<'r, 'de> {
    fn new(reader: &'r mut Reader<'de>) -> Self {
        Self {
            reader,
            is_first: true,
            count: 0,
            name: "",
        }
    }

    /// Whether another item follows; consumes the comma before it.
    fn advance(&mut self, close: u8) -> Result<bool> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        match self.reader.peek() {
            Some(byte) if byte == close => Ok(false),
            Some(b',') if !is_first => {
                self.reader.at += 1;
                match self.reader.peek() {
                    Some(byte) if byte == close => give_up(),
                    _ => Ok(true),
                }
            }
            Some(_) if is_first => Ok(true),
            _ => give_up(),
        }
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = serde_json::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if !self.0.advance(b']')? {
            return Ok(None);
        }
        let index = self.0.count;
        self.0.count += 1;
        match seed.deserialize(&mut *self.0.reader) {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                self.0.reader.trail.element(index);
                Err(error)
            }
        }
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = serde_json::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        if !self.0.advance(b'}')? {
            return Ok(None);
        }
        let reader = &mut *self.0.reader;
        if reader.peek() != Some(b'"') {
            return give_up();
        }
        let start = reader.at;
        let key = seed.deserialize(&mut *reader);
        self.0.name = reader.text.get(start..reader.at).unwrap_or_default();
        if reader.depth == 1 {
            reader.name = self.0.name;
        }
        if key.is_err() {
            reader.trail.member(self.0.name);
        }
        key.map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        self.0.reader.pass(b':')?;
        let value = seed.deserialize(&mut *self.0.reader);
        if value.is_err() {
            self.0.reader.trail.member(self.0.name);
        }
        value
    }
}

/// The JSON of a value, as `serde_json`'s `RawValue` asks for it.
pub(super) struct RawValue<'de>(Option<&'de str>);

impl<'de> RawValue<'de> {
    pub(super) fn new(json: &'de str) -> Self {
        Self(Some(json))
    }
}

impl<'de> MapAccess<'de> for RawValue<'de> {
    type Error = serde_json::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let key = BorrowedStrDeserializer::new(RAW_VALUE);
        self.0.map(|_| seed.deserialize(key)).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        match self.0.take() {
            Some(json) => seed.deserialize(BorrowedStrDeserializer::new(json)),
            None => give_up(),
        }
    }
}

/// A string as JSON: see [`super::STRING`].
pub(super) struct String<'de>(Token<'de>);

impl<'de> String<'de> {
    pub(super) fn new(token: Token<'de>) -> Self {
        Self(token)
    }
}

impl<'de> MapAccess<'de> for String<'de> {
    type Error = serde_json::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let key: U8Deserializer<Self::Error> = self.0.escapes.as_number().into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        seed.deserialize(Raw(self.0.json))
    }
}

/// Gives a `RawValue` to a visitor that asks for one.
struct Raw<'de>(&'de str);

impl<'de> Deserializer<'de> for Raw<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_map(RawValue::new(self.0))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
