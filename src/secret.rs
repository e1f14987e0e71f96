//! The wrapper that keeps secrets out of logs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A value that must not be shown: it has no `Display`, and `Debug` prints a placeholder.
///
/// It serialises unchanged: in clear, or sealed (see [`crate::seal`]).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The secret itself. Callers pass it on to signing or sealing and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("** redacted **")
    }
}
