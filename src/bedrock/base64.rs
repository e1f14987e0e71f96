//! Base64 of a request's images and files: checked once, then written without a second look.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::{Serialize, Serializer};

use crate::json::Verbatim;

/// Standard base64 without white space; derefs to the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Base64<'a>(Cow<'a, str>);

impl<'a> Base64<'a> {
    /// Takes white space out, which wrapped base64 has; `None` if what is left is empty or no base64.
    pub(super) fn parse(data: &'a str) -> Option<Self> {
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
    // No early exit and no branch, so that the compiler makes vector instructions of it.
    data.bytes()
        .fold(0, |worst, byte| worst | foreignness(byte))
        == 0
}

/// Zero for base64's own characters: how far a byte is from the nearest of them, in a way.
fn foreignness(byte: u8) -> u8 {
    let letter = (byte | 0x20).wrapping_sub(b'a').saturating_sub(25);
    // `/` stands right before the digits.
    let digit = byte.wrapping_sub(b'/').saturating_sub(10);
    letter.min(digit).min(byte ^ b'+').min(byte ^ b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_is_that_of_the_standard() {
        // https://www.rfc-editor.org/rfc/rfc4648#section-4, and the padding.
        for byte in 0..=u8::MAX {
            let is_own = byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
            assert_eq!(foreignness(byte) == 0, is_own, "{byte}");
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
