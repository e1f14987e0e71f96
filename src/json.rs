//! Reads and writes JSON fast, and writes what is JSON already without looking at it again.
//!
//! `serde_json` looks at every byte of every string for something to escape, one at a time; in Wasm
//! that is most of what a long chat costs. Here strings are looked at many bytes at a time, [`Verbatim`] ones not
//! at all, and everything goes into one buffer of the right size. The output is `serde_json`'s, byte
//! for byte.

mod escape;
mod fault;
mod mend;
mod pieces;
mod reader;
mod serializer;
mod special;
mod text;

pub use escape::write_str;
pub(crate) use fault::{Fault, syntax};
pub use mend::{closed, without_halves};
pub use pieces::{MIN_SPAN, Pieces};
pub use reader::{Escapes, STRING, read, read_noting};
pub use text::Text;
pub(crate) use text::reason;

use std::fmt;

use serde::{Serialize, Serializer};

use pieces::Out;

/// Name by which `serde_json`'s `RawValue` asks to be read and written as it is. It is private there; the tests
/// beside this file notice when it changes.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// Name by which the serializer knows a [`Verbatim`] text.
const VERBATIM: &str = "bedrock_filter::json::Verbatim";

/// A text in which nothing needs to be escaped, such as base64. Other serializers write it like any
/// other text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verbatim<T>(pub T);

impl<T: fmt::Display> Serialize for Verbatim<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(VERBATIM, &Shown(&self.0))
    }
}

/// Serializes as what `Display` says.
struct Shown<'t, T>(&'t T);

impl<T: fmt::Display> Serialize for Shown<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

/// A value that is no JSON: a map with keys that are no texts, or bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl serde::ser::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// A value as JSON; `capacity` is its likely length in bytes.
///
/// # Errors
///
/// See [`Error`].
pub fn to_vec<T: Serialize + ?Sized>(value: &T, capacity: usize) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(capacity);
    write(&mut out, value)?;
    Ok(out)
}

/// Adds a value as JSON to what is written already.
///
/// # Errors
///
/// See [`Error`]; `out` then ends with a part of the value.
pub fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), Error> {
    let mut whole = Out::new(std::mem::take(out), b"");
    let written = value.serialize(serializer::Writer(&mut whole));
    *out = whole.own;
    written
}

/// A value as JSON, in which the long texts that are parts of `source` are not copied. `capacity` is the
/// likely length of the rest, in bytes.
///
/// # Errors
///
/// See [`Error`].
pub fn to_pieces<T: Serialize + ?Sized>(
    value: &T,
    source: &[u8],
    capacity: usize,
) -> Result<Pieces, Error> {
    let mut out = Out::new(Vec::with_capacity(capacity), source);
    value.serialize(serializer::Writer(&mut out))?;
    Ok(out.into_pieces())
}

#[cfg(test)]
mod tests;
