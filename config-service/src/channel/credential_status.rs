//! How a channel's source of credentials is doing.

use std::time::SystemTime;

use serde::Serialize;
use utoipa::ToSchema;

/// How a channel's source of credentials is doing.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CredentialStatus {
    /// Whether there is something to serve with.
    pub state: CredentialState,
    /// When what is held expires, RFC 3339; `None` when it does not, or nothing is held.
    #[schema(format = DateTime, required)]
    pub expires_at: Option<String>,
    /// When AWS last gave credentials.
    #[schema(format = DateTime, required)]
    pub refreshed_at: Option<String>,
    /// Why the latest attempt failed; `None` after a success.
    #[schema(required)]
    pub last_error: Option<String>,
    /// How often AWS gave credentials since the service was started.
    pub refreshes: u64,
    /// How often it did not.
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

/// Whether a channel can be served with its credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CredentialState {
    /// It is served.
    Ready,
    /// The first answer of AWS is awaited; the channel is not served yet.
    Pending,
    /// There are none, and the latest attempt failed; the channel is not served.
    Unavailable,
}
