//! Keys: how they are made, what is stored of them, and what is shown.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bedrock_filter::config::{CallerKey, KeyDigest, TextFault};
use bedrock_filter::secret::Secret;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Timestamp;
use crate::fault::{Fault, child};
use crate::reader::{self, Kind, SyntaxError};
use crate::setting::SettingType as _;

/// Start of every key made here, so that scanners for leaked secrets, and people, recognise it.
const PREFIX: &str = "sk-bf-";

/// Number of random bytes in a key.
const RANDOM_BYTES: usize = 32;

/// How many characters at a key's end are shown.
const SHOWN: usize = 4;

/// Longest time for which a key stays valid after it was rotated, in seconds: 30 days.
const MAX_OVERLAP: u32 = 30 * 24 * 60 * 60;

/// Longest name of a key, in characters.
const MAX_NAME: usize = 100;

/// What is stored of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// Its id.
    pub id: String,
    /// What administrators call it; may be empty.
    pub name: String,
    /// Its hash.
    pub digest: KeyDigest,
    /// What may be shown of it.
    pub hint: String,
    /// From when it is refused.
    pub expires_at: Option<Timestamp>,
    /// When it was created, RFC 3339 in UTC.
    pub created_at: String,
    /// Who created it.
    pub created_by: String,
    /// Whether another has been made in place of it.
    pub is_rotated: bool,
}

/// A key as administrators read it, without the key.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CallerKey)]
pub struct KeyView {
    /// Its id.
    pub id: String,
    /// What administrators call it; may be empty.
    pub name: String,
    /// The end of the key, or the start of a hash that was brought.
    pub hint: String,
    /// The first 12 hexadecimal digits of its SHA-256; usage names it so.
    pub fingerprint: String,
    /// From when it is refused, RFC 3339 in UTC; null: never.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub expires_at: Option<Timestamp>,
    /// When it was created, RFC 3339 in UTC.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Who created it.
    pub created_by: String,
    /// When it was last sent, RFC 3339 in UTC; absent if that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    pub last_used_at: Option<Timestamp>,
}

impl From<&StoredKey> for KeyView {
    fn from(key: &StoredKey) -> Self {
        Self {
            id: key.id.clone(),
            name: key.name.clone(),
            hint: key.hint.clone(),
            fingerprint: key.mark(),
            expires_at: key.expires_at,
            created_at: key.created_at.clone(),
            created_by: key.created_by.clone(),
            last_used_at: None,
        }
    }
}

impl StoredKey {
    /// The start of its hash, by which usage records name it.
    pub(crate) fn mark(&self) -> String {
        self.digest.mark().to_string()
    }

    /// The key as the filter reads it.
    pub(super) fn served(&self) -> CallerKey {
        CallerKey {
            sha256: self.digest,
            expires_at: self.expires_at.map(Timestamp::seconds),
        }
    }
}

/// A key to be stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyRequest {
    /// What administrators call it.
    pub(crate) name: String,
    /// From when it is refused.
    pub(crate) expires_at: Option<Timestamp>,
    /// The hash of a key that exists already; without it, one is made.
    pub(crate) key_hash: Option<KeyDigest>,
}

const FIELDS: &[&str] = &["name", "expires_at", "key_hash"];

impl KeyRequest {
    /// Reads a body; an empty one asks for a key without a name. Faults are added to `faults`.
    ///
    /// # Errors
    ///
    /// When the body is not well-formed JSON in UTF-8.
    pub(crate) fn parse(body: &[u8], faults: &mut Vec<Fault>) -> Result<Self, SyntaxError> {
        let mut request = Self::default();
        if body.is_empty() {
            return Ok(request);
        }
        reader::fields(body, faults, |field, raw, faults| {
            let at = child("", field);
            match field {
                "name" => {
                    let name = reader::nullable_text(raw, &at, faults).flatten();
                    request.name = name.unwrap_or_default();
                    faults.extend(check_name(&request.name));
                }
                "expires_at" => {
                    request.expires_at = Option::<Timestamp>::read(raw, &at, faults).flatten();
                }
                // An empty text must not make a new key in place of the one that was to be brought.
                "key_hash" if Kind::of(raw) != Kind::Null => {
                    let text = reader::nullable_text(raw, &at, faults);
                    let text = text.map(Option::unwrap_or_default);
                    request.key_hash = text.and_then(|text| read_hash(&text, &at, faults));
                }
                "key_hash" => {}
                _ => faults.push(reader::unknown(field, &at, FIELDS)),
            }
        })?;
        Ok(request)
    }
}

/// How to rotate a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyRotation {
    /// How many seconds the old key stays valid.
    pub(crate) overlap: u32,
    /// From when the new one is refused, if the body says so; `Some(None)` is never.
    pub(crate) expires_at: Option<Option<Timestamp>>,
}

impl KeyRotation {
    const FIELDS: &[&str] = &["overlap_seconds", "expires_at"];

