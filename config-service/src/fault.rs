//! Faults of a channel as an administrator sees them: where, which rule, what to do.

use serde::Serialize;
use utoipa::ToSchema;

/// Faults that an answer lists. A body of a megabyte can have tens of thousands, each longer than what is wrong.
pub const LISTED: usize = 100;

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct Fault {
    /// JSON pointer (RFC 6901) into the body that was sent; empty for the whole body.
    pub pointer: String,
    /// Stable, machine-readable name of the rule.
    pub code: &'static str,
    /// What is wrong and what would be right, for a person. Never repeats a secret.
    pub message: String,
}

impl Fault {
    /// A fault at `pointer` that breaks the rule `code`.
    pub fn new(pointer: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code,
            message: message.into(),
        }
    }

    /// Another channel has the name.
    #[must_use]
    pub fn name_taken() -> Self {
        Self::new("/name", "name_taken", "another channel has this name")
    }

    /// Whether this fault is about `pointer` or something that contains or is contained in it.
    pub(crate) fn touches(&self, pointer: &str) -> bool {
        within(&self.pointer, pointer) || within(pointer, &self.pointer)
    }
}

/// Leaves the first faults, as many as an answer lists; gives how many there were.
pub(crate) fn cap(faults: &mut Vec<Fault>) -> usize {
    let count = faults.len();
    faults.truncate(LISTED);
    count
}

/// Appends one reference token to a JSON pointer (RFC 6901, section 3).
pub(crate) fn child(pointer: &str, token: &str) -> String {
    format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1"))
}

/// The reference tokens of a JSON pointer.
pub(crate) fn parts(pointer: &str) -> Vec<String> {
    let parts = pointer.split('/').skip(1);
    parts
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect()
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
    fn pointers_escape_tilde_and_slash() {
        assert_eq!(child("/m", "a/b~c"), "/m/a~1b~0c");
        assert_eq!(child("/m", ""), "/m/");
        assert_eq!(parts("/m/a~1b~0c"), ["m", "a/b~c"]);
        assert!(parts("").is_empty());
    }

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
