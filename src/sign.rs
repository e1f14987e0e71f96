//! Signature Version 4, behind one function.
//!
//! The signing itself is `aws-sigv4`'s. Time and credentials are parameters: nothing here reads a
//! clock or the environment.

use std::time::SystemTime;

use aws_credential_types::Credentials as Identity;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;

use crate::config::Credentials;

/// Service name in the credential scope; it is not the endpoint's `bedrock-runtime`.
///
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html>
const SERVICE: &str = "bedrock";

/// Signs requests of one channel.
#[derive(Clone, Debug)]
pub struct Signer {
    identity: Identity,
    region: String,
}

/// What is signed: exactly what goes on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Unsigned<'a> {
    /// `https` or `http`.
    pub scheme: &'a str,
    /// The `Host` of the request.
    pub authority: &'a str,
    /// Path, already percent-encoded as it goes on the wire.
    pub path: &'a str,
    /// Headers to sign besides `host`, `x-amz-date` and `x-amz-security-token`.
    pub headers: &'a [(&'static str, String)],
    /// The whole body.
    pub body: &'a [u8],
}

/// A request that cannot be signed.
#[derive(Debug, thiserror::Error)]
#[error("cannot sign the request: {0}")]
pub struct SignError(String);

impl Signer {
    /// A signer for a region with a channel's credentials.
    #[must_use]
    pub fn new(credentials: &Credentials, region: &str) -> Self {
        let Credentials::Static {
            access_key_id,
            secret_access_key,
            session_token,
        } = credentials;
        let token = session_token
            .as_ref()
            .map(|token| token.expose().to_owned());
        let secret = secret_access_key.expose();
        Self {
            identity: Identity::new(access_key_id, secret, token, None, "bedrock-filter"),
            region: region.to_owned(),
        }
    }

    /// Signs a `POST`: returns the headers to add, `authorization` among them.
    ///
    /// The canonical URI is the wire path percent-encoded once more, as for every service but S3:
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.
    ///
    /// # Errors
    ///
    /// When a header value is not visible ASCII or the authority makes no URI.
    pub fn sign(
        &self,
        request: Unsigned<'_>,
        now: SystemTime,
    ) -> Result<Vec<(String, String)>, SignError> {
        let identity = self.identity.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(SERVICE)
            .time(now)
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| SignError(error.to_string()))?
            .into();
        let uri = format!("{}://{}{}", request.scheme, request.authority, request.path);
        let headers = request
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let host = std::iter::once(("host", request.authority));
        let body = SignableBody::Bytes(request.body);
        let signable = SignableRequest::new("POST", uri, host.chain(headers), body)
            .map_err(|error| SignError(error.to_string()))?;
        let output = sign(signable, &params).map_err(|error| SignError(error.to_string()))?;
        Ok(output
            .output()
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }
}
