//! The settings of a channel: what they are called, and how each is read, shown and entered.
//!
//! Edits, reads, forms and the history all go by this list. `credentials` stand apart, because a read does not
//! show what was written.

mod schema;
mod types;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::openapi::Schema;

use super::Channel;
use crate::fault::Fault;
pub(crate) use schema::ChannelEdit;

use bedrock_filter::config::{MAX_TIMEOUT_SECONDS, MAX_WEIGHT};
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
    /// A text area with one text per line.
    Lines,
    /// A map, as a text with a JSON object.
    Map,
    /// A JSON object, or nothing.
    Object,
}

/// Which values of a type a setting takes, for the API's document; the filter's own rules hold it.
#[derive(Clone, Copy, Debug)]
enum Limit {
    /// From one number to another.
    Range(u32, u32),
    /// A regular expression.
    Pattern(&'static str),
}

/// A field of a channel that an administrator writes.
pub(crate) struct Setting {
    /// Its name.
    pub(crate) name: &'static str,
    /// How a form enters it.
    pub(crate) input: Input,
    /// What it is, for the API's document.
    meaning: &'static str,
    limit: Option<Limit>,
    schema: fn() -> Schema,
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
    (
        $($(#[doc = $before_doc:literal])+ $before:ident $(($before_limit:expr))?;)+
        [credentials]
        $($(#[doc = $after_doc:literal])+ $after:ident $(($after_limit:expr))?;)+
    ) => {
        /// Names of all fields that an administrator writes, in the order in which messages list them.
        pub const FIELDS: &[&str] = &[
            $(stringify!($before),)+ "credentials", $(stringify!($after),)+
        ];

        /// All settings.
        pub(crate) static SETTINGS: &[Setting] = &[
            $(settings!(@row $before, concat!($($before_doc),+) $(, $before_limit)?),)+
            $(settings!(@row $after, concat!($($after_doc),+) $(, $after_limit)?),)+
        ];

        const _: fn(&Channel) = |channel| {
            let Channel { $($before: _,)+ credentials: _, $($after: _,)+ } = channel;
        };
    };
    (@row $field:ident, $meaning:expr $(, $limit:expr)?) => {
        Setting {
            name: stringify!($field),
            input: input_of(|channel| &channel.$field),
            meaning: $meaning,
            limit: [$(Some($limit),)? None][0],
            schema: || schema_of(|channel| &channel.$field),
            read: |raw, at, faults, into| read_into(raw, at, faults, &mut into.$field),
            copy: |from, to| to.$field.clone_from(&from.$field),
            show: |channel| shown(&channel.$field),
        }
    };
}

settings! {
    /// Unique name.
    name(Limit::Pattern("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"));
    /// A disabled channel is kept but serves nothing.
    enabled;
    /// AWS region that is dialled and signed for.
    region;
    /// Dial the region's FIPS host. No effect next to `endpoint`.
    fips;
    /// Origin to dial instead of the region's public host. Another scheme, host or port needs the
    /// credentials in the same edit.
    endpoint;
    /// Who signs: the filter, or Envoy.
    signer;
    /// With failover, channels with a lower number are tried first.
    priority;
    /// With failover, share of the requests among channels of one priority.
    weight(Limit::Range(1, MAX_WEIGHT));
    [credentials]
    /// Names that the channel serves. Empty: every name that it maps, and what `allow_model_ids` adds.
    models;
    /// What clients may ask for besides mapped names, where `models` is empty.
    allow_model_ids;
    /// The name that a client sends to another name.
    model_mapping;
    /// Name to inference profile ARN, or any other model ARN or id.
    inference_profile_arn_map;
    /// Name or ARN to model family, for ARNs and names that do not say what they are.
    model_families;
    /// Which of Bedrock's APIs is called.
    api;
    /// Name to API, for single models.
    model_apis;
    /// For requests that name no guardrail themselves.
    guardrail;
    /// Inference profiles of models from the catalogue.
    cross_region;
    /// With failover, call a model without on-demand throughput through its geographic profile.
    retry_with_inference_profile;
    /// What becomes of a request's parameters that the gateway does not know; null: as the config-service
    /// says.
    unknown_parameters;
    /// Seconds until a streamed answer begins.
    first_byte_timeout_seconds(Limit::Range(1, MAX_TIMEOUT_SECONDS));
    /// Seconds until any answer begins, at most.
    request_timeout_seconds(Limit::Range(1, MAX_TIMEOUT_SECONDS));
}

const fn input_of<T: SettingType>(_: fn(&Channel) -> &T) -> Input {
    T::INPUT
}

fn schema_of<T: SettingType>(_: fn(&Channel) -> &T) -> Schema {
    T::schema()
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
