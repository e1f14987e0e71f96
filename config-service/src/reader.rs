//! Reads the JSON that administrators send, and reports every fault at once, each with its
//! position.
//!
//! Only types and structure are checked here. The filter's own `Routes::compile` checks the
//! values once an edit is applied to a channel.

mod body;
mod choice;
mod embedded;
mod encoding;
mod json;
mod maps;
mod names;
mod object;
mod pasted;
mod scalar;

pub use json::SyntaxError;

pub(crate) use body::fields;
pub(crate) use choice::{Choice, choice, of_word};
pub(crate) use embedded::{Embedded, embedded};
pub(crate) use encoding::without_mark;
pub(crate) use json::{Kind, parse};
pub(crate) use maps::{enum_map, string_map};
pub(crate) use names::unknown;
pub(crate) use object::Object;
pub(crate) use pasted::plain_json;
pub(crate) use scalar::{
    boolean, mismatch, nullable_decimal, nullable_number, nullable_text, number, read_only, text,
    texts,
};
