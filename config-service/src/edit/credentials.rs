//! Reads `credentials`. No message here ever repeats a value.

mod shown;

use serde_json::value::RawValue;

use self::shown::Shown;
use crate::channel::{AssumeRole, Credentials, WebIdentity};
use crate::fault::{Fault, child};
use crate::reader::{self, Kind, Object};
use bedrock_filter::secret::Secret;

/// Every kind, for messages.
const KINDS: &str = "\"static\", \"bedrock_api_key\", \"default_chain\", \"assume_role\", \
                     \"web_identity\" or \"bedrock_short_term_key\"";

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

const DEFAULT_CHAIN_FIELDS: [&str; 2] = ["type", "profile"];

const ASSUME_ROLE_FIELDS: [&str; 7] = [
    "type",
    "role_arn",
    "external_id",
    "session_name",
    "session_tags",
    "duration_seconds",
    "source",
];

const WEB_IDENTITY_FIELDS: [&str; 5] = [
    "type",
    "role_arn",
    "token_file",
    "session_name",
    "duration_seconds",
];

const SHORT_TERM_KEY_FIELDS: [&str; 2] = ["type", "source"];

/// What a body says about credentials.
#[derive(Debug)]
pub(super) enum CredentialsEdit {
    /// These.
    New(Credentials),
    /// The stored ones, as a read showed them: without their secrets.
    Shown(Shown),
    /// A role; its source is read on its own, because it may be one that a read showed.
    AssumeRole(AssumeRole, Box<CredentialsEdit>),
    /// A short-term key made from this.
    ShortTermKey(Box<CredentialsEdit>),
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
        Some("default_chain") => read_default_chain(raw, at, faults),
        Some("assume_role") => read_assume_role(raw, at, faults),
        Some("web_identity") => read_web_identity(raw, at, faults),
        Some("bedrock_short_term_key") => read_short_term_key(raw, at, faults),
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
        let message = format!("expected {KINDS}");
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

fn read_default_chain(
    raw: &RawValue,
    at: &str,
    faults: &mut Vec<Fault>,
) -> Option<CredentialsEdit> {
    let object = Object::read(raw, at, &DEFAULT_CHAIN_FIELDS, faults)?;
    let profile = object.optional_text("profile", faults);
    Some(CredentialsEdit::New(Credentials::DefaultChain { profile }))
}

fn read_assume_role(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<CredentialsEdit> {
    let object = Object::read(raw, at, &ASSUME_ROLE_FIELDS, faults)?;
    let role_arn = object.text("role_arn", faults);
    let tags = object.get("session_tags");
    let tags = tags.and_then(|(raw, at)| reader::string_map(raw, &at, faults));
    let external_id = object.optional_text("external_id", faults);
    let session_name = object.optional_text("session_name", faults);
    let duration_seconds = duration(&object, faults);
    let source = read_source(&object, faults);
    let role = AssumeRole {
        role_arn: role_arn?,
        external_id,
        session_name,
        session_tags: tags.unwrap_or_default(),
        duration_seconds,
        // Until its own is resolved.
        source: Box::new(default_chain()),
    };
    Some(CredentialsEdit::AssumeRole(role, Box::new(source?)))
}

fn read_web_identity(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<CredentialsEdit> {
    let object = Object::read(raw, at, &WEB_IDENTITY_FIELDS, faults)?;
    let role_arn = object.text("role_arn", faults);
    let token_file = object.text("token_file", faults);
    let session_name = object.optional_text("session_name", faults);
    let duration_seconds = duration(&object, faults);
    let identity = WebIdentity {
        role_arn: role_arn?,
        token_file: token_file?,
        session_name,
        duration_seconds,
    };
    Some(CredentialsEdit::New(Credentials::WebIdentity(identity)))
}

fn read_short_term_key(
    raw: &RawValue,
    at: &str,
    faults: &mut Vec<Fault>,
) -> Option<CredentialsEdit> {
    let object = Object::read(raw, at, &SHORT_TERM_KEY_FIELDS, faults)?;
    let source = read_source(&object, faults)?;
    Some(CredentialsEdit::ShortTermKey(Box::new(source)))
}

/// The source; what the config-service itself runs with when there is none.
fn read_source(object: &Object<'_>, faults: &mut Vec<Fault>) -> Option<CredentialsEdit> {
    match object.get("source") {
        Some((raw, at)) => read(raw, &at, faults),
        None => Some(CredentialsEdit::New(default_chain())),
    }
}

fn default_chain() -> Credentials {
    Credentials::DefaultChain { profile: None }
}

fn duration(object: &Object<'_>, faults: &mut Vec<Fault>) -> Option<u32> {
    let (raw, at) = object.get("duration_seconds")?;
    reader::nullable_number(raw, &at, faults)?
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
        .and_then(|(raw, at)| reader::boolean(raw, &at, faults));
    Some(CredentialsEdit::Shown(Shown::Static {
        access_key_id: access_key_id?,
        fingerprint: fingerprint?,
        has_session_token,
    }))
}

impl CredentialsEdit {
    /// Whether nothing of it stands for something that is stored.
    pub(super) fn is_entered(&self) -> bool {
        match self {
            Self::New(_) => true,
            Self::Shown(_) => false,
            Self::AssumeRole(_, source) | Self::ShortTermKey(source) => source.is_entered(),
        }
    }

    /// The credentials that result, given the stored ones if there are any.
    pub(super) fn resolve(
        self,
        stored: Option<&Credentials>,
        at: &str,
        faults: &mut Vec<Fault>,
    ) -> Option<Credentials> {
        let source = stored.and_then(Credentials::source);
        match self {
            Self::New(credentials) => Some(credentials),
            Self::Shown(shown) => shown.resolve(stored, at, faults),
            Self::AssumeRole(role, edit) => {
                let source = edit.resolve(source, &child(at, "source"), faults)?;
                Some(Credentials::AssumeRole(AssumeRole {
                    source: Box::new(source),
                    ..role
                }))
            }
            Self::ShortTermKey(edit) => {
                let source = edit.resolve(source, &child(at, "source"), faults)?;
                Some(Credentials::BedrockShortTermKey {
                    source: Box::new(source),
                })
            }
        }
    }
}
