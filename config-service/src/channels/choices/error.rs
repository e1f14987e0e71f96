//! Why an edit of a name that chooses was not made.

use crate::edit::SyntaxError;
use crate::fault::Fault;
use crate::store::StoreError;

/// Why an edit of a name that chooses was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChoiceError {
    /// The body is not JSON.
    #[error("the body is not valid JSON: {0}")]
    Syntax(#[from] SyntaxError),
    /// The edit violates rules.
    #[error("the model choice is not valid")]
    Invalid(Vec<Fault>),
    /// The name does not choose.
    #[error("there is no model choice with the name `{0}`")]
    NotFound(String),
    /// The name stands in the file.
    #[error(
        "`{0}` comes from the file of --model-choices; edit that and restart the service, or take it out there"
    )]
    InFile(String),
    /// The choice is not in the state that its author knows: it is at this revision, or does not exist.
    #[error("the model choice was edited since it was read")]
    Outdated(Option<u64>),
    /// There is no such revision yet, the name did not choose then, or the history does not go back that far.
    #[error(
        "the model choice has no revision {0} to go back to; choose one that its history lists"
    )]
    UnknownRevision(u64),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The edit was interrupted; whether it was made is unknown.
    #[error("the edit was interrupted")]
    Interrupted,
}

impl ChoiceError {
    /// The faults of the body, if they are why the edit was not made.
    #[must_use]
    pub fn faults(&self) -> Option<Vec<Fault>> {
        match self {
            Self::Invalid(faults) => Some(faults.clone()),
            _ => None,
        }
    }
}
