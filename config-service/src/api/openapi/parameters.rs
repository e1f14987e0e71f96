//! Parameters that several operations have.

#![expect(
    dead_code,
    reason = "only the document reads them; handlers have their own extractors"
)]

use utoipa::IntoParams;

/// The path parameter of a channel's routes.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::api) struct ChannelId {
    /// The channel's id
    id: String,
}

/// The path parameter of a caller's routes.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::api) struct CallerId {
    /// The caller's id
    id: String,
}

/// The path parameters of a key's routes.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::api) struct KeyId {
    /// The caller's id
    id: String,
    /// The key's id
    key: String,
}

/// Which state of the channel an edit is meant for.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(in crate::api) struct IfMatch {
    /// Entity tag of the channel that the edit is meant for
    #[param(rename = "If-Match")]
    if_match: Option<String>,
}
