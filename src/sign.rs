//! What makes AWS accept a request: Signature Version 4, by the filter or by Envoy, or a Bedrock API key.

mod sigv4;

use std::time::SystemTime;

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};

use crate::config::{Credentials, SignedBy};
use crate::secret::Secret;

pub use sigv4::{SigV4, canonical_uri};

/// Authenticates the requests of one channel.
#[derive(Debug)]
pub enum Signer {
    /// A signature over method, path, headers and body.
    SigV4(Box<SigV4>),
    /// `Authorization: Bearer` with a Bedrock API key; the body does not matter.
    Bearer(Secret),
    /// Nothing is added: Envoy signs requests as they leave.
    Envoy,
    /// No request can be authenticated: the channel has no credentials at the moment.
    Absent,
}

/// What is signed: exactly what goes on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Unsigned<'a> {
    /// The `Host` of the request.
    pub authority: &'a str,
    /// Path, already percent-encoded as it goes on the wire.
    pub path: &'a str,
    /// Headers to sign in addition to `host`, `x-amz-date` and `x-amz-security-token`.
    pub headers: &'a [(HeaderName, HeaderValue)],
    /// The whole body, in pieces.
    pub body: &'a [&'a [u8]],
}

/// A request that cannot be signed.
#[derive(Debug, thiserror::Error)]
#[error("cannot sign the request: {0}")]
pub struct SignError(&'static str);

const NOT_VISIBLE: SignError = SignError("a header value is not visible ASCII");

/// A header to add to a request. Values that are secret are marked as sensitive, so that `Debug` hides them.
pub type SignedHeader = (HeaderName, HeaderValue);

impl Signer {
    /// A signer for a region with a channel's credentials.
    #[must_use]
    pub fn new(credentials: &Credentials, region: &str, signed_by: SignedBy) -> Self {
        match credentials {
            Credentials::Static { .. } if signed_by == SignedBy::Envoy => Self::Envoy,
            Credentials::Static {
                access_key_id,
                secret_access_key,
                session_token,
                ..
            } => Self::SigV4(Box::new(SigV4::new(
                access_key_id,
                secret_access_key.clone(),
                session_token.clone(),
                region,
            ))),
            Credentials::BedrockApiKey { api_key, .. } => Self::Bearer(api_key.clone()),
            Credentials::Unavailable {} => Self::Absent,
        }
    }

    /// Authenticates a `POST`: returns the headers to add, `authorization` among them.
    ///
    /// # Errors
    ///
    /// When a header value is not visible ASCII, or the channel has no credentials.
    pub fn sign(
        &self,
        request: Unsigned<'_>,
        now: SystemTime,
    ) -> Result<Vec<SignedHeader>, SignError> {
        match self {
            Self::SigV4(sigv4) => sigv4.sign(request, now),
            Self::Envoy => Ok(Vec::new()),
            Self::Absent => Err(SignError("the channel has no credentials")),
            Self::Bearer(key) => {
                let bearer = ["Bearer ", key.expose()].concat();
                Ok(vec![(AUTHORIZATION, secret(bearer)?)])
            }
        }
    }
}

/// A header value that `Debug` hides.
fn secret(text: String) -> Result<HeaderValue, SignError> {
    let mut value = HeaderValue::try_from(text).map_err(|_| NOT_VISIBLE)?;
    value.set_sensitive(true);
    Ok(value)
}
