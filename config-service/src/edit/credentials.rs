//! Reads `credentials`. No message here ever repeats a value.

use bedrock_filter::config::{Credentials, Secret};
use serde_json::value::RawValue;

use super::field;
use super::json::Kind;
use super::object::Object;
use crate::channel::fingerprint;
use crate::fault::{Fault, child};

/// The last two are what a read shows in place of the secrets.
const FIELDS: [&str; 6] = [
    "type",
    "access_key_id",
    "secret_access_key",
    "session_token",
    "fingerprint",
    "has_session_token",
];

/// What a body says about credentials.
#[derive(Debug)]
pub(super) enum CredentialsEdit {
    /// These.
    New(Credentials),
    /// The stored ones, as a read showed them: without their secrets.
    Shown {
        access_key_id: String,
        fingerprint: String,
        has_session_token: Option<bool>,
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
    let object = Object::read(raw, at, &FIELDS, faults)?;
    if object
        .text("type", faults)
        .is_some_and(|kind| kind != "static")
    {
        let message = "expected \"static\"";
        faults.push(Fault::new(child(at, "type"), "unknown_value", message));
    }
    let access_key_id = object.text("access_key_id", faults);
    let is_shown = object.get("fingerprint").is_some()
        && object.get("secret_access_key").is_none()
        && object.get("session_token").is_none();
    let edit = if is_shown {
        read_shown(&object, access_key_id, faults)
    } else {
        read_new(&object, access_key_id, faults)
    };
    edit.filter(|_| faults.len() == found_before)
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
    Some(CredentialsEdit::Shown {
        access_key_id: access_key_id?,
        fingerprint: fingerprint?,
        has_session_token,
    })
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
            shown @ Self::Shown { .. } => shown,
        };
        let kept = stored.filter(|stored| shown.shows(stored));
        if kept.is_none() {
            let at = child(at, "secret_access_key");
            faults.push(Fault::new(at, "secret_required", secret_required(stored)));
        }
        kept.cloned()
    }

    /// Whether this is what a read of `stored` gives.
    fn shows(&self, stored: &Credentials) -> bool {
        let Credentials::Static {
            access_key_id: stored_id,
            secret_access_key,
            session_token,
        } = stored;
        match self {
            Self::New(_) => false,
            Self::Shown {
                access_key_id,
                fingerprint: shown,
                has_session_token,
            } => {
                access_key_id == stored_id
                    && *shown == fingerprint(secret_access_key)
                    && has_session_token.is_none_or(|has| has == session_token.is_some())
            }
        }
    }
}

fn secret_required(stored: Option<&Credentials>) -> &'static str {
    if stored.is_some() {
        "must be given again: `access_key_id`, `fingerprint` and `has_session_token` are not those \
         of the stored credentials; or leave `credentials` out to keep what is stored"
    } else {
        "must be given: a new channel has no stored secret that `fingerprint` could stand for"
    }
}
