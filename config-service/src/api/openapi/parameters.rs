//! Parameters that several operations have.

#![expect(
    dead_code,
    reason = "the document alone reads them; handlers have extractors of their own"
)]

use utoipa::IntoParams;

/// The path of a channel.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::api) struct ChannelId {
    /// The channel's id
    id: String,
}

/// What an edit is meant for.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(in crate::api) struct IfMatch {
    /// Entity tag of the channel that the edit is meant for
    #[param(rename = "If-Match")]
    if_match: Option<String>,
}
