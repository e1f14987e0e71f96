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
    fn update(&self, key: &str, change: &mut dyn FnMut(Option<&[u8]>) -> Vec<u8>) {
        let mut values = self.values.borrow_mut();
        let new = change(values.get(key).map(Vec::as_slice));
        values.insert(key.to_owned(), new);
    }
}
