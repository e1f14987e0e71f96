//! Reads `credentials`. No message here ever repeats a value.

use bedrock_filter::config::{Credentials, Secret};
use serde_json::value::RawValue;

use super::field;
use super::json::Kind;
use super::object::Object;
use crate::channel::fingerprint;
use crate::fault::{Fault, child};

/// Fields of a `static` key; the last two are what a read shows in place of the secrets.
const STATIC_FIELDS: [&str; 6] = [
    "type",
    "access_key_id",
    "secret_access_key",
    "session_token",
    "fingerprint",
    "has_session_token",
];

/// Fields of a Bedrock API key; the last is what a read shows in place of the key.
const API_KEY_FIELDS: [&str; 3] = ["type", "api_key", "fingerprint"];

/// What a body says about credentials.
#[derive(Debug)]
pub(super) enum CredentialsEdit {
    /// These.
    New(Credentials),
    /// The stored ones, as a read showed them: without their secrets.
    Shown(Shown),
}

/// What a read shows of credentials.
#[derive(Debug)]
pub(super) enum Shown {
    Static {
        access_key_id: String,
        fingerprint: String,
        has_session_token: Option<bool>,
    },
    BedrockApiKey {
        fingerprint: String,
    },
}

pub(super) fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<CredentialsEdit> {
    if Kind::of(raw) != Kind::Object {
        let message = match Kind::of(raw) {
            Kind::Null => "cannot be cleared; leave it out to keep what is stored".to_owned(),
            kind => format!("expected an object, found {kind}"),
        };
        faults.push(Fault::new(at, "invalid_type", message));
        return None;
    }
    let found_before = faults.len();
    let edit = match kind(raw).as_deref() {
        Some("bedrock_api_key") => read_api_key(raw, at, faults),
        _ => read_static(raw, at, faults),
    };
    edit.filter(|_| faults.len() == found_before)
}

/// The kind, if it can be read: it decides which fields there are.
fn kind(raw: &RawValue) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Tag {
        r#type: String,
    }
    let tag: Tag = serde_json::from_str(raw.get()).ok()?;
    Some(tag.r#type)
}

fn read_static(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<CredentialsEdit> {
    let object = Object::read(raw, at, &STATIC_FIELDS, faults)?;
    if object
        .text("type", faults)
        .is_some_and(|kind| kind != "static")
    {
        let message = "expected \"static\" or \"bedrock_api_key\"";
        faults.push(Fault::new(child(at, "type"), "unknown_value", message));
    }
    let access_key_id = object.text("access_key_id", faults);
    let is_shown = object.get("fingerprint").is_some()
        && object.get("secret_access_key").is_none()
        && object.get("session_token").is_none();
    if is_shown {
        read_shown(&object, access_key_id, faults)
    } else {
        read_new(&object, access_key_id, faults)
    }
}

fn read_api_key(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<CredentialsEdit> {
    let object = Object::read(raw, at, &API_KEY_FIELDS, faults)?;
    if object.get("fingerprint").is_some() && object.get("api_key").is_none() {
        let fingerprint = object.text("fingerprint", faults)?;
        return Some(CredentialsEdit::Shown(Shown::BedrockApiKey { fingerprint }));
    }
    let api_key = Secret::new(object.text("api_key", faults)?);
    Some(CredentialsEdit::New(Credentials::BedrockApiKey { api_key }))
}

fn read_new(
    object: &Object<'_>,
    access_key_id: Option<String>,
    faults: &mut Vec<Fault>,
) -> Option<CredentialsEdit> {
    let secret_access_key = object.text("secret_access_key", faults);
    let session_token = object.optional_text("session_token", faults);
    Some(CredentialsEdit::New(Credentials::Static {
        access_key_id: access_key_id?,
        secret_access_key: Secret::new(secret_access_key?),
        session_token: session_token.map(Secret::new),
    }))
}

fn read_shown(
    object: &Object<'_>,
    access_key_id: Option<String>,
    faults: &mut Vec<Fault>,
) -> Option<CredentialsEdit> {
    let fingerprint = object.text("fingerprint", faults);
    let has_session_token = object
        .get("has_session_token")
        .and_then(|(raw, at)| field::boolean(raw, &at, faults));
    Some(CredentialsEdit::Shown(Shown::Static {
        access_key_id: access_key_id?,
        fingerprint: fingerprint?,
        has_session_token,
    }))
}

impl CredentialsEdit {
    /// The credentials that result, given the stored ones if there are any.
    pub(super) fn resolve(
        self,
        stored: Option<&Credentials>,
        at: &str,
        faults: &mut Vec<Fault>,
    ) -> Option<Credentials> {
        let shown = match self {
            Self::New(credentials) => return Some(credentials),
            Self::Shown(shown) => shown,
        };
        let kept = stored.filter(|stored| shown.shows(stored));
        if kept.is_none() {
            let at = child(at, shown.secret_field());
            faults.push(Fault::new(at, "secret_required", secret_required(stored)));
        }
        kept.cloned()
    }
}

impl Shown {
    /// Whether this is what a read of `stored` gives.
    fn shows(&self, stored: &Credentials) -> bool {
        match (self, stored) {
            (
                Self::Static {
                    access_key_id,
                    fingerprint: shown,
                    has_session_token,
                },
                Credentials::Static {
                    access_key_id: stored_id,
                    secret_access_key,
                    session_token,
                },
            ) => {
                access_key_id == stored_id
                    && *shown == fingerprint(secret_access_key)
                    && has_session_token.is_none_or(|has| has == session_token.is_some())
            }
            (
                Self::BedrockApiKey { fingerprint: shown },
                Credentials::BedrockApiKey { api_key },
            ) => *shown == fingerprint(api_key),
            _ => false,
        }
    }

    /// Where the secret that is missing would stand.
    fn secret_field(&self) -> &'static str {
        match self {
            Self::Static { .. } => "secret_access_key",
            Self::BedrockApiKey { .. } => "api_key",
        }
    }
}

fn secret_required(stored: Option<&Credentials>) -> &'static str {
    if stored.is_some() {
        "must be given again: what stands beside it (`fingerprint` and the like) is not that of the \
         stored credentials; or leave `credentials` out to keep what is stored"
    } else {
        "must be given: a new channel has no stored secret that `fingerprint` could stand for"
    }
}
