//! Where in a text a value is not what it should be.

use std::fmt::Write as _;

/// A step from a value to one inside it.
#[derive(Debug)]
enum Step {
    Member(String),
    Element(usize),
}

/// The steps to a value, the last one first: they are noted while an error leaves the readers.
#[derive(Debug, Default)]
pub(super) struct Trail(Vec<Step>);

/// What is wrong with a value, and where it is.
#[derive(Debug)]
pub struct Located {
    trail: Trail,
    /// What is wrong; its line and column mean nothing.
    pub error: serde_json::Error,
}

impl Located {
    /// Where, such as `messages[0].role`; empty for the whole text.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = String::new();
        for step in self.trail.0.iter().rev() {
            // Writing to a `String` cannot fail.
            let _ = match step {
                Step::Member(name) if path.is_empty() => write!(path, "{name}"),
                Step::Member(name) => write!(path, ".{name}"),
                Step::Element(index) => write!(path, "[{index}]"),
            };
        }
        path
    }

    /// The same as a JSON pointer.
    #[must_use]
    pub fn pointer(&self) -> String {
        let steps = self.trail.0.iter().rev().map(|step| match step {
            Step::Member(name) => format!("/{}", escape_pointer(name)),
            Step::Element(index) => format!("/{index}"),
        });
        steps.collect()
    }
}

/// Escapes one reference token of a JSON pointer (RFC 6901, section 3).
#[must_use]
pub fn escape_pointer(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

impl Trail {
    /// It is inside a member; the name is as in the text, with its quotes.
    #[cold]
    pub(super) fn member(&mut self, name: &str) {
        let text = if name.contains('\\') {
            serde_json::from_str(name).ok()
        } else {
            let inside = name.get(1..name.len().saturating_sub(1));
            inside.map(str::to_owned)
        };
        self.0.push(Step::Member(text.unwrap_or_default()));
    }

    /// It is inside an element.
    #[cold]
    pub(super) fn element(&mut self, index: usize) {
        self.0.push(Step::Element(index));
    }

    pub(super) fn located(self, error: serde_json::Error) -> Located {
        Located { trail: self, error }
    }
}
