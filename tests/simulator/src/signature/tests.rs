//! The verifier against signatures computed by botocore.

mod bearer;

use std::collections::BTreeMap;

use base64::Engine as _;
use bytes::Bytes;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Vector {
    name: String,
    access_key: String,
    secret_key: String,
    session_token: Option<String>,
    region: String,
    amz_date: String,
    method: String,
    wire_path: String,
    canonical_uri: String,
    headers: BTreeMap<String, String>,
    body: String,
    body_sha256: String,
    canonical_request: String,
    string_to_sign: String,
    authorization: String,
}

impl Vector {
    fn all() -> Vec<Self> {
        serde_json::from_str(include_str!("../../../vectors/sigv4.json")).unwrap()
    }

    fn request(&self) -> WireRequest {
        let mut headers: Vec<(String, String)> = self.headers.clone().into_iter().collect();
        headers.push(("authorization".into(), self.authorization.clone()));
        WireRequest {
            method: self.method.clone(),
            path: self.wire_path.clone(),
            query: String::new(),
            headers,
            body: Bytes::from(self.body.clone()),
        }
    }

    fn keyring(&self) -> Keyring {
        let mut key = Key::new(&self.access_key, &self.secret_key);
        key.session_token = self.session_token.clone();
        Keyring {
            keys: vec![key],
            ..Keyring::default()
        }
    }

    fn now(&self) -> i64 {
        date::parse(&self.amz_date).unwrap()
    }

    fn named(name: &str) -> Self {
        Self::all().into_iter().find(|v| v.name == name).unwrap()
    }
}

#[test]
fn all_nine_vectors_verify() {
    let vectors = Vector::all();
    assert_eq!(vectors.len(), 9);
    for vector in vectors {
        let (request, name) = (vector.request(), &vector.name);
        let authorization = Authorization::parse(&vector.authorization).unwrap();
        let canonical = canonical::canonical_request(&request, &authorization.signed_headers);
        assert_eq!(canonical, vector.canonical_request, "{name}");
        assert!(canonical.contains(&vector.canonical_uri), "{name}");
        assert_eq!(
            canonical::sha256_hex(&request.body),
            vector.body_sha256,
            "{name}"
        );
        let scope = authorization.scope();
        let to_sign = canonical::string_to_sign(&vector.amz_date, &scope, &canonical);
        assert_eq!(to_sign, vector.string_to_sign, "{name}");
        let caller = vector.keyring().authenticate(&request, vector.now());
        assert_eq!(caller.unwrap().region, vector.region, "{name}");
    }
}

#[test]
fn five_minutes_either_way_are_tolerated() {
    let vector = Vector::named("model-id-colon");
    let verdict = |shift: i64| {
        vector
            .keyring()
            .authenticate(&vector.request(), vector.now() + shift)
    };
    assert!(verdict(300).is_ok());
    assert!(verdict(-300).is_ok());
    assert_eq!(
        verdict(301).unwrap_err().message,
        "Signature expired: 20260115T123456Z is now earlier than 20260115T123457Z (20260115T123957Z - 5 min.)"
    );
    assert_eq!(
        verdict(-301).unwrap_err().message,
        "Signature not yet current: 20260115T123456Z is still later than 20260115T123455Z (20260115T122955Z + 5 min.)"
    );
}

/// Changes a request; the vector with a session token is the base.
fn refusal(change: impl FnOnce(&mut WireRequest)) -> (u16, String, String) {
    let vector = Vector::named("app-inference-profile-arn+token");
    let mut request = vector.request();
    change(&mut request);
    let error = vector
        .keyring()
        .authenticate(&request, vector.now())
        .unwrap_err();
    (error.status, error.name, error.message)
}

fn set(request: &mut WireRequest, name: &str, edit: impl Fn(&str) -> String) {
    for (candidate, value) in &mut request.headers {
        if candidate == name {
            *value = edit(value);
        }
    }
}

fn drop_header(request: &mut WireRequest, name: &str) {
    request.headers.retain(|(candidate, _)| candidate != name);
}

