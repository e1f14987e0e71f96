//! Strings and numbers as they are in the text.

use serde::de::{Deserialize, Deserializer};

use super::{Reader, Result, give_up};
use crate::json::special::find_special;

/// Name by which the reader recognises a newtype that wants a string as JSON: it gets a map from one [`Escapes`] to
/// one `RawValue` or, where there is an array instead, its elements.
pub const STRING: &str = "bedrock_filter::json::String";

/// The escapes of a JSON string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Escapes {
    /// No escapes: the JSON is the text.
    None,
    /// Only those of one character, such as `\n`.
    Short,
    /// `\u` among them. Each is well-formed, but whether two make a pair was not checked.
    Unicode,
}

impl Escapes {
    /// How they are passed to a visitor.
    pub(super) fn as_number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Short => 1,
            Self::Unicode => 2,
        }
    }
}

impl<'de> Deserialize<'de> for Escapes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Ok(match u8::deserialize(deserializer)? {
            0 => Self::None,
            1 => Self::Short,
            _ => Self::Unicode,
        })
    }
}

/// A JSON string.
#[derive(Clone, Copy)]
pub(in crate::json) struct Token<'de> {
    /// Including its quotes.
    pub(in crate::json) json: &'de str,
    pub(super) escapes: Escapes,
}

impl<'de> Token<'de> {
    /// Its text, if nothing in it is escaped.
    pub(in crate::json) fn plain(&self) -> Option<&'de str> {
        let inside = self.json.get(1..self.json.len().checked_sub(1)?);
        inside.filter(|_| self.escapes == Escapes::None)
    }
}

/// Whether an escape whose digits begin like this is half of a surrogate pair: `d800` to `dfff`.
fn is_surrogate(first: u8, second: u8) -> bool {
    matches!(first, b'd' | b'D') && !matches!(second, b'0'..=b'7')
}

impl<'de> Reader<'de> {
    /// The string that begins here.
    pub(super) fn string(&mut self) -> Result<Token<'de>> {
        let start = self.at;
        let mut escapes = Escapes::None;
        self.at += 1;
        loop {
            let rest = self.rest();
            let Some(offset) = find_special(rest) else {
                return give_up();
            };
            self.at += offset;
            match rest.get(offset..).unwrap_or_default() {
                [b'"', ..] => break,
                [
                    b'\\',
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't',
                    ..,
                ] => {
                    escapes = escapes.max(Escapes::Short);
                    self.at += 2;
                }
                [b'\\', b'u', a, b, c, d, ..]
                    if [a, b, c, d].iter().all(|x| x.is_ascii_hexdigit()) =>
                {
                    escapes = Escapes::Unicode;
                    self.has_surrogates |= is_surrogate(*a, *b);
                    self.at += 6;
                }
                _ => return give_up(),
            }
        }
        self.at += 1;
        let json = self.text.get(start..self.at).unwrap_or_default();
        Ok(Token { json, escapes })
    }

    /// The longest part of the text that could be a number.
    pub(super) fn number(&mut self) -> &'de str {
        let is_part = |b: &u8| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E');
        let length = self.rest().iter().take_while(|b| is_part(b)).count();
        let start = self.at;
        self.at += length;
        self.text.get(start..self.at).unwrap_or_default()
    }
}