    /// Reads a body; an empty one revokes the old key at once. Faults are added to `faults`.
    ///
    /// # Errors
    ///
    /// When the body is not well-formed JSON in UTF-8.
    pub(crate) fn parse(body: &[u8], faults: &mut Vec<Fault>) -> Result<Self, SyntaxError> {
        let mut order = Self::default();
        if body.is_empty() {
            return Ok(order);
        }
        reader::fields(body, faults, |name, raw, faults| {
            let at = child("", name);
            match name {
                "overlap_seconds" => order.overlap = overlap(raw, &at, faults),
                "expires_at" => order.expires_at = Option::<Timestamp>::read(raw, &at, faults),
                _ => faults.push(reader::unknown(name, &at, Self::FIELDS)),
            }
        })?;
        Ok(order)
    }
}

fn overlap(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> u32 {
    let read = reader::nullable_number(raw, at, faults).flatten();
    let overlap = read.unwrap_or(0);
    if overlap > MAX_OVERLAP {
        let message = format!("is {overlap}, but must be 0 to {MAX_OVERLAP} seconds");
        faults.push(Fault::new(at, "out_of_range", message));
    }
    overlap
}

fn check_name(name: &str) -> Option<Fault> {
    let has_controls = TextFault::all(name).contains(&TextFault::Control);
    (has_controls || name.chars().count() > MAX_NAME).then(|| {
        let message = format!("must be at most {MAX_NAME} characters, without line breaks");
        Fault::new("/name", "invalid_name", message)
    })
}

/// A hash, with or without the name of its kind.
fn read_hash(text: &str, at: &str, faults: &mut Vec<Fault>) -> Option<KeyDigest> {
    let digest = text.strip_prefix("sha256:").unwrap_or(text).parse();
    if digest.is_err() {
        // It may be the key itself.
        let message = "must be the SHA-256 of a key as 64 hexadecimal digits: printf %s \"$KEY\" | sha256sum (the \
                       value is hidden)";
        faults.push(Fault::new(at, "invalid_key_hash", message));
    }
    let digest = digest.ok()?;
    if is_empty_key(&digest) {
        let message = "is the SHA-256 of an empty text, which is nobody's key";
        faults.push(Fault::new(at, "invalid_key_hash", message));
    }
    Some(digest)
}

/// Whether it is what comes of an empty variable in place of a key.
pub(crate) fn is_empty_key(digest: &KeyDigest) -> bool {
    *digest == KeyDigest::of(b"")
}

/// Makes a key: the key, its hash, and what may be shown of it.
///
/// # Errors
///
/// When the system provides no random numbers.
pub(crate) fn new_key() -> Result<(Secret, KeyDigest, String), getrandom::Error> {
    let mut bytes = [0; RANDOM_BYTES];
    getrandom::fill(&mut bytes)?;
    let key = format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes));
    let end = key.get(key.len() - SHOWN..).unwrap_or_default();
    let hint = format!("{PREFIX}…{end}");
    Ok((Secret::new(&*key), KeyDigest::of(key.as_bytes()), hint))
}

/// What may be shown of a hash that was brought.
pub(crate) fn hint_of(digest: &KeyDigest) -> String {
    let hex = digest.to_string();
    format!("sha256:{}…", hex.get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_and_are_recognised() {
        let (one, digest, hint) = new_key().unwrap();
        let (other, ..) = new_key().unwrap();
        assert_ne!(one.expose(), other.expose());
        assert!(one.expose().starts_with(PREFIX) && one.expose().len() == PREFIX.len() + 43);
        assert_eq!(digest, KeyDigest::of(one.expose().as_bytes()));
        assert!(one.expose().ends_with(hint.trim_start_matches("sk-bf-…")));
        assert!(hint.len() < 15, "{hint}");
    }

    #[track_caller]
    fn check(body: &str, expected: &[&str]) {
        let mut faults = Vec::new();
        KeyRequest::parse(body.as_bytes(), &mut faults).unwrap();
        let seen: Vec<_> = faults
            .iter()
            .map(|own| format!("{} {}", own.pointer, own.code))
            .collect();
        assert_eq!(seen, expected, "{body}");
        assert!(!format!("{faults:?}").contains("sk-hush"), "{faults:?}");
    }

    #[test]
    fn what_is_not_a_hash_is_refused_and_hidden() {
        let hash = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";
        check("", &[]);
        check("{}", &[]);
        check(&format!(r#"{{"name":"laptop","key_hash":"{hash}"}}"#), &[]);
        check(&format!(r#"{{"key_hash":"sha256:{hash}"}}"#), &[]);
        check(r#"{"key_hash":null}"#, &[]);
        let nothing = KeyDigest::of(b"");
        for wrong in ["sk-hush", "", "sha256:", &nothing.to_string()] {
            let body = serde_json::json!({ "key_hash": wrong }).to_string();
            check(&body, &["/key_hash invalid_key_hash"]);
        }
        check(
            r#"{"name":"a\nb","expires_at":"soon","hash":"sk-hush"}"#,
            &[
                "/name invalid_name",
                "/expires_at invalid_time",
                "/hash unknown_field",
            ],
        );
    }
}
