//! What administrators can write: names of fields, and how each is read, shown and entered.

mod types;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::openapi::Schema;

use crate::fault::Fault;
pub(crate) use types::{SettingType, map, words};

/// How a form enters a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A line of text.
    Text,
    /// A whole number.
    Number,
    /// A checkbox.
    Tick,
    /// A text area with one string per line.
    Lines,
    /// A map, as text with a JSON object.
    Map,
    /// A JSON object, or nothing.
    Object,
}

/// Which values of its type a setting accepts, for the API's document; the filter's own rules enforce
/// it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    /// A range of numbers.
    Range(u32, u32),
    /// A regular expression.
    Pattern(&'static str),
}

/// A field of `S` that an administrator can write.
pub(crate) struct Setting<S> {
    /// Its name.
    pub(crate) name: &'static str,
    /// How a form enters it.
    pub(crate) input: Input,
    /// What it is, for the API's document.
    pub(crate) meaning: &'static str,
    pub(crate) limit: Option<Limit>,
    pub(crate) schema: fn() -> Schema,
    pub(crate) read: fn(&RawValue, &str, &mut Vec<Fault>, &mut S) -> bool,
    pub(crate) copy: fn(&S, &mut S),
    pub(crate) show: fn(&S) -> Value,
}

impl<S> Setting<S> {
    /// Reads a value into `into`; adds a fault and returns `false` if it cannot.
    pub(crate) fn read(
        &self,
        raw: &RawValue,
        at: &str,
        faults: &mut Vec<Fault>,
        into: &mut S,
    ) -> bool {
        (self.read)(raw, at, faults, into)
    }

    /// Copies the value from another.
    pub(crate) fn copy(&self, from: &S, to: &mut S) {
        (self.copy)(from, to);
    }

    /// The value as JSON.
    pub(crate) fn show(&self, of: &S) -> Value {
        (self.show)(of)
    }

    /// What its values look like, for the API's document.
    pub(crate) fn schema(&self, defaults: &S) -> Schema {
        let description = Some(self.meaning.trim().to_owned());
        // An empty text is a placeholder for required values.
        let default = Some(self.show(defaults)).filter(|value| *value != "");
        let mut schema = (self.schema)();
        match &mut schema {
            Schema::Object(own) => {
                (own.description, own.default) = (description, default);
                match self.limit {
                    Some(Limit::Range(least, most)) => {
                        own.minimum = Some(least.into());
                        own.maximum = Some(most.into());
                    }
                    Some(Limit::Pattern(pattern)) => own.pattern = Some(pattern.to_owned()),
                    None => {}
                }
            }
            Schema::Array(own) => (own.description, own.default) = (description, default),
            Schema::OneOf(own) => (own.description, own.default) = (description, default),
            _ => {}
        }
        schema
    }
}

/// The row of a field, with what it means and perhaps a [`Limit`].
macro_rules! row {
    ($subject:ty, $field:ident, $meaning:expr $(, $limit:expr)?) => {
        $crate::setting::Setting::<$subject> {
            name: $crate::setting::unraw(stringify!($field)),
            input: $crate::setting::input_of(|own: &$subject| &own.$field),
            meaning: $meaning,
            limit: [$(Some($limit),)? None][0],
            schema: || $crate::setting::schema_of(|own: &$subject| &own.$field),
            read: |raw, at, faults, into| $crate::setting::read_into(raw, at, faults, &mut into.$field),
            copy: |from, to| to.$field.clone_from(&from.$field),
            show: |own| $crate::setting::shown(&own.$field),
        }
    };
}

pub(crate) use row;

/// A field's name as JSON has it: `r#match` is a keyword in Rust alone.
pub(crate) const fn unraw(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

pub(crate) const fn input_of<S, T: SettingType>(_: fn(&S) -> &T) -> Input {
    T::INPUT
}

pub(crate) fn schema_of<S, T: SettingType>(_: fn(&S) -> &T) -> Schema {
    T::schema()
}

pub(crate) fn read_into<T: SettingType>(
    raw: &RawValue,
    at: &str,
    faults: &mut Vec<Fault>,
    field: &mut T,
) -> bool {
    let value = T::read(raw, at, faults);
    let is_read = value.is_some();
    if let Some(value) = value {
        *field = value;
    }
    is_read
}

/// A value as JSON.
pub(crate) fn shown(value: &impl Serialize) -> Value {
    // Every value that administrators write can be represented in JSON.
    serde_json::to_value(value).unwrap_or_default()
}
