//! The `serde` side: writes any value.

mod members;
mod text;

use serde::ser::{Serialize, Serializer};

use super::escape::{write_escaped, write_str};
use super::pieces::Out;
use super::{Error, RAW_VALUE, VERBATIM};
use members::Members;
use text::{Quotes, Text};

/// Writes one value.
pub(super) struct Writer<'o, 's>(pub(super) &'o mut Out<'s>);

impl<'o, 's> Writer<'o, 's> {
    fn number(self, number: &impl Serialize) -> Result<(), Error> {
        serde_json::to_writer(&mut self.0.own, number).map_err(serde::ser::Error::custom)
    }

    fn members(self, start: u8, end: &'static [u8]) -> Members<'o, 's> {
        self.0.push(start);
        Members::new(self.0, end)
    }

    /// Begins `{"variant":`.
    fn variant(self, variant: &str) -> Self {
        self.0.push(b'{');
        write_str(&mut self.0.own, variant);
        self.0.push(b':');
        self
    }
}

impl<'o, 's> Serializer for Writer<'o, 's> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Members<'o, 's>;
    type SerializeTuple = Members<'o, 's>;
    type SerializeTupleStruct = Members<'o, 's>;
    type SerializeTupleVariant = Members<'o, 's>;
    type SerializeMap = Members<'o, 's>;
    type SerializeStruct = Members<'o, 's>;
    type SerializeStructVariant = Members<'o, 's>;

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.0
            .extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), Error> {
        self.number(&value)
    }

    fn serialize_i16(self, value: i16) -> Result<(), Error> {
        self.number(&value)
    }

    fn serialize_i32(self, value: i32) -> Result<(), Error> {
        self.number(&value)
    }

    fn serialize_i64(self, value: i64) -> Result<(), Error> {
        self.number(&value)
    }

    fn serialize_u8(self, value: u8) -> Result<(), Error> {
        self.number(&value)
    }

    fn serialize_u16(self, value: u16) -> Result<(), Error> {
        self.number(&value)
    }

    fn serialize_u32(self, value: u32) -> Result<(), Error> {
        self.number(&value)
    }

    fn serialize_u64(self, value: u64) -> Result<(), Error> {
        self.number(&value)
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.number(&value)
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        self.number(&value)
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        write_str(&mut self.0.own, value);
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Error> {
        Err(serde::ser::Error::custom("bytes are not JSON"))
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.0.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
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
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        if name == VERBATIM {
            return value.serialize(Text(self.0, Quotes::Around));
        }
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let Writer(out) = self.variant(variant);
        value.serialize(Writer(out))?;
        out.push(b'}');
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Members<'o, 's>, Error> {
        Ok(self.members(b'[', b"]"))
    }

    fn serialize_tuple(self, len: usize) -> Result<Members<'o, 's>, Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Members<'o, 's>, Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Members<'o, 's>, Error> {
        Ok(self.variant(variant).members(b'[', b"]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'o, 's>, Error> {
        Ok(self.members(b'{', b"}"))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Members<'o, 's>, Error> {
        if name == RAW_VALUE {
            return Ok(Members::of_raw_value(self.0));
        }
        Ok(self.members(b'{', b"}"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Members<'o, 's>, Error> {
        Ok(self.variant(variant).members(b'{', b"}}"))
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        struct Escaped<'o>(&'o mut Vec<u8>);

        impl std::fmt::Write for Escaped<'_> {
            fn write_str(&mut self, text: &str) -> std::fmt::Result {
                write_escaped(self.0, text);
                Ok(())
            }
        }

        self.0.push(b'"');
        std::fmt::write(&mut Escaped(&mut self.0.own), format_args!("{value}"))
            .map_err(serde::ser::Error::custom)?;
        self.0.push(b'"');
        Ok(())
    }
}
