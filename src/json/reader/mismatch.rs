//! Values of another kind than the reader of a text wants.

use std::convert::Infallible;
use std::fmt;

use serde::de::{Deserializer, Expected, Visitor};

use super::Reader;

impl Reader<'_> {
    /// The error for the value that follows, which is not what is expected.
    #[cold]
    pub(super) fn mismatch(&mut self, expected: &dyn Expected) -> serde_json::Error {
        match self.deserialize_any(Nothing(expected)) {
            Ok(never) => match never {},
            Err(error) => error,
        }
    }
}

/// Takes no value of any kind.
struct Nothing<'e>(&'e dyn Expected);

impl Visitor<'_> for Nothing<'_> {
    type Value = Infallible;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One of some words.
pub(super) struct OneOf(pub(super) &'static [&'static str]);

impl Expected for OneOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.0.len().saturating_sub(1);
        for (index, word) in self.0.iter().enumerate() {
            let before = match index {
                0 => "",
                index if index == last => " or ",
                _ => ", ",
            };
            write!(f, "{before}\"{word}\"")?;
        }
        Ok(())
    }
}
