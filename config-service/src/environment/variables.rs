//! The environment's variables, and which of them describe channels.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use super::EnvironmentError;

/// What follows `BEDROCK_`, or a name and `_`: base URL, models, map.
pub(super) const FIELDS: [&str; 3] = ["BASE_URL", "MODELS", "INFERENCE_PROFILE_ARN_MAP"];

const PREFIX: &str = "BEDROCK_";

/// A copy of the environment. It contains secrets, so it cannot be printed.
pub(crate) struct Variables(BTreeMap<String, OsString>);

impl Variables {
    /// The environment of this process.
    pub(crate) fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    /// The value of a variable; an empty one counts as not set.
    pub(super) fn get(&self, name: &str) -> Result<Option<&str>, EnvironmentError> {
        let Some(value) = self.0.get(name).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        let value = value.to_str();
        let value = value.ok_or_else(|| EnvironmentError::NotUtf8(name.to_owned()))?;
        let value = value.trim();
        let is_quoted =
            |quote: char| value.len() > 1 && value.starts_with(quote) && value.ends_with(quote);
        if is_quoted('"') || is_quoted('\'') {
            return Err(EnvironmentError::Quoted(name.to_owned()));
        }
        Ok(Some(value).filter(|value| !value.is_empty()))
    }

    /// The first of these that is set, with its value.
    pub(super) fn first<'a>(
        &'a self,
        names: &[&'a str],
    ) -> Result<Option<(&'a str, &'a str)>, EnvironmentError> {
        for &name in names {
            if let Some(value) = self.get(name)? {
                return Ok(Some((name, value)));
            }
        }
        Ok(None)
    }

    /// The names of channels between `BEDROCK_` and a field; empty for fields without one.
    pub(super) fn channels(&self) -> Result<BTreeSet<String>, EnvironmentError> {
        let mut names = BTreeSet::new();
        for variable in self.0.keys() {
            let Some(name) = name_in(variable) else {
                continue;
            };
            if self.get(variable)?.is_none() {
                continue;
            }
            if !name.is_empty() && !is_name(name) {
                return Err(EnvironmentError::Name(variable.clone()));
            }
            names.insert(name.to_owned());
        }
        Ok(names)
    }
}

impl FromIterator<(OsString, OsString)> for Variables {
    /// Variables whose names are not text are nobody's here.
    fn from_iter<T: IntoIterator<Item = (OsString, OsString)>>(variables: T) -> Self {
        let named = variables.into_iter();
        let named = named.filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self(named.collect())
    }
}

/// The variable with a channel's field.
pub(super) fn name_of(channel: &str, field: &str) -> String {
    match channel {
        "" => format!("{PREFIX}{field}"),
        channel => format!("{PREFIX}{channel}_{field}"),
    }
}

/// The channel's name in a variable, if the variable describes one.
fn name_in(variable: &str) -> Option<&str> {
    let rest = variable.strip_prefix(PREFIX)?;
    FIELDS
        .iter()
        .find_map(|field| match rest.strip_suffix(field)? {
            "" => Some(""),
            name => name.strip_suffix('_'),
        })
}

fn is_name(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric());
    text.len() <= 64 && text.split('_').all(is_word)
}
