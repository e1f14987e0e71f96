//! Signature Version 4 of one kind of request: a `POST` without a query.
//!
//! `aws-sigv4` derives the signing key, once a day: its four HMACs would cost more than everything else except
//! hashing the body. That is why it does not sign whole requests here; `tests/signing.rs` compares the result with
//! its signatures, and with botocore's.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use aws_sigv4::sign::v4::generate_signing_key;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use super::{NOT_VISIBLE, SignError, SignedHeader, Unsigned, secret};
use crate::secret::Secret;

/// Service name in the credential scope; not the endpoint's `bedrock-runtime`.
///
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html>
const SERVICE: &str = "bedrock";

const X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const X_AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// What stays unencoded in the canonical URI: the unreserved characters of RFC 3986, and slashes.
const ENCODED_IN_URI: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// Signs for a region with an access key.
pub struct SigV4 {
    access_key_id: String,
    secret_access_key: Secret,
    session_token: Option<Secret>,
    region: String,
    key: Mutex<Option<SigningKey>>,
}

/// The key for the signatures of one day.
struct SigningKey {
    /// Days since the epoch.
    day: u64,
    /// An HMAC that has already taken in the key.
    hmac: Hmac<Sha256>,
}

/// The time of a signature, as text.
struct Timestamp {
    /// Such as `20260115T123456Z`.
    amz_date: String,
}

impl SigV4 {
    pub(super) fn new(
        access_key_id: &str,
        secret_access_key: Secret,
        session_token: Option<Secret>,
        region: &str,
    ) -> Self {
        Self {
            access_key_id: access_key_id.to_owned(),
            secret_access_key,
            session_token,
            region: region.to_owned(),
            key: Mutex::new(None),
        }
    }

    pub(super) fn sign(
        &self,
        request: Unsigned<'_>,
        now: SystemTime,
    ) -> Result<Vec<SignedHeader>, SignError> {
        let time = Timestamp::at(now);
        let scope = [time.day(), "/", &self.region, "/", SERVICE, "/aws4_request"].concat();
        let headers = self.headers(request, &time.amz_date)?;
        let names = signed_names(&headers);
        let canonical = canonical_request(request, &headers, &names);
        let hash = hex(&Sha256::digest(canonical.as_bytes()));
        let to_sign = ["AWS4-HMAC-SHA256", &time.amz_date, &scope, &hash].join("\n");
        let signature = self.signature(now, to_sign.as_bytes())?;
        let authorization = [
            "AWS4-HMAC-SHA256 Credential=",
            &self.access_key_id,
            "/",
            &scope,
            ", SignedHeaders=",
            &names,
            ", Signature=",
            &signature,
        ];
        let authorization = authorization.concat();
        let date = HeaderValue::try_from(time.amz_date).map_err(|_| NOT_VISIBLE)?;
        let mut added = vec![(X_AMZ_DATE, date), (AUTHORIZATION, secret(authorization)?)];
        if let Some(token) = &self.session_token {
            added.push((X_AMZ_SECURITY_TOKEN, secret(token.expose().to_owned())?));
        }
        Ok(added)
    }

    /// Every signed header, in canonical order.
    fn headers<'h>(
        &'h self,
        request: Unsigned<'h>,
        amz_date: &'h str,
    ) -> Result<Vec<(&'h str, &'h str)>, SignError> {
        let mut headers = Vec::with_capacity(request.headers.len() + 3);
        for (name, value) in request.headers {
            headers.push((name.as_str(), value.to_str().map_err(|_| NOT_VISIBLE)?));
        }
        headers.push(("host", request.authority));
        headers.push(("x-amz-date", amz_date));
        if let Some(token) = &self.session_token {
            headers.push(("x-amz-security-token", token.expose()));
        }
        headers.sort_unstable_by_key(|(name, _)| *name);
        Ok(headers)
    }

    fn signature(&self, now: SystemTime, to_sign: &[u8]) -> Result<String, SignError> {
        let mut hmac = self.keyed(now)?;
        hmac.update(to_sign);
        Ok(hex(&hmac.finalize().into_bytes()))
    }

    /// HMAC with the day's key.
    fn keyed(&self, now: SystemTime) -> Result<Hmac<Sha256>, SignError> {
        let day = seconds(now) / (24 * 60 * 60);
        let mut cached = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = cached.as_ref().filter(|key| key.day == day) {
            return Ok(key.hmac.clone());
        }
        let secret = self.secret_access_key.expose();
        let key = generate_signing_key(secret, now, &self.region, SERVICE);
        let hmac = Hmac::new_from_slice(key.as_ref())
            .map_err(|_| SignError("the signing key has an invalid length"))?;
        *cached = Some(SigningKey {
            day,
            hmac: hmac.clone(),
        });
        Ok(hmac)
    }
}

/// Shows whose signatures these are, but no secret.
impl fmt::Debug for SigV4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigV4")
            .field("access_key_id", &self.access_key_id)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

impl Timestamp {
    fn at(now: SystemTime) -> Self {
        let time = OffsetDateTime::from(now);
        let (year, month, day) = time.to_calendar_date();
        let (hour, minute, second) = time.to_hms();
        let month = u8::from(month);
        Self {
            amz_date: format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z"),
        }
    }

    /// Such as `20260115`.
    fn day(&self) -> &str {
        self.amz_date.split('T').next().unwrap_or_default()
    }
}

fn seconds(now: SystemTime) -> u64 {
    now.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// The names of sorted headers, joined by `;`.
fn signed_names(headers: &[(&str, &str)]) -> String {
    let mut names = String::with_capacity(128);
    for (name, _) in headers {
        if !names.is_empty() {
            names.push(';');
        }
        names.push_str(name);
    }
    names
}

/// The path of a request as its signature covers it: the path on the wire percent-encoded once more, as for every
/// service except S3.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
#[must_use]
pub fn canonical_uri(path: &str) -> String {
    utf8_percent_encode(path, ENCODED_IN_URI).to_string()
}

fn canonical_request(request: Unsigned<'_>, headers: &[(&str, &str)], names: &str) -> String {
    let mut canonical = String::with_capacity(1024);
    canonical.push_str("POST\n");
    canonical.extend(utf8_percent_encode(request.path, ENCODED_IN_URI));
    canonical.push_str("\n\n");
    for (name, value) in headers {
        canonical.push_str(name);
        canonical.push(':');
        push_trimmed(&mut canonical, value);
        canonical.push('\n');
    }
    canonical.push('\n');
    canonical.push_str(names);
    let hash = request
        .body
        .iter()
        .fold(Sha256::new(), Sha256::chain_update);
    canonical.push('\n');
    canonical.push_str(&hex(&hash.finalize()));
    canonical
}

/// Adds a value without leading or trailing spaces, and with every run of spaces inside reduced to one.
fn push_trimmed(canonical: &mut String, value: &str) {
    for (index, word) in value.split(' ').filter(|word| !word.is_empty()).enumerate() {
        if index > 0 {
            canonical.push(' ');
        }
        canonical.push_str(word);
    }
}

/// Bytes in lower-case hexadecimal. Each request needs 32 of them three times, so this avoids `fmt`.
fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| {
        char::from(if nibble < 10 {
            b'0' + nibble
        } else {
            b'a' - 10 + nibble
        })
    };
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}
