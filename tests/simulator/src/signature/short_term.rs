//! Short-term API keys: a presigned `CallWithBearerToken` in base64, which authenticates its
//! signer.
//!
//! They are constructed as by AWS's own generator
//! (<https://github.com/aws/aws-bedrock-token-generator-python>); the signature is that of any
//! presigned request
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use percent_encoding::percent_decode_str;

use super::authorization::Authorization;
use super::{Caller, Keyring, check_signature, check_token, date};
use crate::error::AwsError;
use crate::wire::WireRequest;

const PREFIX: &str = "bedrock-api-key-";
const HOST: &str = "bedrock.amazonaws.com";
/// Longest lifetime of a key, in seconds.
const MAX_LIFE: i64 = 12 * 60 * 60;

/// The query of the presigned request in a key; `None` for a key of another kind.
pub(super) fn query_of(key: &str) -> Option<String> {
    let url = STANDARD.decode(key.strip_prefix(PREFIX)?).ok()?;
    let url = String::from_utf8(url).ok()?;
    let query = url.strip_prefix(HOST)?.strip_prefix("/?")?;
    Some(query.to_owned())
}

impl Keyring {
    /// Who presigned the key, if it is for one of the regions and valid.
    pub(super) fn presigned(
        &self,
        query: &str,
        regions: &[String],
        now: i64,
    ) -> Result<Caller, AwsError> {
        let value = |name: &str| {
            let found = pairs(query).find(|(candidate, _)| *candidate == name);
            let text = found.map(|(_, value)| percent_decode_str(value).decode_utf8_lossy());
            text.map(String::from).ok_or_else(refused)
        };
        if value("Action")? != "CallWithBearerToken" || value("Version")? != "1" {
            return Err(refused());
        }
        let header = format!(
            "{} Credential={}, SignedHeaders={}, Signature={}",
            value("X-Amz-Algorithm")?,
            value("X-Amz-Credential")?,
            value("X-Amz-SignedHeaders")?,
            value("X-Amz-Signature")?
        );
        let authorization = Authorization::parse(&header)?;
        let amz_date = value("X-Amz-Date")?;
        authorization.check_scope(&amz_date, regions)?;
        check_life(&amz_date, &value("X-Amz-Expires")?, now)?;
        let key = self.find(authorization.access_key_id)?;
        check_token(value("X-Amz-Security-Token").ok().as_deref(), key, now)?;
        let request = signed_request(query);
        authorization.check_signed_headers(&request)?;
        check_signature(&request, &authorization, (key, &amz_date))?;
        Ok(Caller {
            region: authorization.region.to_owned(),
            key: Some(key.clone()),
        })
    }
}

/// What was signed: everything but the signature, and the version, which was added afterwards.
fn signed_request(query: &str) -> WireRequest {
    let signed = pairs(query).filter(|(name, _)| !matches!(*name, "X-Amz-Signature" | "Version"));
    let signed: Vec<_> = signed
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    WireRequest {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        query: signed.join("&"),
        headers: vec![("host".to_owned(), HOST.to_owned())],
        body: Bytes::new(),
    }
}

fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter_map(|pair| pair.split_once('='))
}

fn check_life(amz_date: &str, expires: &str, now: i64) -> Result<(), AwsError> {
    let begin = date::parse(amz_date).ok_or_else(refused)?;
    let life: i64 = expires.parse().map_err(|_| refused())?;
    if !(1..=MAX_LIFE).contains(&life) {
        return Err(refused());
    }
    if now >= begin + life {
        return Err(AwsError::access_denied("Bearer Token has expired"));
    }
    Ok(())
}

fn refused() -> AwsError {
    AwsError::access_denied("Authentication failed: Please make sure your API Key is valid.")
}
