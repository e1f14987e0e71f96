//! Compares the filter's signatures with those of others.
//!
//! `vectors/sigv4.json` was computed with botocore; any other request is also signed by
//! `aws-sigv4`.

use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{self, SignableBody, SignableRequest, SigningSettings};
use aws_sigv4::sign::v4;
use bedrock_filter::bedrock::{Operation, path};
use bedrock_filter::config::{Credentials, SignedBy};
use bedrock_filter::secret::Secret;
use bedrock_filter::sign::{SignedHeader, Signer, Unsigned};
use http::{HeaderName, HeaderValue};
use proptest::prelude::*;
use serde_json::Value;

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("vectors/sigv4.json")).unwrap()
}

fn text(vector: &Value, key: &str) -> String {
    vector[key].as_str().unwrap().to_owned()
}

/// 2026-01-15T12:34:56Z, the time of every vector.
fn time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_768_480_496)
}

fn header(name: &str, value: &str) -> (HeaderName, HeaderValue) {
    (name.parse().unwrap(), value.parse().unwrap())
}

fn sign(vector: &Value) -> Vec<SignedHeader> {
    let credentials = Credentials::Static {
        access_key_id: text(vector, "access_key"),
        secret_access_key: Secret::new(text(vector, "secret_key")),
        session_token: vector["session_token"].as_str().map(Secret::new),
        expires_at: None,
    };
    let by_signer = ["host", "x-amz-date", "x-amz-security-token"];
    let headers: Vec<_> = vector["headers"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| !by_signer.contains(&name.as_str()))
        .map(|(name, value)| header(name, value.as_str().unwrap()))
        .collect();
    let (authority, path, body) = (
        text(vector, "host"),
        text(vector, "wire_path"),
        text(vector, "body"),
    );
    let unsigned = Unsigned {
        authority: &authority,
        path: &path,
        headers: &headers,
        body: &[body.as_bytes()],
    };
    Signer::new(&credentials, &text(vector, "region"), SignedBy::Filter)
        .sign(unsigned, time())
        .unwrap()
}

#[test]
fn all_nine_vectors_have_their_signature() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 9);
    for vector in &vectors {
        let signed = sign(vector);
        let signed = |name: &str| {
            let found = signed.iter().find(|(own, _)| *own == name);
            found.map(|(_, value)| value.to_str().unwrap())
        };
        let name = text(vector, "name");
        let expected = text(vector, "authorization");
        assert_eq!(signed("authorization"), Some(&*expected), "{name}");
        assert_eq!(signed("x-amz-date"), vector["amz_date"].as_str(), "{name}");
        let token = vector["session_token"].as_str();
        assert_eq!(signed("x-amz-security-token"), token, "{name}");
    }
}

#[test]
fn our_path_is_the_fully_encoded_form_of_the_vectors() {
    let encoded = vectors().into_iter().filter(|vector| {
        let name = text(vector, "name");
        let invoke = text(vector, "wire_path").contains("/invoke");
        invoke && !name.starts_with("RAW-COLON")
    });
    let mut compared = 0;
    for vector in encoded {
        let wire_path = text(&vector, "wire_path");
        let operation = if wire_path.ends_with("stream") {
            Operation::InvokeWithResponseStream
        } else {
            Operation::Invoke
        };
        assert_eq!(path(&text(&vector, "model_id"), operation), wire_path);
        compared += 1;
    }
    assert_eq!(compared, 6);
}

/// The headers that `aws-sigv4` would add.
fn sign_with_aws_sigv4(
    credentials: aws_credential_types::Credentials,
    region: &str,
    request: Unsigned<'_>,
    now: SystemTime,
) -> Vec<(String, String)> {
    let identity = credentials.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("bedrock")
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let uri = format!("https://{}{}", request.authority, request.path);
    let own = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    let headers = std::iter::once(("host", request.authority)).chain(own);
    let body = request.body.concat();
    let body = SignableBody::Bytes(&body);
    let signable = SignableRequest::new("POST", uri, headers, body).unwrap();
    let output = http_request::sign(signable, &params).unwrap();
    let headers = output.output().headers();
    headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

proptest! {
    #[test]
    fn aws_sigv4_computes_the_same_signatures(
        model in "[ -~]{1,60}",
        guardrail in proptest::option::of("[!-~]{1,20}( {1,3}[!-~]{1,20}){0,2}"),
        token in proptest::option::of("[!-~]{1,200}"),
        body in proptest::collection::vec(any::<u8>(), 0..300),
        seconds in proptest::collection::vec(0_u64..4_000_000_000, 1..4),
    ) {
        // aws-sigv4 removes such a segment, as RFC 3986 says; no model has such an id.
        prop_assume!(model != "." && model != "..");
        let path = path(&model, Operation::Invoke);
        let mut headers = vec![header("content-type", "application/json")];
        headers.extend(guardrail.map(|value| header("x-amzn-bedrock-guardrailidentifier", &value)));
        let (start, end) = body.split_at(body.len() / 3);
        let request = Unsigned {
            authority: "bedrock-runtime.us-east-1.amazonaws.com",
            path: &path,
            headers: &headers,
            // The signature does not depend on how the body is cut.
            body: &[start, end],
        };
        let (id, secret) = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let signer = Signer::new(
            &Credentials::Static {
                access_key_id: id.to_owned(),
                secret_access_key: Secret::new(secret),
                session_token: token.clone().map(Secret::new),
                expires_at: None,
            },
            "us-east-1",
            SignedBy::Filter,
        );
        // One signer over several days: its key must follow the date.
        for seconds in seconds {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            let identity = aws_credential_types::Credentials::new(id, secret, token.clone(), None, "test");
            let mut expected = sign_with_aws_sigv4(identity, "us-east-1", request, now);
            let mut signed: Vec<_> = signer
                .sign(request, now)
                .unwrap()
                .into_iter()
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect();
            expected.sort();
            signed.sort();
            prop_assert_eq!(signed, expected);
        }
    }
}

#[test]
fn a_bearer_key_is_sent_as_it_is() {
    let credentials = Credentials::BedrockApiKey {
        api_key: Secret::new("bedrock-api-key-EXAMPLE"),
        expires_at: None,
    };
    let request = Unsigned {
        authority: "bedrock-runtime.us-east-1.amazonaws.com",
        path: "/model/m/invoke",
        headers: &[],
        body: &[b"{}"],
    };
    let signed = Signer::new(&credentials, "us-east-1", SignedBy::Filter)
        .sign(request, time())
        .unwrap();
    let expected = header("authorization", "Bearer bedrock-api-key-EXAMPLE");
    assert_eq!(signed, [expected]);
    let shown = format!("{signed:?}");
    assert!(!shown.contains("EXAMPLE"), "{shown}");
}
