//! What is wrong with a configuration, or suspicious in it.

use serde::Serialize;

use crate::json::Located;

/// A broken rule, or a warning: where, which rule, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
#[error("{}: {message}", if pointer.is_empty() { "/" } else { pointer })]
pub struct Fault {
    /// JSON pointer (RFC 6901) into the document that was checked, for example `/channels/0/region`; empty for the
    /// whole document.
    pub pointer: String,
    /// Stable, machine-readable name of the rule.
    pub code: &'static str,
    /// What is wrong and how to correct it, for a person. Never repeats a secret.
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

    /// The same fault for a document that contains this one's document at `prefix`.
    #[must_use]
    pub fn below(mut self, prefix: &str) -> Self {
        self.pointer.insert_str(0, prefix);
        self
    }

    /// Whether this fault is about `pointer`, something inside it, or something around it.
    #[must_use]
    pub fn touches(&self, pointer: &str) -> bool {
        within(&self.pointer, pointer) || within(pointer, &self.pointer)
    }

    /// A value that is not what it should be.
    pub(super) fn of_value(fault: &Located) -> Self {
        let pointer = fault.pointer();
        // serde's messages repeat the offending value, which must not happen to a secret.
        if pointer.contains("/credentials") {
            return Self::new(
                pointer,
                "invalid_value",
                "is not valid here (the value is hidden); expected {\"type\":\"static\",\
                 \"access_key_id\",\"secret_access_key\",\"session_token\"?} with string values",
            );
        }
        Self::new(pointer, "invalid_value", fault.error.to_string())
    }

    /// A text that is not JSON.
    pub(super) fn of_syntax(words: impl Into<String>) -> Self {
        Self::new("", "invalid_json", words)
    }
}

/// Whether `pointer` is `root` or below it.
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
