//! Credentials: kept, replaced, and never repeated.

use super::*;
use crate::channel::fingerprint;

#[test]
fn credentials_are_checked_without_repeating_them() {
    let stored = full();
    for (json, expected) in [
        (
            r#"{}"#,
            vec![
                "type required",
                "access_key_id required",
                "secret_access_key required",
            ],
        ),
        (
            r#"{"type":"role","access_key_id":"A","secret_access_key":"hush"}"#,
            vec!["type unknown_value"],
        ),
        (
            r#"{"type":"static","access_key_id":1,"secret_access_key":["hush"],"session_token":5}"#,
            vec![
                "access_key_id invalid_type",
                "secret_access_key invalid_type",
                "session_token invalid_type",
            ],
        ),
        (
            r#"{"type":"static","access_key_id":"","secret_access_key":null}"#,
            vec![
                "access_key_id not_clearable",
                "secret_access_key not_clearable",
            ],
        ),
        (
            r#"{"type":"static","access_key_id":"A","secret_access_key":"hush","secret":"hush"}"#,
            vec!["secret unknown_field"],
        ),
        (
            r#"{"type":"static","access_key_id":"A","secret_access_key":"hush","secret_access_key":"b"}"#,
            vec!["secret_access_key duplicate_field"],
        ),
    ] {
        let body = format!(r#"{{"credentials":{json}}}"#);
        let mut faults = Vec::new();
        Edit::parse(body.as_bytes(), &mut faults)
            .unwrap()
            .apply(Base::Patch(&stored), &mut faults);
        let found: Vec<_> = faults
            .iter()
            .map(|fault| {
                format!(
                    "{} {}",
                    fault.pointer.trim_start_matches("/credentials/"),
                    fault.code
                )
            })
            .collect();
        assert_eq!(found, expected, "{json}");
        assert!(!format!("{faults:?}").contains("hush"), "{faults:?}");
    }
}

#[test]
fn credentials_as_shown_by_a_read_keep_the_stored_secret() {
    let stored = full();
    let shown = |id: &str, secret: &str, token: bool| {
        let fingerprint = fingerprint(&Secret::new(secret));
        format!(
            r#"{{"credentials":{{"type":"static","access_key_id":"{id}",
                "fingerprint":"{fingerprint}","has_session_token":{token}}}}}"#
        )
    };
    let same = shown("AKIDSTORED", "stored-secret", false);
    assert_eq!(apply(Base::Patch(&stored), &same).unwrap(), stored);
    for other in [
        shown("AKIDOTHER", "stored-secret", false),
        shown("AKIDSTORED", "older-secret", false),
        shown("AKIDSTORED", "stored-secret", true),
    ] {
        let fault = "/credentials/secret_access_key secret_required";
        refuses(Base::Patch(&stored), &other, &[fault]);
        refuses(
            Base::New,
            &other,
            &["/name required", "/region required", fault],
        );
    }
    let with_secret = r#"{"credentials":{"type":"static","access_key_id":"AKIDNEW",
        "secret_access_key":"new","fingerprint":"0123456789abcdef","has_session_token":false}}"#;
    let new = Credentials::Static {
        access_key_id: "AKIDNEW".to_owned(),
        secret_access_key: Secret::new("new"),
        session_token: None,
    };
    let edited = apply(Base::Patch(&stored), with_secret).unwrap();
    assert_eq!(edited.credentials, new);
    refuses(
        Base::Patch(&stored),
        r#"{"credentials":{"type":"static","access_key_id":"A","fingerprint":1,
            "has_session_token":"no"}}"#,
        &[
            "/credentials/fingerprint invalid_type",
            "/credentials/has_session_token invalid_type",
        ],
    );
}

#[test]
fn an_api_key_is_written_and_kept_like_an_access_key() {
    let stored = Channel {
        credentials: Credentials::BedrockApiKey {
            api_key: Secret::new("bedrock-api-key-EXAMPLE"),
        },
        ..full()
    };
    let key = r#"{"credentials":{"type":"bedrock_api_key","api_key":"bedrock-api-key-EXAMPLE"}}"#;
    assert_eq!(apply(Base::Patch(&full()), key).unwrap(), stored);
    let shown = |secret: &str| {
        let fingerprint = fingerprint(&Secret::new(secret));
        format!(r#"{{"credentials":{{"type":"bedrock_api_key","fingerprint":"{fingerprint}"}}}}"#)
    };
    let same = shown("bedrock-api-key-EXAMPLE");
    assert_eq!(apply(Base::Patch(&stored), &same).unwrap(), stored);
    let fault = "/credentials/api_key secret_required";
    refuses(Base::Patch(&stored), &shown("another"), &[fault]);
    refuses(Base::Patch(&full()), &same, &[fault]);
    refuses(
        Base::Patch(&stored),
        r#"{"credentials":{"type":"bedrock_api_key","access_key_id":"A"}}"#,
        &[
            "/credentials/access_key_id unknown_field",
            "/credentials/api_key required",
        ],
    );
    refuses(
        Base::Patch(&stored),
        r#"{"credentials":{"type":"api_key"}}"#,
        &[
            "/credentials/type unknown_value",
            "/credentials/access_key_id required",
            "/credentials/secret_access_key required",
        ],
    );
}