#[test]
fn whatever_is_signed_cannot_be_changed() {
    let mismatch = "InvalidSignatureException";
    type Change = (&'static str, fn(&mut WireRequest));
    let changes: [Change; 8] = [
        ("body", |r| r.body = Bytes::from_static(b"{}")),
        ("path", |r| r.path = r.path.replace("%2F", "/")),
        ("query", |r| r.query = "a=b".into()),
        ("method", |r| r.method = "GET".into()),
        ("content-type", |r| {
            set(r, "content-type", |_| "text/plain".into())
        }),
        ("host", |r| set(r, "host", |v| format!("x.{v}"))),
        ("repeated header", |r| {
            r.headers.push(("content-type".into(), "a".into()))
        }),
        ("signature", |r| {
            set(r, "authorization", |v| {
                v.replace("Signature=f24", "Signature=f25")
            })
        }),
    ];
    for (what, change) in changes {
        let (status, name, message) = refusal(change);
        assert_eq!((status, name.as_str()), (403, mismatch), "{what}");
        assert!(
            message.starts_with("The request signature we calculated"),
            "{what}: {message}"
        );
    }
}

#[test]
fn refusals_have_the_status_and_name_of_aws() {
    type Case = (
        &'static str,
        fn(&mut WireRequest),
        u16,
        &'static str,
        &'static str,
    );
    let cases: [Case; 15] = [
        (
            "no header",
            |r| drop_header(r, "authorization"),
            403,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ),
        (
            "algorithm",
            |r| set(r, "authorization", |v| v.replace("SHA256", "SHA1")),
            400,
            "IncompleteSignatureException",
            "AWS4-HMAC-SHA1",
        ),
        (
            "no signature",
            |r| set(r, "authorization", |v| v.replace("Signature=", "Other=")),
            400,
            "IncompleteSignatureException",
            "'Signature'",
        ),
        (
            "short scope",
            |r| set(r, "authorization", |v| v.replace("/aws4_request", "")),
            400,
            "IncompleteSignatureException",
            "5 slash-delimited",
        ),
        (
            "no date",
            |r| drop_header(r, "x-amz-date"),
            400,
            "IncompleteSignatureException",
            "X-Amz-Date",
        ),
        (
            "odd date",
            |r| set(r, "x-amz-date", |v| v.replace('T', " ")),
            400,
            "IncompleteSignatureException",
            "ISO-8601",
        ),
        (
            "scope day",
            |r| {
                set(r, "authorization", |v| {
                    v.replace("/20260115/", "/20260114/")
                })
            },
            403,
            "InvalidSignatureException",
            "Date in Credential scope",
        ),
        (
            "region",
            |r| set(r, "authorization", |v| v.replace("us-east-1", "us-east-2")),
            403,
            "InvalidSignatureException",
            "valid region",
        ),
        (
            "service",
            |r| {
                set(r, "authorization", |v| {
                    v.replace("/bedrock/", "/bedrock-runtime/")
                })
            },
            403,
            "InvalidSignatureException",
            "correct service: 'bedrock'",
        ),
        (
            "terminator",
            |r| {
                set(r, "authorization", |v| {
                    v.replace("aws4_request", "aws5_request")
                })
            },
            403,
            "InvalidSignatureException",
            "terminator",
        ),
        (
            "unknown key",
            |r| {
                set(r, "authorization", |v| {
                    v.replace("AKIDEXAMPLE", "AKIDOTHER")
                })
            },
            403,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        (
            "token missing",
            |r| drop_header(r, "x-amz-security-token"),
            403,
            "UnrecognizedClientException",
            "invalid.",
        ),
        (
            "token wrong",
            |r| set(r, "x-amz-security-token", |v| format!("{v}x")),
            403,
            "UnrecognizedClientException",
            "invalid.",
        ),
        (
            "host unsigned",
            |r| {
                set(r, "authorization", |v| {
                    v.replace("content-type;host", "content-type")
                })
            },
            403,
            "InvalidSignatureException",
            "'Host'",
        ),
        (
            "x-amz unsigned",
            |r| r.headers.push(("x-amz-foo".into(), "1".into())),
            403,
            "InvalidSignatureException",
            "not signed: x-amz-foo",
        ),
    ];
    for (what, change, status, name, text) in cases {
        let refused = refusal(change);
        assert_eq!((refused.0, refused.1.as_str()), (status, name), "{what}");
        assert!(refused.2.contains(text), "{what}: {}", refused.2);
    }
}

#[test]
fn a_payload_hash_that_is_sent_must_be_right() {
    let (_, name, message) = refusal(|r| {
        r.headers
            .push(("x-amz-content-sha256".into(), "UNSIGNED-PAYLOAD".into()))
    });
    assert_eq!(name, "InvalidSignatureException");
    assert!(message.contains("not signed"), "{message}");
    let vector = Vector::named("stream+extra-headers+token+content-sha256");
    let mut request = vector.request();
    set(&mut request, "x-amz-content-sha256", |_| {
        "UNSIGNED-PAYLOAD".into()
    });
    let error = vector
        .keyring()
        .authenticate(&request, vector.now())
        .unwrap_err();
    assert!(
        error.message.contains("x-amz-content-sha256"),
        "{}",
        error.message
    );
}

#[test]
fn an_expired_session_is_distinguished_from_an_unknown_one() {
    let vector = Vector::named("model-id-colon+token");
    let mut keyring = vector.keyring();
    keyring.keys[0].state = KeyState::Expired;
    let error = keyring
        .authenticate(&vector.request(), vector.now())
        .unwrap_err();
    assert_eq!(
        (error.status, error.name.as_str()),
        (403, "ExpiredTokenException")
    );
}

#[test]
fn a_long_term_key_must_not_come_with_a_session_token() {
    let vector = Vector::named("model-id-colon+token");
    let mut keyring = vector.keyring();
    keyring.keys[0].session_token = None;
    let error = keyring
        .authenticate(&vector.request(), vector.now())
        .unwrap_err();
    assert_eq!(error.name, "UnrecognizedClientException");
}

#[test]
fn the_host_names_the_region() {
    for (host, region) in [
        ("bedrock-runtime.eu-west-1.amazonaws.com", Some("eu-west-1")),
        (
            "bedrock-runtime-fips.us-gov-west-1.amazonaws.com",
            Some("us-gov-west-1"),
        ),
        (
            "vpce-1a-2b.bedrock-runtime.us-east-1.vpce.amazonaws.com",
            Some("us-east-1"),
        ),
        (
            "bedrock-runtime.cn-north-1.amazonaws.com.cn:443",
            Some("cn-north-1"),
        ),
        ("127.0.0.1:9000", None),
        ("localhost", None),
        ("bedrock-runtime.test", None),
        ("bedrock-runtime.eu.example.com", None),
        ("bedrock-runtime.us-west-2.api.aws", Some("us-west-2")),
    ] {
        assert_eq!(region_of_host(host), region, "{host}");
    }
}
