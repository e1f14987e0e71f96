//! Who makes an edit, and on what they based it.

use std::collections::BTreeSet;

use super::EditError;
use crate::channel::StoredChannel;

/// Who makes an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// Name for the history.
    pub name: String,
    /// What the author knows of the channel.
    pub expects: Expected,
}

/// Which revision of a channel an edit is meant for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expected {
    /// Whichever is stored.
    #[default]
    Any,
    /// One of these.
    OneOf(BTreeSet<u64>),
}

impl Author {
    /// An author whose edits are for whatever is stored.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            expects: Expected::Any,
        }
    }

    /// The same author, who knows the channel as it was at a revision.
    #[must_use]
    pub fn expecting(mut self, revision: u64) -> Self {
        self.expects = Expected::OneOf(BTreeSet::from([revision]));
        self
    }

    /// Refuses when the channel is not what the author knows; `None` stands for a channel that is not
    /// there.
    pub(super) fn check(&self, stored: Option<&StoredChannel>) -> Result<(), EditError> {
        match (&self.expects, stored) {
            (Expected::Any, _) => Ok(()),
            (Expected::OneOf(known), Some(stored)) if known.contains(&stored.revision) => Ok(()),
            (Expected::OneOf(_), stored) => {
                Err(EditError::Outdated(stored.map(|stored| stored.revision)))
            }
        }
    }
}
