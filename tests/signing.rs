//! The reference signatures, reproduced by the filter's signer.
//!
//! `vectors/sigv4.json` was computed with botocore.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::time::{Duration, SystemTime};

use bedrock_filter::bedrock::{Operation, path};
use bedrock_filter::config::{Credentials, Secret};
use bedrock_filter::sign::{Signer, Unsigned};
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

fn sign(vector: &Value) -> Vec<(String, String)> {
    let credentials = Credentials::Static {
        access_key_id: text(vector, "access_key"),
        secret_access_key: Secret::new(text(vector, "secret_key")),
        session_token: vector["session_token"].as_str().map(Secret::new),
    };
    let by_signer = ["host", "x-amz-date", "x-amz-security-token"];
    let headers: Vec<(&'static str, String)> = vector["headers"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| !by_signer.contains(&name.as_str()))
        .map(|(name, value)| (&*name.clone().leak(), value.as_str().unwrap().to_owned()))
        .collect();
    let (authority, path, body) = (
        text(vector, "host"),
        text(vector, "wire_path"),
        text(vector, "body"),
    );
    let unsigned = Unsigned {
        scheme: "https",
        authority: &authority,
        path: &path,
        headers: &headers,
        body: body.as_bytes(),
    };
    Signer::new(&credentials, &text(vector, "region"))
        .sign(unsigned, time())
        .unwrap()
}

#[test]
fn all_nine_vectors_have_their_signature() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 9);
    for vector in &vectors {
        let signed = sign(vector);
        let header = |name: &str| {
            let found = signed.iter().find(|(own, _)| own == name);
            found.map(|(_, value)| value.as_str())
        };
        let name = text(vector, "name");
        let expected = text(vector, "authorization");
        assert_eq!(header("authorization"), Some(&*expected), "{name}");
        assert_eq!(header("x-amz-date"), vector["amz_date"].as_str(), "{name}");
        let token = vector["session_token"].as_str();
        assert_eq!(header("x-amz-security-token"), token, "{name}");
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
