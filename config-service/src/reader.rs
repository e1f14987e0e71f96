//! Reads the JSON that administrators send, with every fault at once and each at its place.
//!
//! Only shapes are judged here. Whether the values make sense is decided by the filter's own
//! `Routes::compile` once an edit is applied to a channel.

mod choice;
mod encoding;
mod json;
mod maps;
mod names;
mod object;
mod scalar;

pub use json::SyntaxError;

pub(crate) use choice::{Choice, choice, of_word};
pub(crate) use encoding::without_mark;
pub(crate) use json::{Kind, Members, parse};
pub(crate) use maps::{enum_map, string_map};
pub(crate) use names::{duplicate, unknown};
pub(crate) use object::Object;
pub(crate) use scalar::{
    boolean, mismatch, nullable_number, nullable_text, number, read_only, text, texts,
};
