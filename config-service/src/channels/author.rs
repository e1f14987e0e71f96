//! Who makes an edit, and which state they based it on.

use std::collections::BTreeSet;

use super::EditError;
use crate::channel::StoredChannel;

/// Who makes an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// Name for the history.
    pub name: String,
    /// The state of the channel that the author knows.
    pub expects: Expected,
}

/// Which revisions of a channel an edit is meant for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expected {
    /// Any.
    #[default]
    Any,
    /// One of these.
    OneOf(BTreeSet<u64>),
}

impl Author {
    /// An author whose edits apply to whatever is stored.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            expects: Expected::Any,
        }
    }

    /// The same author, who knows the channel as of a revision.
    #[must_use]
    pub fn expecting(mut self, revision: u64) -> Self {
        self.expects = Expected::OneOf(BTreeSet::from([revision]));
        self
    }

    /// Refuses if the channel is not in the state that the author knows; `None` means that there is
    /// no such channel.
    pub(super) fn check(&self, stored: Option<&StoredChannel>) -> Result<(), EditError> {
        let revision = stored.map(|stored| stored.revision);
        self.check_revision(revision, EditError::Outdated)
    }

    /// The same for anything that has a revision; `None` means that there is no such thing.
    pub(super) fn check_revision(
        &self,
        revision: Option<u64>,
        outdated: fn(Option<u64>) -> EditError,
    ) -> Result<(), EditError> {
        if self.expects.admits(revision) {
            Ok(())
        } else {
            Err(outdated(revision))
        }
    }
}

impl Expected {
    /// Whether an edit is meant for a state; `None` means that there is nothing to edit.
    pub(crate) fn admits(&self, revision: Option<u64>) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(known) => revision.is_some_and(|revision| known.contains(&revision)),
        }
    }
}
