//! Base64 of a request's images and files: checked once, then written without a second look.

mod alphabet;

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::{Serialize, Serializer};

use crate::json::Verbatim;
use alphabet::is_base64;

/// Standard base64 without white space; derefs to the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::bedrock) struct Base64<'a>(Cow<'a, str>);

impl<'a> Base64<'a> {
    /// Removes white space, which wrapped base64 has; `None` if what is left is empty or not base64.
    pub(in crate::bedrock) fn parse(data: &'a str) -> Option<Self> {
        if is_base64(data.as_bytes()) {
            return (!data.is_empty()).then_some(Self(data.into()));
        }
        let data: String = data.split_ascii_whitespace().collect();
        (!data.is_empty() && is_base64(data.as_bytes())).then_some(Self(data.into()))
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

#[cfg(test)]
mod tests {
    use super::*;

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
