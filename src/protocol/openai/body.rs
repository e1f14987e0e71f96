//! Reads bodies.

use std::borrow::Cow;

use serde::Deserialize;

use super::fault;
use crate::chat::Error;
use crate::json;

/// A body as it is read: an object, without a byte order mark.
///
/// # Errors
///
/// A 400 for an array, whose elements serde would take for the fields in order.
pub(in crate::protocol) fn text(body: &[u8]) -> Result<&[u8], Error> {
    let text = json::without_mark(body);
    if text.trim_ascii_start().starts_with(b"[") {
        return Err(fault::no_object("an array"));
    }
    Ok(text)
}

/// Reads an object, and the names of unread members, possibly with some that are read;
/// faults are named behind `prefix`.
///
/// # Errors
///
/// A 400 that says what is wrong, and where.
pub(in crate::protocol) fn read<'a, T: Deserialize<'a>>(
    text: &'a [u8],
    prefix: &str,
) -> Result<(T, Vec<Cow<'a, str>>), Error> {
    let (request, names) = fault::read(text, prefix)?;
    Ok((request, names.into_iter().filter_map(unescaped).collect()))
}

/// A name as written in JSON, with its escapes resolved.
fn unescaped(name: &str) -> Option<Cow<'_, str>> {
    if name.contains('\\') {
        let read = serde_json::from_str(&format!("\"{name}\""));
        return read.ok().map(Cow::Owned);
    }
    Some(name.into())
}
