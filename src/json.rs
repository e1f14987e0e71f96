//! Reads and writes JSON fast, and writes text that is already JSON without looking at it again.
//!
//! `serde_json` checks every byte of every string for something to escape, one byte at a time. In Wasm that is most
//! of what a long chat costs. Here strings are checked many bytes at a time and [`Verbatim`] ones not at all, and
//! everything goes into one buffer of the right size. The output is the same as `serde_json`'s, byte for byte.

mod escape;
mod fault;
mod pieces;
mod reader;
mod repair;
mod serializer;
mod special;
mod text;
mod walk;
mod writer;

pub use escape::write_str;
pub(crate) use fault::{Fault, syntax, unread};
pub use pieces::{MIN_SPAN, Pieces};
pub use reader::{Escapes, Located, STRING, escape_pointer, read, read_located, read_noting};
pub use repair::{closed, without_halves};
pub use text::Text;
pub(crate) use text::reason;
pub use walk::{Kind, Name, NotJson, Walker};
pub use writer::PieceWriter;

use std::fmt;

use serde::{Serialize, Serializer};

use pieces::Out;

/// Name by which `serde_json`'s `RawValue` asks to be read and written unchanged. It is private there; the tests
/// beside this file notice when it changes.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// Name by which the serializer knows a [`Verbatim`] text.
const VERBATIM: &str = "bedrock_filter::json::Verbatim";

/// Says that a text is UTF-8, and nothing else.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A body without its byte order mark: some tools on Windows put one in front of every text.
#[must_use]
pub fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body)
}

/// A text in which nothing needs to be escaped, such as base64. Other serializers write it like any other text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verbatim<T>(pub T);

impl<T: fmt::Display> Serialize for Verbatim<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(VERBATIM, &Shown(&self.0))
    }
}

/// Serializes as whatever `Display` writes.
struct Shown<'t, T>(&'t T);

impl<T: fmt::Display> Serialize for Shown<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

/// A value that cannot be JSON: bytes, or a map whose keys are not texts.
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

/// Appends a value as JSON to what has been written already.
///
/// # Errors
///
/// See [`Error`]; `out` then ends with part of the value.
pub fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), Error> {
    let mut whole = Out::new(std::mem::take(out), b"");
    let written = value.serialize(serializer::Writer(&mut whole));
    *out = whole.own;
    written
}

/// Appends a value that always is JSON, such as one of texts and numbers. Any other, which would break the JSON around
/// it, becomes `null`.
pub(crate) fn write_or_null<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let start = out.len();
    if write(out, value).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}

/// Writes JSON on one line: a line break would end an event of a stream. Strings in JSON contain none.
pub(crate) fn write_line(out: &mut Vec<u8>, json: &str) {
    let start = out.len();
    out.extend_from_slice(json.as_bytes());
    for byte in out.iter_mut().skip(start) {
        if matches!(*byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
}

/// A value as JSON, in which the long texts that are part of `source` are not copied. `capacity` is the likely length
/// of the rest, in bytes.
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
