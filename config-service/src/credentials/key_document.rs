//! Keys in a text: a file, or a secret that AWS stores.
//!
//! Either a Bedrock API key and nothing else, or a JSON object with one of these:
//!
//! | key | members |
//! |---|---|
//! | access key | `access_key_id`, `secret_access_key` and, with temporary credentials, `session_token`; or `AccessKeyId`, `SecretAccessKey`, `SessionToken` and `Expiration`, as AWS's `credential_process` writes them |
//! | Bedrock API key | `api_key` |
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>

use std::time::SystemTime;

use aws_credential_types::Credentials as AwsCredentials;
use bedrock_filter::config::KeyNotes;
use bedrock_filter::secret::Secret;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// How a Bedrock API key begins. Any other text is not sent anywhere.
const API_KEY_PREFIXES: [&str; 2] = ["ABSK", "bedrock-api-key-"];

/// A key that was found.
pub(super) enum Key {
    /// One that signs.
    Access(AwsCredentials),
    /// One that is sent.
    Api(Secret),
}

/// Why a text has no key. Never quotes the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyDocumentError {
    /// Something else.
    #[error(
        "there is no key in it: expected a Bedrock API key, or a JSON object with `api_key`, or with \
         `access_key_id` and `secret_access_key`"
    )]
    NoKey,
    /// Half of an access key, or two keys.
    #[error("it must have either `api_key`, or both `access_key_id` and `secret_access_key`")]
    Incomplete,
    /// A key that was damaged on its way.
    #[error("its `{0}` is not a key: it has other characters in or around it")]
    Damaged(&'static str),
    /// A time that is not one.
    #[error("its `Expiration` is not a time such as 2026-01-31T10:16:00Z")]
    Expiration,
}

/// No `deny_unknown_fields`: `credential_process` has a version, and rotation functions add what they need.
#[derive(Deserialize)]
struct Document {
    #[serde(alias = "AccessKeyId")]
    access_key_id: Option<String>,
    #[serde(alias = "SecretAccessKey")]
    secret_access_key: Option<String>,
    #[serde(alias = "SessionToken")]
    session_token: Option<String>,
    #[serde(alias = "Expiration")]
    expiration: Option<String>,
    api_key: Option<String>,
}

/// The key in a text.
///
/// # Errors
///
/// When the text contains no key.
pub(super) fn key_in(text: &str) -> Result<Key, KeyDocumentError> {
    let text = text.trim();
    if !text.starts_with('{') {
        let is_key = API_KEY_PREFIXES.iter().any(|own| text.starts_with(own));
        return if is_key {
            api_key(text)
        } else {
            Err(KeyDocumentError::NoKey)
        };
    }
    let document: Document = serde_json::from_str(text).map_err(|_| KeyDocumentError::NoKey)?;
    match document {
        Document {
            api_key: Some(key),
            access_key_id: None,
            secret_access_key: None,
            ..
        } => api_key(&key),
        Document {
            access_key_id: Some(id),
            secret_access_key: Some(secret),
            api_key: None,
            session_token,
            expiration,
        } => access_key(&id, secret, session_token, expiration.as_deref()),
        Document {
            access_key_id: None,
            secret_access_key: None,
            api_key: None,
            ..
        } => Err(KeyDocumentError::NoKey),
        _ => Err(KeyDocumentError::Incomplete),
    }
}

fn api_key(text: &str) -> Result<Key, KeyDocumentError> {
    let key = Secret::new(text);
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_plain || !KeyNotes::of_api_key(&key, "").faults.is_empty() {
        return Err(KeyDocumentError::Damaged("api_key"));
    }
    Ok(Key::Api(key))
}

fn access_key(
    id: &str,
    secret: String,
    token: Option<String>,
    expiration: Option<&str>,
) -> Result<Key, KeyDocumentError> {
    let token = token.filter(|token| !token.is_empty());
    let notes = KeyNotes::of_access_key(
        id,
        &Secret::new(secret.as_str()),
        token.as_deref().map(Secret::new).as_ref(),
    );
    if let Some(fault) = notes.faults.first() {
        let fields = ["access_key_id", "session_token"];
        let field = fields.into_iter().find(|own| fault.pointer.ends_with(own));
        return Err(KeyDocumentError::Damaged(
            field.unwrap_or("secret_access_key"),
        ));
    }
    let expiry = expiration.map(|text| {
        let time = OffsetDateTime::parse(text, &Rfc3339);
        time.map(SystemTime::from)
            .map_err(|_| KeyDocumentError::Expiration)
    });
    let expiry = expiry.transpose()?;
    Ok(Key::Access(AwsCredentials::new(
        id, secret, token, expiry, "stored",
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    #[track_caller]
    fn check(text: &str, expected: Result<&str, KeyDocumentError>) {
        let found = key_in(text).map(|key| match key {
            Key::Api(key) => key.expose().to_owned(),
            Key::Access(key) => format!(
                "{} {} {}",
                key.access_key_id(),
                key.session_token().unwrap_or("-"),
                key.expiry().map_or(0, |at| at
                    .duration_since(SystemTime::UNIX_EPOCH)
                    .unwrap()
                    .as_secs()),
            ),
        });
        assert_eq!(found, expected.map(str::to_owned), "{text}");
    }

    #[test]
    fn keys_are_read_in_every_form() {
        check(" ABSKabc\n", Ok("ABSKabc"));
        check(
            r#"{"api_key": "bedrock-api-key-YWJj"}"#,
            Ok("bedrock-api-key-YWJj"),
        );
        let ours =
            format!(r#"{{"access_key_id": "AKIDEXAMPLE", "secret_access_key": "{SECRET}"}}"#);
        check(&ours, Ok("AKIDEXAMPLE - 0"));
        let aws = format!(
            r#"{{"Version": 1, "AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "{SECRET}",
                "SessionToken": "t", "Expiration": "1970-01-01T00:01:00Z"}}"#
        );
        check(&aws, Ok("ASIAEXAMPLE t 60"));
    }

    #[test]
    fn other_texts_have_no_key_and_are_not_quoted() {
        let no_key = Err(KeyDocumentError::NoKey);
        for text in [
            "",
            "root:x:0:0:root:/root:/bin/sh",
            "{",
            "{}",
            "[]",
            "sk-abc",
        ] {
            check(text, no_key);
        }
        check(
            r#"{"access_key_id": "AKIDEXAMPLE"}"#,
            Err(KeyDocumentError::Incomplete),
        );
        let both = r#"{"access_key_id": "A", "secret_access_key": "s", "api_key": "ABSKx"}"#;
        check(both, Err(KeyDocumentError::Incomplete));
        let masked = r#"{"access_key_id": "AKIDEXAMPLE", "secret_access_key": "********"}"#;
        check(masked, Err(KeyDocumentError::Damaged("secret_access_key")));
        check("ABSKabc def", Err(KeyDocumentError::Damaged("api_key")));
        let late = format!(
            r#"{{"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "{SECRET}", "Expiration": "soon"}}"#
        );
        check(&late, Err(KeyDocumentError::Expiration));
    }
}
