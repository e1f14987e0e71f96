//! Verification of AWS Signature Version 4 and of bearer keys.
//!
//! Written from the specification and without the AWS crates, so that the filter, which
//! uses those, is checked independently:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>.

mod authorization;
mod canonical;
mod date;
mod short_term;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use self::authorization::Authorization;
use crate::error::AwsError;
use crate::key::{Key, KeyState, same_secret};
use crate::wire::WireRequest;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The SigV4 service name of the runtime; it is not `bedrock-runtime`.
const SERVICE: &str = "bedrock";
const TERMINATOR: &str = "aws4_request";
/// How far `x-amz-date` may be from now, in seconds.
const TOLERANCE: i64 = 5 * 60;

/// Who may call, and where.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keyring {
    pub(crate) keys: Vec<Key>,
    pub(crate) bearer_keys: Vec<String>,
    /// Regions this listener serves when the host does not name one.
    pub(crate) regions: Vec<String>,
}

/// A caller whose credentials were accepted.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) region: String,
    /// `None` for long-term bearer keys.
    pub(crate) key: Option<Key>,
}

impl Keyring {
    /// Authenticates a request at `now`, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// What AWS answers: a missing token, an unreadable header, an unknown or
    /// expired key, a wrong scope, a stale date, a signature that differs.
    pub(crate) fn authenticate(&self, request: &WireRequest, now: i64) -> Result<Caller, AwsError> {
        let Some(header) = request.header("authorization") else {
            return Err(AwsError::new(
                403,
                "MissingAuthenticationTokenException",
                "Missing Authentication Token",
            ));
        };
        match header.strip_prefix("Bearer ") {
            Some(bearer) => self.bearer(request, bearer, now),
            None => self.signed(request, header, now),
        }
    }

    fn bearer(&self, request: &WireRequest, sent: &str, now: i64) -> Result<Caller, AwsError> {
        let regions = self.expected_regions(request);
        if let Some(query) = short_term::query_of(sent) {
            return self.presigned(&query, &regions, now);
        }
        let known = self.bearer_keys.iter().any(|key| same_secret(key, sent));
        if !known {
            return Err(AwsError::access_denied(
                "Authentication failed: Please make sure your API Key is valid.",
            ));
        }
        Ok(Caller {
            region: regions.into_iter().next().unwrap_or_default(),
            key: None,
        })
    }

    fn signed(&self, request: &WireRequest, header: &str, now: i64) -> Result<Caller, AwsError> {
        let authorization = Authorization::parse(header)?;
        let amz_date = request.header("x-amz-date").ok_or_else(|| {
            AwsError::incomplete_signature(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
            )
        })?;
        authorization.check_scope(amz_date, &self.expected_regions(request))?;
        check_age(amz_date, now)?;
        let key = self.find(authorization.access_key_id)?;
        check_token(request.header("x-amz-security-token"), key, now)?;
        authorization.check_signed_headers(request)?;
        check_payload_hash(request)?;
        check_signature(request, &authorization, (key, amz_date))?;
        Ok(Caller {
            region: authorization.region.to_owned(),
            key: Some(key.clone()),
        })
    }

    fn find(&self, access_key_id: &str) -> Result<&Key, AwsError> {
        self.keys
            .iter()
            .find(|key| key.access_key_id == access_key_id)
            .ok_or_else(AwsError::unrecognized_client)
    }

    /// The region in an AWS host name decides; other hosts (loopback, a test's own name)
    /// count as every configured region.
    fn expected_regions(&self, request: &WireRequest) -> Vec<String> {
        match request.header("host").and_then(region_of_host) {
            Some(region) => vec![region.to_owned()],
            None => self.regions.clone(),
        }
    }
}

/// `bedrock-runtime[-fips].{region}.…`, `bedrock[-fips].{region}.…` and `{vpce}.bedrock-runtime.{region}.vpce.…`.
fn region_of_host(host: &str) -> Option<&str> {
    let mut labels = host.split('.');
    let services = [
        "bedrock-runtime",
        "bedrock-runtime-fips",
        "bedrock",
        "bedrock-fips",
    ];
    labels.find(|label| services.contains(label))?;
    let region = labels.next()?;
    // A private name, such as `bedrock-runtime.test`, has no region.
    matches!(labels.next()?, "amazonaws" | "api" | "vpce").then_some(region)
}

fn check_age(amz_date: &str, now: i64) -> Result<(), AwsError> {
    let signed = date::parse(amz_date).ok_or_else(|| {
        AwsError::incomplete_signature(format!(
            "Date must be in ISO-8601 'basic format'. Got '{amz_date}'."
        ))
    })?;
    let now_text = date::format(now);
    if signed < now - TOLERANCE {
        let limit = date::format(now - TOLERANCE);
        return Err(AwsError::invalid_signature(format!(
            "Signature expired: {amz_date} is now earlier than {limit} ({now_text} - 5 min.)"
        )));
    }
    if signed > now + TOLERANCE {
        let limit = date::format(now + TOLERANCE);
        return Err(AwsError::invalid_signature(format!(
            "Signature not yet current: {amz_date} is still later than {limit} ({now_text} + 5 min.)"
        )));
    }
    Ok(())
}

fn check_token(token: Option<&str>, key: &Key, now: i64) -> Result<(), AwsError> {
    if !key.has_token(token) {
        return Err(AwsError::unrecognized_client());
    }
    match key.state_at(now) {
        KeyState::Active => Ok(()),
        KeyState::Expired => Err(AwsError::new(
            403,
            "ExpiredTokenException",
            "The security token included in the request is expired",
        )),
    }
}

fn check_payload_hash(request: &WireRequest) -> Result<(), AwsError> {
    match request.header("x-amz-content-sha256") {
        Some(sent) if sent != canonical::sha256_hex(&request.body) => {
            Err(AwsError::invalid_signature(
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ))
        }
        _ => Ok(()),
    }
}

fn check_signature(
    request: &WireRequest,
    authorization: &Authorization<'_>,
    (key, amz_date): (&Key, &str),
) -> Result<(), AwsError> {
    let canonical = canonical::canonical_request(request, &authorization.signed_headers);
    let to_sign = canonical::string_to_sign(amz_date, &authorization.scope(), &canonical);
    let signing_key = signing_key(&key.secret_access_key, authorization);
    let expected = canonical::hex(&hmac(&signing_key, to_sign.as_bytes()));
    if same_secret(&expected, authorization.signature) {
        return Ok(());
    }
    Err(AwsError::invalid_signature(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    ))
}

fn signing_key(secret: &str, authorization: &Authorization<'_>) -> Vec<u8> {
    let start = format!("AWS4{secret}").into_bytes();
    [
        authorization.date,
        authorization.region,
        authorization.service,
        TERMINATOR,
    ]
    .iter()
    .fold(start, |key, part| hmac(&key, part.as_bytes()))
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    // A key of any length is valid for HMAC; the empty answer, which matches
    // no signature, is unreachable.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests;
