//! Counters of a single thread.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::Counters;

/// Counters in memory.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    values: RefCell<BTreeMap<String, Vec<u8>>>,
}

impl Counters for Memory {
    fn update(&self, key: &str, change: &mut dyn FnMut(&mut Vec<u8>)) {
        change(self.values.borrow_mut().entry(key.to_owned()).or_default());
    }
}
