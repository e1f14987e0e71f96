//! Bedrock API keys in place of a signature.

use super::*;

/// A key that botocore's `SigV4QueryAuth` presigned at 2026-01-15T12:34:56Z for twelve hours.
const PRESIGNED: &str = "bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260115%2Fus-east-1%2Fbedrock%2Faws4_request&X-Amz-Date=20260115T123456Z&X-Amz-Expires=43200&X-Amz-SignedHeaders=host&X-Amz-Signature=340231eeb64a8ac38b3ebc68092a689e191fce19ebdb14667aabb20a6f8f8f1e&Version=1";

#[test]
fn a_short_term_key_authenticates_its_signer_while_it_is_valid() {
    let begin = date::parse("20260115T123456Z").unwrap();
    let ask = |url: &str, region: &str, key: Key, after: i64| {
        let keyring = Keyring {
            keys: vec![key],
            regions: vec![region.into()],
            ..Keyring::default()
        };
        let mut request = Vector::named("model-id-colon").request();
        request.headers.retain(|(name, _)| name != "host");
        let key = base64::engine::general_purpose::STANDARD.encode(url);
        set(&mut request, "authorization", |_| {
            format!("Bearer bedrock-api-key-{key}")
        });
        let caller = keyring.authenticate(&request, begin + after);
        caller
            .map(|caller| caller.region)
            .map_err(|error| error.name)
    };
    let key = |secret: &str| Key::new("AKIDEXAMPLE", secret);
    let region = "us-east-1";
    let own = || key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    assert_eq!(ask(PRESIGNED, region, own(), 60), Ok(region.to_owned()));
    let longer = PRESIGNED.replace("Expires=43200", "Expires=43199");
    let other = PRESIGNED.replace("CallWithBearerToken", "DeleteEverything");
    let (denied, invalid) = ("AccessDeniedException", "InvalidSignatureException");
    for (url, region, key, after, error) in [
        (PRESIGNED, region, own(), 43_200, denied),
        (&other, region, own(), 60, denied),
        (PRESIGNED, "eu-west-1", own(), 60, invalid),
        (PRESIGNED, region, key("other"), 60, invalid),
        (&longer, region, own(), 60, invalid),
        (
            PRESIGNED,
            region,
            own().expired(),
            60,
            "ExpiredTokenException",
        ),
    ] {
        assert_eq!(ask(url, region, key, after), Err(error.to_owned()));
    }
}

#[test]
fn a_bearer_key_replaces_the_signature() {
    let keyring = Keyring {
        bearer_keys: vec!["bedrock-api-key-EXAMPLE".into()],
        regions: vec!["us-east-1".into()],
        ..Keyring::default()
    };
    let mut request = Vector::named("model-id-colon").request();
    set(&mut request, "authorization", |_| {
        "Bearer bedrock-api-key-EXAMPLE".into()
    });
    assert!(keyring.authenticate(&request, 0).unwrap().key.is_none());
    set(&mut request, "authorization", |_| "Bearer other".into());
    assert_eq!(
        keyring.authenticate(&request, 0).unwrap_err().name,
        "AccessDeniedException"
    );
}
