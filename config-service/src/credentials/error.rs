//! Why a channel gets no credentials. Administrators read it, so no message has a secret.

use std::error::Error;

use bedrock_filter::secret::Secret;

use super::token_file::TokenError;
use crate::outbound::redacted;

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// The source is a key that signs nothing.
    #[error("a Bedrock API key cannot sign")]
    CannotSign,
    /// AWS refused, or was not reached: in its own words, or how the call failed.
    #[error("{0}")]
    Aws(String),
    /// There is no token to show to AWS.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// STS answered with something else.
    #[error("STS answered without credentials")]
    Empty,
    /// STS answered with a time that cannot be read.
    #[error("STS returned an invalid expiry: {0}")]
    InvalidExpiry(String),
    /// The credentials are of no use any more.
    #[error("AWS gave credentials that have expired")]
    Expired,
    /// The filter would refuse them.
    #[error("AWS gave credentials with unexpected characters")]
    Unusable,
    /// What a short-term key stands for is of no use any more.
    #[error("the credentials for a short-term key have expired")]
    SignerExpired,
    /// A short-term key cannot be made.
    #[error("cannot sign a short-term key: {0}")]
    Mint(Box<dyn Error + Send + Sync>),
    /// Nobody answered in time.
    #[error("AWS took too long")]
    TimedOut,
    /// The attempt did not come to its end.
    #[error("the attempt was interrupted")]
    Interrupted,
}

impl FetchError {
    /// The same without these secrets, which somebody else's words may repeat.
    pub(super) fn without(self, secrets: &[Secret]) -> Self {
        Self::Aws(redacted(&self.to_string(), secrets))
    }
}
