//! The settings of a channel: what they are called, and how each is read, shown and entered.
//!
//! Edits, reads, forms and the history all go by this list. `credentials` stand apart, because a read does not
//! show what was written.

mod types;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Channel;
use crate::fault::Fault;
use types::SettingType;

/// How a form enters a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A line of text.
    Text,
    /// A whole number.
    Number,
    /// A box to tick.
    Tick,
    /// Texts, one a line.
    Lines,
    /// A map, as a text with a JSON object.
    Map,
    /// A JSON object, or nothing.
    Object,
}

/// A field of a channel that an administrator writes.
pub(crate) struct Setting {
    /// Its name.
    pub(crate) name: &'static str,
    /// How a form enters it.
    pub(crate) input: Input,
    read: fn(&RawValue, &str, &mut Vec<Fault>, &mut Channel) -> bool,
    copy: fn(&Channel, &mut Channel),
    show: fn(&Channel) -> Value,
}

impl Setting {
    /// The setting with this name.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }

    /// Reads a value into a channel; adds a fault and gives `false` where that is not possible.
    pub(crate) fn read(
        &self,
        raw: &RawValue,
        at: &str,
        faults: &mut Vec<Fault>,
        into: &mut Channel,
    ) -> bool {
        (self.read)(raw, at, faults, into)
    }

    /// Gives a channel another's value.
    pub(crate) fn copy(&self, from: &Channel, to: &mut Channel) {
        (self.copy)(from, to);
    }

    /// The value as JSON.
    pub(crate) fn show(&self, channel: &Channel) -> Value {
        (self.show)(channel)
    }
}

/// Makes [`FIELDS`] and [`SETTINGS`]. A field of a channel that is not in the list is a compile error.
macro_rules! settings {
    ($($before:ident)* [credentials] $($after:ident)*) => {
        /// Names of all fields that an administrator writes, in the order in which messages list them.
        pub const FIELDS: &[&str] = &[
            $(stringify!($before),)* "credentials", $(stringify!($after),)*
        ];

        /// All settings.
        pub(crate) const SETTINGS: &[Setting] = &[
            $(settings!(@row $before),)* $(settings!(@row $after),)*
        ];

        const _: fn(&Channel) = |channel| {
            let Channel { $($before: _,)* credentials: _, $($after: _,)* } = channel;
        };
    };
    (@row $field:ident) => {
        Setting {
            name: stringify!($field),
            input: input_of(|channel| &channel.$field),
            read: |raw, at, faults, into| read_into(raw, at, faults, &mut into.$field),
            copy: |from, to| to.$field.clone_from(&from.$field),
            show: |channel| shown(&channel.$field),
        }
    };
}

settings! {
    name
    enabled
    region
    fips
    endpoint
    signer
    priority
    weight
    [credentials]
    models
    allow_model_ids
    model_mapping
    inference_profile_arn_map
    model_families
    api
    model_apis
    guardrail
    cross_region
    retry_with_inference_profile
    unknown_parameters
    first_byte_timeout_seconds
    request_timeout_seconds
}

const fn input_of<T: SettingType>(_: fn(&Channel) -> &T) -> Input {
    T::INPUT
}

fn read_into<T: SettingType>(
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

fn shown(value: &impl Serialize) -> Value {
    // Nothing in a channel has a form that JSON lacks.
    serde_json::to_value(value).unwrap_or_default()
}
