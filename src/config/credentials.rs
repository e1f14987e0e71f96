//! AWS credentials and the wrapper that keeps them out of logs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a channel authenticates at AWS.
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
    },
    /// A Bedrock API key, sent as `Authorization: Bearer`; nothing is signed or hashed.
    ///
    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html>
    BedrockApiKey {
        /// The whole key, for example `ABSK…` or `bedrock-api-key-…`.
        api_key: Secret,
    },
}

impl Credentials {
    /// The secrets in them, for those who must keep them out of a text.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let (first, second) = match self {
            Self::Static {
                secret_access_key,
                session_token,
                ..
            } => (secret_access_key, session_token.as_ref()),
            Self::BedrockApiKey { api_key } => (api_key, None),
        };
        std::iter::once(first).chain(second)
    }

    /// The secrets with the names of their fields, to be sealed or opened in place.
    pub fn secrets_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut Secret)> {
        let (first, second) = match self {
            Self::Static {
                secret_access_key,
                session_token,
                ..
            } => (
                ("secret_access_key", secret_access_key),
                session_token.as_mut().map(|it| ("session_token", it)),
            ),
            Self::BedrockApiKey { api_key } => (("api_key", api_key), None),
        };
        std::iter::once(first).chain(second)
    }
}

/// A value that must not be shown: it has no `Display`, and `Debug` prints a placeholder.
///
/// It serialises as it is: in clear, or sealed (see [`crate::seal`]).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The secret itself. Callers pass it on to signing or sealing and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("** redacted **")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_a_secret() {
        let credentials = Credentials::Static {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: Secret::new("hush"),
            session_token: Some(Secret::new("hush-token")),
        };
        let shown = format!("{credentials:?}");
        assert!(shown.contains("AKIDEXAMPLE"));
        assert!(!shown.contains("hush"), "{shown}");
    }
}
