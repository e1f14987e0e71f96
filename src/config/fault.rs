//! What is wrong with a configuration, or suspicious in it.

use std::fmt::Write as _;

use serde::Serialize;

/// A broken rule, or a warning: where, which rule, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
#[error("{}: {message}", if pointer.is_empty() { "/" } else { pointer })]
pub struct Fault {
    /// JSON pointer (RFC 6901) into the document that was judged, for example `/channels/0/region`; empty for
    /// the whole document.
    pub pointer: String,
    /// Stable, machine-readable name of the rule.
    pub code: &'static str,
    /// What is wrong and what would be right, for a person. Never repeats a secret.
    pub message: String,
}

impl Fault {
    /// A fault at `pointer` that breaks the rule `code`.
    #[must_use]
    pub fn new(pointer: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code,
            message: message.into(),
        }
    }

    /// The same fault of a document in which this one's stands at `prefix`.
    #[must_use]
    pub fn below(mut self, prefix: &str) -> Self {
        self.pointer.insert_str(0, prefix);
        self
    }

    /// Whether this fault is about `pointer` or something that contains or is contained in it.
    #[must_use]
    pub fn touches(&self, pointer: &str) -> bool {
        within(&self.pointer, pointer) || within(pointer, &self.pointer)
    }

    pub(super) fn of_serde(fault: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let pointer = pointer_of(fault.path());
        let code = if fault.inner().is_data() {
            "invalid_value"
        } else {
            "invalid_json"
        };
        // serde's messages repeat the offending value, which must not happen to a secret.
        if pointer.contains("/credentials") {
            return Self::new(
                pointer,
                code,
                "is not valid here (the value is hidden); expected {\"type\":\"static\",\
                 \"access_key_id\",\"secret_access_key\",\"session_token\"?} with string values",
            );
        }
        Self::new(pointer, code, fault.inner().to_string())
    }
}

/// Renders a deserialisation path as a JSON pointer.
fn pointer_of(path: &serde_path_to_error::Path) -> String {
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

/// Whether `pointer` is `root` or lies below it.
fn within(pointer: &str, root: &str) -> bool {
    pointer
        .strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_touches_its_own_subtree_and_its_parents_only() {
        let fault = Fault::new("/models/0", "c", "m");
        for (pointer, touched) in [
            ("/models", true),
            ("/models/0", true),
            ("/models/0/x", true),
            ("/models/01", false),
            ("/model", false),
            ("", true),
        ] {
            assert_eq!(fault.touches(pointer), touched, "{pointer}");
        }
    }
}
