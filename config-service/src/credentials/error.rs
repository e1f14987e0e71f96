//! Why a channel gets no credentials. Administrators see these messages, so none contains
//! a secret.

use std::error::Error;

use bedrock_filter::secret::Secret;

use super::key_document::KeyDocumentError;
use super::token_file::TokenError;
use crate::outbound::redacted;

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// The source is a key that cannot sign.
    #[error("a Bedrock API key cannot sign")]
    CannotSign,
    /// AWS refused, or could not be reached: its own words, or how the call failed.
    #[error("{0}")]
    Aws(String),
    /// There is no token to present to AWS.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// What was found is not a key.
    #[error(transparent)]
    Document(#[from] KeyDocumentError),
    /// AWS stores something without a text.
    #[error("AWS stores no text there; store the key as a string")]
    NoText,
    /// There is no credential with that name.
    #[error("there is no credential with the name `{0}`")]
    Unknown(String),
    /// STS answered something else.
    #[error("STS answered without credentials")]
    Empty,
    /// STS answered with an expiry that cannot be read.
    #[error("STS returned an invalid expiry: {0}")]
    InvalidExpiry(String),
    /// The credentials have already expired.
    #[error("AWS returned credentials that have already expired")]
    Expired,
    /// The filter would refuse them.
    #[error("AWS returned credentials with unexpected characters")]
    Unusable,
    /// The credentials behind a short-term key have expired.
    #[error("the credentials for a short-term key have expired")]
    SignerExpired,
    /// A short-term key cannot be created.
    #[error("cannot sign a short-term key: {0}")]
    Mint(Box<dyn Error + Send + Sync>),
    /// AWS did not answer in time.
    #[error("AWS did not answer in time")]
    TimedOut,
    /// The attempt did not finish.
    #[error("the attempt was interrupted")]
    Interrupted,
}

impl FetchError {
    /// The same without these secrets, which text from elsewhere may repeat.
    pub(super) fn without(self, secrets: &[Secret]) -> Self {
        Self::Aws(redacted(&self.to_string(), secrets))
    }
}
