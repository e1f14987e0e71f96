//! Reads the fields of an entry, and keeps track of those that nobody has read.

use std::collections::BTreeSet;

use bedrock_filter::config::TextFault;
use serde_json::Value;

use super::entries::Entry;
use crate::fault::Fault;

/// The fields of an entry. Faults and losses are gathered in it.
pub(super) struct Fields<'e> {
    entry: &'e Entry,
    read: BTreeSet<&'static str>,
    /// What is wrong.
    pub(super) faults: Vec<Fault>,
    /// What there is no place for here.
    pub(super) losses: Vec<Fault>,
}

impl<'e> Fields<'e> {
    /// The fields of an entry, of which those in `idle` say nothing that matters here.
    pub(super) fn new(entry: &'e Entry, idle: &[&'static str]) -> Self {
        Self {
            entry,
            read: idle.iter().copied().collect(),
            faults: Vec::new(),
            losses: Vec::new(),
        }
    }

    /// A value, unless it is absent or null.
    pub(super) fn get(&mut self, name: &'static str) -> Option<&'e Value> {
        self.read.insert(name);
        self.entry.fields.get(name).filter(|value| !value.is_null())
    }

    /// A text, unless it is absent or empty.
    pub(super) fn text(&mut self, name: &'static str) -> Option<&'e str> {
        let value = self.get(name)?;
        let text = value.as_str();
        if text.is_none() {
            self.fault(name, "invalid_type", "must be a string");
        }
        text.filter(|text| !text.is_empty())
    }

    /// An integer.
    pub(super) fn integer(&mut self, name: &'static str) -> Option<i64> {
        let value = self.get(name)?;
        let number = value.as_i64();
        if number.is_none() {
            self.fault(name, "invalid_type", "must be an integer");
        }
        number
    }

    /// A limit, which cannot be longer than 32 bits or negative.
    pub(super) fn limit(&mut self, name: &'static str) -> Option<u32> {
        let number = self.integer(name)?;
        let limit = u32::try_from(number).ok();
        if limit.is_none() {
            self.fault(name, "out_of_range", "must be 0 to 4294967295");
        }
        limit
    }

    /// A boolean, which some databases write as 0 or 1.
    pub(super) fn flag(&mut self, name: &'static str) -> bool {
        match self.get(name) {
            None => false,
            Some(value) => match (value.as_bool(), value.as_i64()) {
                (Some(flag), _) => flag,
                (_, Some(number @ (0 | 1))) => number == 1,
                _ => {
                    self.fault(name, "invalid_type", "must be true or false, or 1 or 0");
                    false
                }
            },
        }
    }

    /// A text that is fit for a label.
    pub(super) fn label(&mut self, name: &'static str) -> Option<String> {
        let value = self.get(name)?;
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        TextFault::all(&text).is_empty().then_some(text)
    }

    /// Notes a fault of a field.
    pub(super) fn fault(&mut self, name: &str, code: &'static str, message: &str) {
        self.faults.push(self.entry.fault(name, code, message));
    }

    /// Notes that a field cannot be kept, and what to do about it.
    pub(super) fn lose(&mut self, name: &str, message: &str) {
        self.losses
            .push(self.entry.fault(name, "not_kept", message));
    }

    /// Notes every field that says something and that nobody has read. Values are never repeated: some are secret.
    pub(super) fn lose_the_rest(&mut self) {
        let all = self.entry.fields.iter();
        let rest = all.filter(|(name, value)| !self.read.contains(name.as_str()) && says(value));
        let rest: Vec<_> = rest.map(|(name, _)| name.clone()).collect();
        for name in rest {
            let message = "has no counterpart here and would be left out; set what you need of it on the caller \
                           afterwards";
            self.lose(&name, message);
        }
    }
}

/// Whether a value says anything.
fn says(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        // Databases that have no type for it write JSON as text.
        Value::String(text) => !matches!(text.trim(), "" | "{}" | "[]" | "null"),
        Value::Array(list) => !list.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}
