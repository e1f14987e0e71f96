//! Arrays and objects.

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use super::Writer;
use super::text::{Quotes, Text};
use crate::json::Error;
use crate::json::pieces::Out;

/// An array or object that is being written.
pub(in crate::json) struct Members<'o, 's> {
    out: &'o mut Out<'s>,
    is_first: bool,
    /// What closes it.
    end: &'static [u8],
    /// A `RawValue`, whose only field is the value.
    is_raw: bool,
}

impl<'o, 's> Members<'o, 's> {
    pub(super) fn new(out: &'o mut Out<'s>, end: &'static [u8]) -> Self {
        Self {
            out,
            is_first: true,
            end,
            is_raw: false,
        }
    }

    pub(super) fn of_raw_value(out: &'o mut Out<'s>) -> Self {
        Self {
            is_raw: true,
            ..Self::new(out, b"")
        }
    }

    fn comma(&mut self) {
        if !self.is_first {
            self.out.push(b',');
        }
        self.is_first = false;
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.comma();
        value.serialize(Writer(self.out))
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Error> {
        if self.is_raw {
            return value.serialize(Text(self.out, Quotes::Without));
        }
        self.comma();
        // Names of fields are our own and have nothing to escape.
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        value.serialize(Writer(self.out))
    }

    fn finish(self) {
        self.out.extend_from_slice(self.end);
    }
}

/// Traits of `serde` that differ only in their names.
macro_rules! elements {
    ($($family:ident $method:ident;)*) => {
        $(impl $family for Members<'_, '_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.element(value)
            }

            fn end(self) -> Result<(), Error> {
                self.finish();
                Ok(())
            }
        })*
    };
}

elements! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

macro_rules! fields {
    ($($family:ident)*) => {
        $(impl $family for Members<'_, '_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), Error> {
                self.field(key, value)
            }

            fn end(self) -> Result<(), Error> {
                self.finish();
                Ok(())
            }
        })*
    };
}

fields! { SerializeStruct SerializeStructVariant }

impl SerializeMap for Members<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.comma();
        key.serialize(Text(self.out, Quotes::Escaping))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.out.push(b':');
        value.serialize(Writer(self.out))
    }

    fn end(self) -> Result<(), Error> {
        self.finish();
        Ok(())
    }
}
