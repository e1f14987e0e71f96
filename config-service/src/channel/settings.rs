//! A channel's settings: their names, and how each is read, shown and entered.
//!
//! Edits, reads, forms and the history all use this list. `credentials` are handled separately,
//! because a read does not show what was written.

mod schema;
mod types;

use super::Channel;
use crate::setting::{self, Limit, row};
pub(crate) use schema::ChannelEdit;

use bedrock_filter::config::{MAX_DISCOVERY_HOURS, MAX_TIMEOUT_SECONDS, MAX_WEIGHT};

/// A field of a channel that an administrator can write.
pub(crate) type Setting = setting::Setting<Channel>;

impl Setting {
    /// The setting with this name.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }
}

/// Defines [`FIELDS`] and [`SETTINGS`]. A field of a channel that is not in the list is a compile
/// error.
macro_rules! settings {
    (
        $($(#[doc = $before_doc:literal])+ $before:ident $(($before_limit:expr))?;)+
        [credentials]
        $($(#[doc = $after_doc:literal])+ $after:ident $(($after_limit:expr))?;)+
    ) => {
        /// Names of all fields that an administrator can write, in the order in which messages list
        /// them.
        pub const FIELDS: &[&str] = &[
            $(setting::unraw(stringify!($before)),)+ "credentials", $(setting::unraw(stringify!($after)),)+
        ];

        /// All settings.
        pub(crate) static SETTINGS: &[Setting] = &[
            $(row!(Channel, $before, concat!($($before_doc),+) $(, $before_limit)?),)+
            $(row!(Channel, $after, concat!($($after_doc),+) $(, $after_limit)?),)+
        ];

        const _: fn(&Channel) = |channel| {
            let Channel { $($before: _,)+ credentials: _, $($after: _,)+ } = channel;
        };
    };
}

settings! {
    /// Unique name.
    name(Limit::Pattern("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"));
    /// A disabled channel is kept but serves nothing.
    enabled;
    /// AWS region to dial and sign for.
    region;
    /// Dial the region's FIPS host. Has no effect with `endpoint`.
    fips;
    /// Origin to dial instead of the region's public host. To change scheme, host or port, enter the
    /// credentials in the same edit.
    endpoint;
    /// What signs requests: the filter, or Envoy.
    signer;
    /// With failover, channels with a lower number are tried first.
    priority;
    /// With failover, share of the requests among channels of the same priority.
    weight(Limit::Range(1, MAX_WEIGHT));
    [credentials]
    /// Names that the channel serves. If empty: every name that it maps, and what `allow_model_ids`
    /// adds.
    models;
    /// Where the names come from: `models` alone, or what the account has; null: `models`, or the catalogue.
    models_mode;
    /// Hours after which the account is asked again what it has; 0: only when somebody asks.
    discovery_hours(Limit::Range(0, MAX_DISCOVERY_HOURS));
    /// What clients may ask for besides mapped names, where `models` is empty.
    allow_model_ids;
    /// Which names get the entry of a key in `inference_profile_arn_map`, `model_families` and `model_apis`: the
    /// key alone, or every name of the model that it names.
    r#match;
    /// Maps the name that a client sends to another name.
    model_mapping;
    /// Maps a name to an inference profile ARN, or any other model ARN or id.
    inference_profile_arn_map;
    /// Maps a name or ARN to a model family, for ARNs and names that do not reveal it.
    model_families;
    /// Which of Bedrock's APIs to call.
    api;
    /// Maps a name to an API, for individual models.
    model_apis;
    /// Applied to requests that do not name a guardrail themselves.
    guardrail;
    /// Which inference profile to use for models from the catalogue.
    cross_region;
    /// With failover, call a model without on-demand throughput through its geographic profile.
    retry_with_inference_profile;
    /// What happens to request parameters that the gateway does not know; null means the
    /// config-service's own setting.
    unknown_parameters;
    /// Seconds within which a streamed answer must start.
    first_byte_timeout_seconds(Limit::Range(1, MAX_TIMEOUT_SECONDS));
    /// Upper limit on the seconds until any answer starts.
    request_timeout_seconds(Limit::Range(1, MAX_TIMEOUT_SECONDS));
}
