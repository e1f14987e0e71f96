//! Why an edit of callers was not made.

use crate::fault::{self, Fault};
use crate::reader::SyntaxError;
use crate::store::StoreError;

/// Why an edit of callers was not made.
#[derive(Debug, thiserror::Error)]
pub enum CallerError {
    /// The body is not JSON.
    #[error("the body is not valid JSON: {0}")]
    Syntax(#[from] SyntaxError),
    /// The edit violates rules.
    #[error("the caller is not valid")]
    Invalid(Vec<Fault>),
    /// The export of another gateway cannot be taken over as it is.
    #[error("the export cannot be taken over as it is")]
    Export(Vec<Fault>),
    /// Another caller has the name.
    #[error("another caller has the name `{0}`")]
    NameTaken(String),
    /// There is no caller with that id.
    #[error("there is no caller with the id `{0}`")]
    NotFound(String),
    /// The caller has no key with that id.
    #[error("the caller has no key with the id `{0}`")]
    NoKey(String),
    /// The caller is not in the state that its author knows: it is at this revision, or does not exist.
    #[error("the caller was edited since it was read")]
    Outdated(Option<u64>),
    /// There is no such revision yet, the caller did not exist at it, or the history does not go back that far.
    #[error("the caller has no revision {0} to go back to; choose one that its history lists")]
    UnknownRevision(u64),
    /// The system provides no random numbers.
    #[error("the system provides no random numbers")]
    Random(#[from] getrandom::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The edit was interrupted; whether it was made is unknown.
    #[error("the edit was interrupted")]
    Interrupted,
}

impl CallerError {
    /// The faults of the body, if they are why the edit was not made.
    #[must_use]
    pub fn faults(&self) -> Option<Vec<Fault>> {
        match self {
            Self::Invalid(faults) => Some(faults.clone()),
            Self::NameTaken(_) => Some(vec![fault::name_taken("caller")]),
            _ => None,
        }
    }
}
