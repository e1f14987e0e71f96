//! Short-term Bedrock API keys: a presigned request that authenticates its signer.
//!
//! They are constructed as by AWS's own generator:
//! <https://github.com/aws/aws-bedrock-token-generator-python>.

use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{
    self, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
};
use aws_sigv4::sign::v4;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bedrock_filter::secret::Secret;

/// Longest lifetime of a key.
pub(super) const MAX_LIFE: Duration = Duration::from_secs(12 * 60 * 60);

const HOST: &str = "bedrock.amazonaws.com";
const PREFIX: &str = "bedrock-api-key-";

/// Those of `aws-sigv4`.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A key for a region that is valid for `life`, but no longer than the credentials.
pub(super) fn mint(
    credentials: &aws_credential_types::Credentials,
    region: &str,
    now: SystemTime,
    life: Duration,
) -> Result<Secret, BoxError> {
    let url = presign(credentials, region, now, life.min(MAX_LIFE))?;
    Ok(Secret::new(format!("{PREFIX}{}", STANDARD.encode(url))))
}

/// `CallWithBearerToken` with the signature in its query, without the scheme.
fn presign(
    credentials: &aws_credential_types::Credentials,
    region: &str,
    now: SystemTime,
    life: Duration,
) -> Result<String, BoxError> {
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(life);
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("bedrock")
        .time(now)
        .settings(settings)
        .build()?;
    let url = format!("https://{HOST}/?Action=CallWithBearerToken");
    let headers = std::iter::once(("host", HOST));
    let request = SignableRequest::new("POST", url, headers, SignableBody::Bytes(&[]))?;
    let (signed, _) = http_request::sign(request, &params.into())?.into_parts();
    let query: Vec<_> = signed
        .params()
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    Ok(format!(
        "{HOST}/?Action=CallWithBearerToken&{}&Version=1",
        query.join("&")
    ))
}

/// A query value, percent-encoded as SigV4 requires.
fn encoded(value: &str) -> String {
    let mut text = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Compares with the output of botocore's `SigV4QueryAuth` at 2026-01-15T12:34:56Z.
    #[track_caller]
    fn check(session_token: Option<&str>, life: Duration, expected: &str) {
        let credentials = aws_credential_types::Credentials::new(
            "AKIDEXAMPLE",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            session_token.map(str::to_owned),
            None,
            "test",
        );
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_768_480_496);
        let key = mint(&credentials, "us-east-1", now, life).unwrap();
        let text = key.expose().strip_prefix("bedrock-api-key-").unwrap();
        let url = String::from_utf8(STANDARD.decode(text).unwrap()).unwrap();
        let (path, query) = url.split_once('?').unwrap();
        assert_eq!(path, "bedrock.amazonaws.com/");
        assert!(query.ends_with("&Version=1"), "{query}");
        let parameters =
            |query: &str| -> BTreeSet<String> { query.split('&').map(str::to_owned).collect() };
        assert_eq!(parameters(query), parameters(expected));
    }

    #[test]
    fn keys_equal_those_of_the_official_generator() {
        check(
            None,
            Duration::from_secs(13 * 60 * 60),
            "Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260115%2Fus-east-1%2Fbedrock%2Faws4_request&X-Amz-Date=20260115T123456Z&X-Amz-Expires=43200&X-Amz-SignedHeaders=host&X-Amz-Signature=340231eeb64a8ac38b3ebc68092a689e191fce19ebdb14667aabb20a6f8f8f1e&Version=1",
        );
        check(
            Some("AQoDYXdzEPT//////////wEXAMPLE+SESSION=="),
            Duration::from_secs(3600),
            "Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260115%2Fus-east-1%2Fbedrock%2Faws4_request&X-Amz-Date=20260115T123456Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Security-Token=AQoDYXdzEPT%2F%2F%2F%2F%2F%2F%2F%2F%2F%2FwEXAMPLE%2BSESSION%3D%3D&X-Amz-Signature=9bb53502e54c516766a0583e4dbe6919badec69c3e0eafb68ef4b8ea2dd2b97c&Version=1",
        );
    }
}
