//! Values that can only be texts.

use std::fmt::Write as _;

use serde::ser::{Impossible, Serialize, Serializer};

use crate::json::escape::write_str;
use crate::json::pieces::Out;
use crate::json::{Error, without_halves};

/// Writes what must be a text: a key, the JSON of a `RawValue`, or a verbatim text.
pub(super) struct Text<'o, 's>(pub(super) &'o mut Out<'s>, pub(super) Quotes);

pub(super) enum Quotes {
    /// Unchanged, but for halves of surrogate pairs, which no reader accepts.
    Without,
    /// Unchanged, in quotes.
    Around,
    /// Escaped, in quotes.
    Escaping,
}

/// Takes the parts of a text as `Display` writes them.
struct AsItIs<'o, 's>(&'o mut Out<'s>);

impl std::fmt::Write for AsItIs<'_, '_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.verbatim(text);
        Ok(())
    }
}

/// The types of `serde`'s data model that are not texts.
macro_rules! refuse {
    ($($method:ident $kind:ty;)*) => {
        $(fn $method(self, _: $kind) -> Result<(), Error> { Err(no_text()) })*
    };
}

/// An object or array with its halves of surrogate pairs replaced; `None` if it has no such half. Strings are repaired as
/// they are read ([`crate::json::Text`]), and are often too long to scan again.
fn repaired(json: &str) -> Option<String> {
    if json.starts_with(['{', '[']) {
        without_halves(json)
    } else {
        None
    }
}

fn no_text() -> Error {
    serde::ser::Error::custom("a text was expected")
}

impl Serializer for Text<'_, '_> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Impossible<(), Error>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Impossible<(), Error>;
    type SerializeStruct = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    refuse! {
        serialize_bool bool;
        serialize_i8 i8;
        serialize_i16 i16;
        serialize_i32 i32;
        serialize_i64 i64;
        serialize_u8 u8;
        serialize_u16 u16;
        serialize_u32 u32;
        serialize_u64 u64;
        serialize_f32 f32;
        serialize_f64 f64;
        serialize_char char;
        serialize_bytes &[u8];
        serialize_unit_struct &'static str;
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        let Self(out, quotes) = self;
        match quotes {
            Quotes::Without => match repaired(value) {
                Some(json) => out.extend_from_slice(json.as_bytes()),
                None => out.verbatim(value),
            },
            Quotes::Around => return Text(out, quotes).collect_str(value),
            Quotes::Escaping => write_str(&mut out.own, value),
        }
        Ok(())
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        let Self(out, quotes) = self;
        // A text that `Display` writes in pieces, such as a data URI, need not be put together first.
        if let Quotes::Around = quotes {
            return write!(AsItIs(out), "\"{value}\"").map_err(serde::ser::Error::custom);
        }
        Text(out, quotes).serialize_str(&value.to_string())
    }

    fn serialize_none(self) -> Result<(), Error> {
        Err(no_text())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        Err(no_text())
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        Err(no_text())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Error> {
        Err(no_text())
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Error> {
        Err(no_text())
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Error> {
        Err(no_text())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Err(no_text())
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Error> {
        Err(no_text())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Error> {
        Err(no_text())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(no_text())
    }
}
