//! Why an edit was not made.

use crate::fault::{self, Fault};
use crate::reader::SyntaxError;
use crate::store::StoreError;

/// Why an edit was not made.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The body is not JSON.
    #[error("the body is not valid JSON: {0}")]
    Syntax(#[from] SyntaxError),
    /// The edit breaks rules.
    #[error("the channel is not valid")]
    Invalid(Vec<Fault>),
    /// Another channel has the name.
    #[error("another channel has the name `{0}`")]
    NameTaken(String),
    /// There is no channel with that id.
    #[error("there is no channel with the id `{0}`")]
    NotFound(String),
    /// The channel is not what its author knows: it is at this revision, or it does not exist.
    #[error("the channel was edited since it was read")]
    Outdated(Option<u64>),
    /// The channel did not exist at that revision, or the history does not reach back so far.
    #[error("the history has no such channel at revision {0}")]
    UnknownRevision(u64),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The edit was cut short; whether it was made is unknown.
    #[error("the edit was interrupted")]
    Interrupted,
}

impl EditError {
    /// What is wrong with the body, if that is why the edit was not made.
    #[must_use]
    pub fn faults(&self) -> Option<Vec<Fault>> {
        match self {
            Self::Invalid(faults) => Some(faults.clone()),
            Self::NameTaken(_) => Some(vec![fault::name_taken()]),
            _ => None,
        }
    }
}
