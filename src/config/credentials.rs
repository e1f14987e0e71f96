//! AWS credentials.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// How a channel authenticates to AWS.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Credentials {
    /// A long-term key, or temporary credentials with their session token.
    Static {
        /// Public half of the key, for example `AKIA…`.
        access_key_id: String,
        /// Secret half of the key.
        secret_access_key: Secret,
        /// Present with temporary credentials; sent as `x-amz-security-token`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session_token: Option<Secret>,
        /// See [`Credentials::expires_at`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<u64>,
    },
    /// A Bedrock API key, sent as `Authorization: Bearer`; nothing is signed or hashed.
    ///
    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html>
    BedrockApiKey {
        /// The whole key, for example `ABSK…` or `bedrock-api-key-…`.
        api_key: Secret,
        /// See [`Credentials::expires_at`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<u64>,
    },
    /// None at the moment, because AWS has not issued any: until it does, requests get a 503.
    Unavailable {},
}

impl Credentials {
    /// When they must not be used any more, in seconds since the epoch; `None` if they do not expire, or the time is
    /// unknown. Whoever renews them leaves a margin before AWS's own expiry, for requests under way.
    #[must_use]
    pub fn expires_at(&self) -> Option<u64> {
        match self {
            Self::Static { expires_at, .. } | Self::BedrockApiKey { expires_at, .. } => *expires_at,
            Self::Unavailable {} => None,
        }
    }

    /// The same credentials with this expiry.
    #[must_use]
    pub fn expiring(mut self, at: Option<u64>) -> Self {
        match &mut self {
            Self::Static { expires_at, .. } | Self::BedrockApiKey { expires_at, .. } => {
                *expires_at = at;
            }
            Self::Unavailable {} => {}
        }
        self
    }

    /// Whether there are any, even expired ones.
    #[must_use]
    pub fn are_there(&self) -> bool {
        !matches!(self, Self::Unavailable {})
    }

    /// Whether a request that is made now can be authenticated with them.
    #[must_use]
    pub fn are_valid(&self, now: SystemTime) -> bool {
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.are_there() && self.expires_at().is_none_or(|expiry| seconds < expiry)
    }

    /// The secrets in them, for code that has to keep them out of a text.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.named_secrets().map(|(_, secret)| secret)
    }

    /// The secrets with the names of their fields.
    pub(super) fn named_secrets(&self) -> impl Iterator<Item = (&'static str, &Secret)> {
        let (first, second) = match self {
            Self::Static {
                secret_access_key,
                session_token,
                ..
            } => (
                Some(("secret_access_key", secret_access_key)),
                session_token.as_ref().map(|it| ("session_token", it)),
            ),
            Self::BedrockApiKey { api_key, .. } => (Some(("api_key", api_key)), None),
            Self::Unavailable {} => (None, None),
        };
        first.into_iter().chain(second)
    }

    /// The secrets with the names of their fields, to be sealed or opened in place.
    pub fn secrets_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut Secret)> {
        let (first, second) = match self {
            Self::Static {
                secret_access_key,
                session_token,
                ..
            } => (
                Some(("secret_access_key", secret_access_key)),
                session_token.as_mut().map(|it| ("session_token", it)),
            ),
            Self::BedrockApiKey { api_key, .. } => (Some(("api_key", api_key)), None),
            Self::Unavailable {} => (None, None),
        };
        first.into_iter().chain(second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn debug_never_shows_a_secret() {
        let credentials = Credentials::Static {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: Secret::new("hush"),
            session_token: Some(Secret::new("hush-token")),
            expires_at: None,
        };
        let shown = format!("{credentials:?}");
        assert!(shown.contains("AKIDEXAMPLE"));
        assert!(!shown.contains("hush"), "{shown}");
    }

    #[track_caller]
    fn check_valid(json: &str, at: u64, expected: bool) {
        let credentials: Credentials = serde_json::from_str(json).unwrap();
        let now = UNIX_EPOCH + Duration::from_secs(at);
        assert_eq!(credentials.are_valid(now), expected, "{json} at {at}");
        assert_eq!(serde_json::to_string(&credentials).unwrap(), json);
    }

    #[test]
    fn credentials_are_valid_until_they_expire() {
        let key = r#"{"type":"bedrock_api_key","api_key":"k"}"#;
        check_valid(key, u64::from(u32::MAX), true);
        let key = r#"{"type":"bedrock_api_key","api_key":"k","expires_at":100}"#;
        check_valid(key, 99, true);
        check_valid(key, 100, false);
        let key =
            r#"{"type":"static","access_key_id":"a","secret_access_key":"s","expires_at":100}"#;
        check_valid(key, 99, true);
        check_valid(key, 101, false);
        check_valid(r#"{"type":"unavailable"}"#, 0, false);
    }
}
