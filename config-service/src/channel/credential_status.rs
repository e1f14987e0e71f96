//! The state of a channel's source of credentials.

use std::time::SystemTime;

use serde::Serialize;
use utoipa::ToSchema;

/// The state of a channel's source of credentials.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CredentialStatus {
    /// Whether there are credentials to serve with.
    pub state: CredentialState,
    /// When the credentials expire, RFC 3339; `None` if they never expire, or if the channel has none.
    #[schema(format = DateTime, required)]
    pub expires_at: Option<String>,
    /// When AWS last issued credentials.
    #[schema(format = DateTime, required)]
    pub refreshed_at: Option<String>,
    /// Why the latest attempt failed; `None` after a success.
    #[schema(required)]
    pub last_error: Option<String>,
    /// How often AWS has issued credentials since the service started.
    pub refreshes: u64,
    /// How often it failed to.
    pub failures: u64,
    /// The expiry again, for metrics.
    #[serde(skip)]
    pub expiry: Option<SystemTime>,
    /// The channel's name.
    #[serde(skip)]
    pub channel: String,
    /// The kind of credentials.
    #[serde(skip)]
    pub kind: &'static str,
}

/// Whether a channel has credentials to serve with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CredentialState {
    /// It has, and serves.
    Ready,
    /// The first answer from AWS is still awaited; the channel does not serve yet.
    Pending,
    /// The channel has no credentials, and the latest attempt to get them failed; the channel does not serve.
    Unavailable,
}
