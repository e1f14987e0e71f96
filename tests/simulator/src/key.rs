//! The callers the simulator knows: access keys and bearer keys.

use std::fmt;
use std::time::{Duration, SystemTime};

use subtle::ConstantTimeEq;

/// Whether a key still works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyState {
    /// Requests signed with it are served.
    #[default]
    Active,
    /// Its session has ended: requests are answered with `ExpiredTokenException`.
    Expired,
}

/// An AWS access key that may call the simulator.
///
/// ```
/// use bedrock_simulator::Key;
/// let key = Key::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
///     .with_regions(["eu-west-1"]);
/// ```
#[derive(Clone, Default)]
pub struct Key {
    /// The access key id, public.
    pub access_key_id: String,
    /// The secret that signatures are computed with.
    pub secret_access_key: String,
    /// Present for temporary credentials, which must send it along.
    pub session_token: Option<String>,
    /// Regions the key may be used in; empty means all.
    pub regions: Vec<String>,
    /// The 12-digit account the key belongs to. When set, ARNs of other
    /// accounts are denied.
    pub account_id: Option<String>,
    /// Whether the key still works.
    pub state: KeyState,
    /// When its session ends by itself.
    pub expires_at: Option<SystemTime>,
}

impl Key {
    /// A long-term key without restrictions.
    pub fn new(access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Self {
        Self {
            access_key_id: access_key_id.into(),
            secret_access_key: secret_access_key.into(),
            ..Self::default()
        }
    }

    /// Makes it temporary: `x-amz-security-token` must carry this token.
    #[must_use]
    pub fn with_session_token(mut self, token: impl Into<String>) -> Self {
        self.session_token = Some(token.into());
        self
    }

    /// Limits the key to these regions.
    #[must_use]
    pub fn with_regions<R: Into<String>>(mut self, regions: impl IntoIterator<Item = R>) -> Self {
        self.regions = regions.into_iter().map(Into::into).collect();
        self
    }

    /// Puts the key into an account.
    #[must_use]
    pub fn with_account(mut self, account_id: impl Into<String>) -> Self {
        self.account_id = Some(account_id.into());
        self
    }

    /// Ends the key's session.
    #[must_use]
    pub fn expired(mut self) -> Self {
        self.state = KeyState::Expired;
        self
    }

    /// Ends the key's session at a time.
    #[must_use]
    pub fn until(mut self, expiry: SystemTime) -> Self {
        self.expires_at = Some(expiry);
        self
    }

    /// Whether it works at `now`, in seconds since the Unix epoch.
    pub(crate) fn state_at(&self, now: i64) -> KeyState {
        let now = Duration::from_secs(now.try_into().unwrap_or_default());
        match self.expires_at {
            Some(expiry) if SystemTime::UNIX_EPOCH + now >= expiry => KeyState::Expired,
            _ => self.state,
        }
    }

    pub(crate) fn may_use(&self, region: &str) -> bool {
        self.regions.is_empty() || self.regions.iter().any(|allowed| allowed == region)
    }

    pub(crate) fn has_token(&self, token: Option<&str>) -> bool {
        match (&self.session_token, token) {
            (None, None) => true,
            (Some(expected), Some(sent)) => same_secret(expected, sent),
            _ => false,
        }
    }
}

/// Redacted: a key may end up in a test's failure message.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("access_key_id", &self.access_key_id)
            .field("regions", &self.regions)
            .field("account_id", &self.account_id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Compares two secrets in constant time.
pub(crate) fn same_secret(expected: &str, sent: &str) -> bool {
    expected.as_bytes().ct_eq(sent.as_bytes()).into()
}
