//! Base64 of a request's images and files: checked once, then written without a second look.

use std::borrow::Cow;
use std::fmt;
use std::hint::black_box;
use std::ops::Deref;

use serde::{Serialize, Serializer};

use crate::json::Verbatim;

/// Standard base64 without white space; derefs to the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::bedrock) struct Base64<'a>(Cow<'a, str>);

impl<'a> Base64<'a> {
    /// Takes white space out, which wrapped base64 has; `None` if what is left is empty or no base64.
    pub(in crate::bedrock) fn parse(data: &'a str) -> Option<Self> {
        if is_base64(data) {
            return (!data.is_empty()).then_some(Self(data.into()));
        }
        let data: String = data.split_ascii_whitespace().collect();
        (!data.is_empty() && is_base64(&data)).then_some(Self(data.into()))
    }
}

impl Deref for Base64<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Base64<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Verbatim(self).serialize(serializer)
    }
}

/// Whether there is nothing but base64's own characters.
fn is_base64(data: &str) -> bool {
    let alphabet = Alphabet::new();
    // No early exit and no branch, so that the compiler makes vector instructions of it.
    data.bytes()
        .fold(0, |worst, byte| worst | alphabet.foreignness(byte))
        == 0
}

/// The characters that the alphabet is told by.
///
/// They are hidden from the compiler: V8 makes constants anew each time they are used, and keeps variables
/// in registers.
struct Alphabet {
    lower_case: u8,
    a: u8,
    letters: u8,
    slash: u8,
    digits: u8,
    plus: u8,
    padding: u8,
}

impl Alphabet {
    fn new() -> Self {
        Self {
            lower_case: black_box(0x20),
            a: black_box(b'a'),
            letters: black_box(b'z' - b'a'),
            slash: black_box(b'/'),
            digits: black_box(b'9' - b'/'),
            plus: black_box(b'+'),
            padding: black_box(b'='),
        }
    }

    /// Zero for base64's own characters: how far a byte is from the nearest of them, in a way.
    fn foreignness(&self, byte: u8) -> u8 {
        let letter = (byte | self.lower_case).wrapping_sub(self.a);
        // `/` stands right before the digits.
        let digit = byte.wrapping_sub(self.slash);
        let group = letter
            .saturating_sub(self.letters)
            .min(digit.saturating_sub(self.digits));
        group.min(byte ^ self.plus).min(byte ^ self.padding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_is_that_of_the_standard() {
        // https://www.rfc-editor.org/rfc/rfc4648#section-4, and the padding.
        for byte in 0..=u8::MAX {
            let is_own = byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
            assert_eq!(Alphabet::new().foreignness(byte) == 0, is_own, "{byte}");
        }
    }

    #[test]
    fn white_space_is_taken_out_and_nothing_else_let_in() {
        let parsed = |data: &'static str| Base64::parse(data).map(|data| data.to_string());
        assert_eq!(parsed("AZaz09+/=="), Some("AZaz09+/==".to_owned()));
        assert_eq!(parsed("AA\r\nAA \t="), Some("AAAA=".to_owned()));
        for data in ["", " ", "AA-A", "AA_A", "A\"A", "A\\A", "AAé", "A\u{0}"] {
            assert_eq!(parsed(data), None, "{data}");
        }
        assert!(matches!(
            Base64::parse("AAAA"),
            Some(Base64(Cow::Borrowed(_)))
        ));
    }
}
