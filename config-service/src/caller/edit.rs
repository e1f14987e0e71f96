//! What an administrator says about a caller; every fault is reported at once.

use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::Caller;
use super::settings::{FIELDS, SETTINGS};
use crate::fault::{self, Fault, child};
use crate::reader::{self, Kind, SyntaxError};

/// What a body says about a caller.
#[derive(Debug, Default)]
pub struct CallerEdit {
    id: Option<String>,
    /// The settings in the body, by name; a faulty one counts as left out.
    said: BTreeSet<&'static str>,
    /// A caller that has them.
    values: Caller,
}

/// What happens to fields that a body leaves out.
#[derive(Clone, Copy, Debug)]
pub enum Fill<'a> {
    /// They get their defaults; the name is required.
    Defaults,
    /// They are kept.
    Keep(&'a Caller),
}

impl CallerEdit {
    /// Reads a body. Faults of its fields are added to `faults`.
    ///
    /// # Errors
    ///
    /// When the body is not well-formed JSON in UTF-8.
    pub fn parse(body: &[u8], faults: &mut Vec<Fault>) -> Result<Self, SyntaxError> {
        let mut edit = Self::default();
        reader::fields(body, faults, |name, raw, faults| {
            edit.read_field(name, raw, faults);
        })?;
        Ok(edit)
    }

    /// Adds a fault if the body is about a caller other than `id`, which is `None` for a new one.
    pub fn check_id(&self, id: Option<&str>, faults: &mut Vec<Fault>) {
        fault::check_id("caller", (self.id.as_deref(), id), faults);
    }

    /// Gives the caller this name; adds a fault if the body gives it another.
    pub fn check_name(&mut self, name: &str, faults: &mut Vec<Fault>) {
        if self.said.insert("name") {
            name.clone_into(&mut self.values.name);
        } else if self.values.name != name {
            faults.push(fault::name_mismatch("caller"));
        }
    }

    /// The caller that results.
    pub fn apply(self, fill: Fill<'_>, faults: &mut Vec<Fault>) -> Caller {
        let mut caller = match fill {
            Fill::Defaults => Caller::default(),
            Fill::Keep(stored) => stored.clone(),
        };
        let is_faulty = || faults.iter().any(|fault| fault.touches("/name"));
        if matches!(fill, Fill::Defaults) && !self.said.contains("name") && !is_faulty() {
            faults.push(Fault::new("/name", "required", "is required"));
        }
        for setting in SETTINGS.iter().filter(|own| self.said.contains(own.name)) {
            setting.copy(&self.values, &mut caller);
        }
        caller
    }

    fn read_field(&mut self, name: &str, raw: &RawValue, faults: &mut Vec<Fault>) {
        let at = child("", name);
        if let Some(setting) = SETTINGS.iter().find(|own| own.name == name) {
            if setting.read(raw, &at, faults, &mut self.values) {
                self.said.insert(setting.name);
            }
            return;
        }
        match name {
            // What a read adds, so that it can be sent back as a body.
            "id" => self.id = reader::text(raw, &at, faults),
            "revision" => reader::read_only(raw, Kind::Number, &at, faults),
            "created_at" | "updated_at" | "last_used_at" => {
                reader::read_only(raw, Kind::String, &at, faults)
            }
            "keys" => reader::read_only(raw, Kind::Array, &at, faults),
            _ => faults.push(reader::unknown(name, &at, FIELDS)),
        }
    }
}
