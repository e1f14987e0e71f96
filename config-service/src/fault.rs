//! Faults of a channel as an administrator sees them: where, which rule, what to do.

use bedrock_filter::config::escape_pointer;
use utoipa::ToSchema;

pub use bedrock_filter::config::Fault;

/// The most faults that an answer lists. A one-megabyte body can have tens of thousands, each longer than the
/// text that it is about.
pub const LISTED: usize = 100;

/// A violated rule, or a warning: where, which rule, and what to do. The schema of the filter's [`Fault`].
#[derive(ToSchema)]
#[schema(as = Fault)]
#[expect(dead_code, reason = "it describes a type of another crate")]
pub(crate) struct FaultSchema {
    /// JSON pointer (RFC 6901) into the request body; empty for the whole body.
    pointer: String,
    /// Stable, machine-readable name of the rule.
    code: String,
    /// What is wrong and how to correct it, for a person. Never repeats a secret.
    message: String,
}

/// Adds a fault if a body about a `what` says another id than the path's; a new one has none in its path.
pub(crate) fn check_id(
    what: &str,
    (said, path): (Option<&str>, Option<&str>),
    faults: &mut Vec<Fault>,
) {
    let message = match (said, path) {
        (None, _) => return,
        (Some(said), Some(id)) if said == id => return,
        (Some(_), Some(_)) => {
            format!("is not the id in the path; this body belongs to another {what}")
        }
        (Some(_), None) => {
            format!("is assigned by the config-service to a new {what}; leave it out")
        }
    };
    faults.push(Fault::new("/id", "id_mismatch", message));
}

/// The body gives a `what` another name than the path does.
pub(crate) fn name_mismatch(what: &str) -> Fault {
    let message = format!("is not the name in the path; PUT /api/{what}s/{{id}} renames a {what}");
    Fault::new("/name", "name_mismatch", message)
}

/// Another one of these has the name.
pub(crate) fn name_taken(what: &str) -> Fault {
    let message = format!("another {what} has this name; choose another");
    Fault::new("/name", "name_taken", message)
}

/// Keeps the first faults, as many as an answer lists; returns how many there were.
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
