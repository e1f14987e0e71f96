//! Objects inside a channel, such as its credentials: named fields, each at most once.

use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::json::Members;
use super::{names, scalar};
use crate::fault::{Fault, child};

const BROKEN_KEY: &str = "a key has an invalid escape sequence";

/// An object and its position.
pub(crate) struct Object<'a> {
    members: Vec<(String, &'a RawValue)>,
    at: &'a str,
}

impl<'a> Object<'a> {
    /// Reads what is known to be an object. Fields that are not in `known`, or appear twice, are
    /// added to `faults`.
    pub(crate) fn read(
        raw: &'a RawValue,
        at: &'a str,
        known: &[&str],
        faults: &mut Vec<Fault>,
    ) -> Option<Self> {
        let Ok(Members(members)) = serde_json::from_str(raw.get()) else {
            faults.push(Fault::new(at, "invalid_json", BROKEN_KEY));
            return None;
        };
        for (index, (name, _)) in members.iter().enumerate() {
            let at = child(at, name);
            let mut earlier = members.iter().take(index);
            if !known.contains(&name.as_str()) {
                faults.push(names::unknown(name, &at, known));
            } else if earlier.any(|(earlier, _)| earlier == name) {
                faults.push(names::duplicate(&at));
            }
        }
        Some(Self { members, at })
    }

    /// Reads what is known to be an object whose members are named freely. Names that appear twice are added to
    /// `faults`.
    pub(crate) fn named_freely(
        raw: &'a RawValue,
        at: &'a str,
        faults: &mut Vec<Fault>,
    ) -> Option<Self> {
        let Ok(Members(members)) = serde_json::from_str(raw.get()) else {
            faults.push(Fault::new(at, "invalid_json", BROKEN_KEY));
            return None;
        };
        let mut seen = BTreeSet::new();
        for (name, _) in &members {
            if !seen.insert(name) {
                let message = "the key appears more than once; keep one of the entries";
                faults.push(Fault::new(child(at, name), "duplicate_key", message));
            }
        }
        Some(Self { members, at })
    }

    /// All members: name, value and position.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &'a RawValue, String)> {
        let members = self.members.iter();
        members.map(|(name, raw)| (name.as_str(), *raw, self.at_field(name)))
    }

    /// The value of a field and its position.
    pub(crate) fn get(&self, name: &str) -> Option<(&'a RawValue, String)> {
        let (_, raw) = self.members.iter().find(|(key, _)| key == name)?;
        Some((raw, self.at_field(name)))
    }

    /// A required string.
    pub(crate) fn text(&self, name: &str, faults: &mut Vec<Fault>) -> Option<String> {
        let Some((raw, at)) = self.get(name) else {
            faults.push(Fault::new(self.at_field(name), "required", "is required"));
            return None;
        };
        scalar::text(raw, &at, faults)
    }

    /// A string that may be missing, `null` or empty.
    pub(crate) fn optional_text(&self, name: &str, faults: &mut Vec<Fault>) -> Option<String> {
        let (raw, at) = self.get(name)?;
        scalar::nullable_text(raw, &at, faults)?
    }

    fn at_field(&self, name: &str) -> String {
        child(self.at, name)
    }
}
