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
    /// The edit violates rules.
    #[error("the channel is not valid")]
    Invalid(Vec<Fault>),
    /// Another channel has the name.
    #[error("another channel has the name `{0}`")]
    NameTaken(String),
    /// There is no channel with that id.
    #[error("there is no channel with the id `{0}`")]
    NotFound(String),
    /// The channel is not in the state that its author knows: it is at this revision, or does
    /// not exist.
    #[error("the channel was edited since it was read")]
    Outdated(Option<u64>),
    /// The credential violates rules, or a channel that uses it would.
    #[error("the credential is not valid")]
    InvalidCredential(Vec<Fault>),
    /// There is no credential with that name.
    #[error("there is no credential with the name `{0}`")]
    UnknownCredential(String),
    /// There is no caller with that name.
    #[error("there is no caller with the name `{0}`")]
    UnknownCaller(String),
    /// Channels use the credential.
    #[error("the credential `{name}` is used by the channels {}; change those first", channels.join(", "))]
    CredentialInUse {
        /// Its name.
        name: String,
        /// Their names.
        channels: Vec<String>,
    },
    /// The credential is not in the state that its author knows: it is at this revision, or does not exist.
    #[error("the credential was edited since it was read")]
    CredentialOutdated(Option<u64>),
    /// There is no such revision yet, the channel did not exist at it, or the history does not go back that far.
    #[error("there is no revision {0} to go back to; choose one that its history lists")]
    UnknownRevision(u64),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The edit was interrupted; whether it was made is unknown.
    #[error("the edit was interrupted")]
    Interrupted,
}

impl EditError {
    /// The faults of the body, if they are why the edit was not made.
    #[must_use]
    pub fn faults(&self) -> Option<Vec<Fault>> {
        match self {
            Self::Invalid(faults) | Self::InvalidCredential(faults) => Some(faults.clone()),
            Self::NameTaken(_) => Some(vec![fault::name_taken("channel")]),
            _ => None,
        }
    }
}
