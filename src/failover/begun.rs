//! An answer that has begun: the client gets it, whatever becomes of it.

use std::cell::Cell;
use std::rc::Rc;

use super::picker::ChannelPicker;
use crate::health::{Seen, Trouble};

/// Shared by both stages of a request until its answer has ended. It does not keep the request in memory.
#[derive(Debug)]
pub struct BegunAnswer {
    picker: Rc<ChannelPicker>,
    /// What the beginning has shown of the channel.
    seen: Seen,
    has_ended: Cell<bool>,
}

impl BegunAnswer {
    pub(super) fn new(picker: &Rc<ChannelPicker>, seen: Seen) -> Self {
        Self {
            picker: Rc::clone(picker),
            seen,
            has_ended: Cell::new(false),
        }
    }

    /// Whether its end has not come yet.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.has_ended.get()
    }

    /// It has ended: well, or in trouble that its beginning did not show. The first end counts.
    pub fn ended(&self, trouble: Option<Trouble>) {
        if !self.has_ended.replace(true) && trouble.is_some() {
            let seen = Seen {
                trouble,
                ..self.seen.clone()
            };
            self.picker.seen.borrow_mut().push(seen);
        }
    }
}
