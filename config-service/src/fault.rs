//! Faults of a channel as an administrator sees them: where, which rule, what to do.

use bedrock_filter::config::escape_pointer;
use utoipa::ToSchema;

pub use bedrock_filter::config::Fault;

/// Faults that an answer lists. A body of a megabyte can have tens of thousands, each longer than what is wrong.
pub const LISTED: usize = 100;

/// A broken rule, or a warning: where, which rule, and what to do. The schema of [`Fault`], which is the
/// filter's.
#[derive(ToSchema)]
#[schema(as = Fault)]
#[expect(dead_code, reason = "it describes a type of another crate")]
pub(crate) struct FaultSchema {
    /// JSON pointer (RFC 6901) into the body that was sent; empty for the whole body.
    pointer: String,
    /// Stable, machine-readable name of the rule.
    code: String,
    /// What is wrong and what would be right, for a person. Never repeats a secret.
    message: String,
}

/// Another channel has the name.
pub(crate) fn name_taken() -> Fault {
    Fault::new("/name", "name_taken", "another channel has this name")
}

/// Leaves the first faults, as many as an answer lists; gives how many there were.
pub(crate) fn cap(faults: &mut Vec<Fault>) -> usize {
    let count = faults.len();
    faults.truncate(LISTED);
    count
}

/// Appends one reference token to a JSON pointer (RFC 6901, section 3).
pub(crate) fn child(pointer: &str, token: &str) -> String {
    format!("{pointer}/{}", escape_pointer(token))
}

/// The reference tokens of a JSON pointer.
pub(crate) fn parts(pointer: &str) -> Vec<String> {
    let parts = pointer.split('/').skip(1);
    parts
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect()
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
}
