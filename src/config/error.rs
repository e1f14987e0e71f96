//! Faults of a plugin configuration.

use std::fmt::Write as _;

/// Why a plugin configuration is refused, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", if path.is_empty() { "/" } else { path })]
pub struct ConfigError {
    /// JSON pointer (RFC 6901) to the fault, for example `/channels/0/region`; empty for the
    /// whole document.
    pub path: String,
    /// Stable, machine-readable name of the rule that was broken.
    pub code: &'static str,
    /// What is wrong and what would be right, for a person.
    pub reason: String,
}

impl ConfigError {
    /// A fault at `path` that breaks the rule `code`.
    #[must_use]
    pub fn new(path: impl Into<String>, code: &'static str, reason: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            code,
            reason: reason.into(),
        }
    }

    /// The same fault of a document in which this one's stands at `prefix`.
    #[must_use]
    pub fn below(mut self, prefix: &str) -> Self {
        self.path.insert_str(0, prefix);
        self
    }

    pub(super) fn from_fault(fault: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let path = pointer(fault.path());
        let code = if fault.inner().is_data() {
            "invalid_value"
        } else {
            "invalid_json"
        };
        // serde's messages repeat the offending value, which must not happen to a secret.
        if path.contains("/credentials") {
            return Self::new(
                path,
                code,
                "is not valid here (the value is hidden); expected {\"type\":\"static\",\
                 \"access_key_id\",\"secret_access_key\",\"session_token\"?} with string values",
            );
        }
        Self::new(path, code, fault.inner().to_string())
    }
}

/// Renders a deserialisation path as a JSON pointer.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => {
                let _ = write!(pointer, "/{index}");
            }
            Segment::Map { key } => {
                let _ = write!(pointer, "/{}", escape_pointer(key));
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// Escapes one reference token of a JSON pointer (RFC 6901, section 3).
#[must_use]
pub fn escape_pointer(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}
