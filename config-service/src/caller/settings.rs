//! A caller's settings: their names, and how each is read, shown and entered.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::Caller;
use crate::setting::{self, Limit, row};

/// A field of a caller that an administrator can write.
pub(crate) type Setting = setting::Setting<Caller>;

/// Defines [`SETTINGS`]; a field of a caller that is not in the list is a compile error.
macro_rules! settings {
    ($($(#[doc = $meaning:literal])+ $field:ident $(($limit:expr))?;)+) => {
        /// All settings, in the order in which messages list them.
        pub(crate) static SETTINGS: &[Setting] = &[
            $(row!(Caller, $field, concat!($($meaning),+) $(, $limit)?),)+
        ];

        /// Their names.
        pub(super) const FIELDS: &[&str] = &[$(stringify!($field),)+];

        const _: fn(&Caller) = |caller| {
            let Caller { $($field: _,)+ } = caller;
        };
    };
}

settings! {
    /// Unique name, which access logs and metrics have.
    name(Limit::Pattern("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"));
    /// A disabled caller is known, and refused.
    enabled;
    /// From when it is refused, RFC 3339 in UTC.
    expires_at;
    /// What Envoy knows it by besides its keys: `jwt:<claim>=<value>`, `certificate:<name>` or `header:<value>`; `*`
    /// stands for any text.
    identities;
    /// The models that it may ask for; `*` stands for any text. If empty: all.
    models;
    /// Names of the channels that may serve it. If empty: all.
    channels;
    /// Most requests a minute; null: the default for all callers.
    rpm;
    /// Most tokens a minute, of prompts and answers; null: the default for all callers.
    tpm;
    /// Most requests at the same time; null: the default for all callers.
    concurrent_requests;
    /// Most tokens in a calendar month, UTC; null: no limit.
    monthly_tokens;
    /// Most US dollars in a calendar month, UTC; null: no limit.
    monthly_usd;
    /// Applied to every request, which cannot leave it out or name another; null: the default for all callers, else
    /// the channel's.
    guardrail;
    /// Processing class of requests that do not choose one; null: the default for all callers.
    service_tier;
    /// Labels of every request in Bedrock's invocation log, beside the defaults for all callers. Clients can add
    /// labels, but not replace these.
    request_metadata;
    /// Whether requests may offer tools; null: the default for all callers.
    tools;
    /// Whether requests may ask a model to think; null: the default for all callers.
    thinking;
    /// Whether requests may contain files, such as PDFs; null: the default for all callers.
    documents;
    /// Whether requests may mark what a model caches; null: the default for all callers.
    prompt_caching;
    /// Names and values for whoever sorts or bills callers.
    labels;
    /// For administrators.
    notes;
}

/// The schema of the fields that an administrator can write.
pub(crate) enum CallerDocument {}

impl PartialSchema for CallerDocument {
    fn schema() -> RefOr<Schema> {
        let defaults = Caller::default();
        let object = ObjectBuilder::new().description(Some(
            "The fields of a caller that an administrator can write",
        ));
        let object = SETTINGS.iter().fold(object, |object, setting| {
            object.property(setting.name, setting.schema(&defaults))
        });
        object.into()
    }
}

impl ToSchema for CallerDocument {}
