//! Reads `credentials`. No message here ever repeats a value.

mod shown;

use serde_json::value::RawValue;

use self::shown::Shown;
use crate::channel::{AssumeRole, AwsSecret, Credentials, SharedCredential, WebIdentity};
use crate::fault::{Fault, child};
use crate::reader::{self, Embedded, Kind, Object};
use bedrock_filter::config::KeyNotes;
use bedrock_filter::secret::Secret;

/// Every type, for messages.
const KINDS: &str = "\"static\", \"bedrock_api_key\", \"default_chain\", \"assume_role\", \
                     \"web_identity\", \"bedrock_short_term_key\", \"shared\", \"file\", \
                     \"secrets_manager\" or \"parameter_store\"";

/// Fields of a `static` key; the last two are what a read shows instead of the secrets.
const STATIC_FIELDS: [&str; 6] = [
    "type",
    "access_key_id",
    "secret_access_key",
    "session_token",
    "fingerprint",
    "has_session_token",
];

/// Fields of a Bedrock API key; the last is what a read shows instead of the key.
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

const SHARED_FIELDS: [&str; 2] = ["type", "name"];

const FILE_FIELDS: [&str; 2] = ["type", "path"];

const AWS_SECRET_FIELDS: [&str; 4] = ["type", "id", "region", "source"];

/// What a body says about credentials.
#[derive(Debug)]
pub(super) enum CredentialsEdit {
    /// These.
    New(Credentials),
    /// The stored ones, as shown by a read, without their secrets.
    Shown(Shown),
    /// Those that are derived from others, which are read separately, because they may be shown by a read.
    Derived(Credentials, Box<CredentialsEdit>),
}

pub(super) fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<CredentialsEdit> {
    match Kind::of(raw) {
        Kind::Object => read_object(raw, at, faults),
        Kind::Null => {
            let message = "cannot be cleared; leave it out to keep what is stored";
            faults.push(Fault::new(at, "invalid_type", message));
            None
        }
        Kind::String => match reader::embedded(raw, at, faults) {
            Embedded::Object(text) => read_object(reader::parse(&text).ok()?, at, faults),
            Embedded::Nothing => reader::mismatch(Kind::String, "an object", at, faults),
            Embedded::Other(kind) => reader::mismatch(kind?, "an object", at, faults),
        },
        kind => reader::mismatch(kind, "an object", at, faults),
    }
}

fn read_object(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<CredentialsEdit> {
    let found_before = faults.len();
    let edit = match kind(raw).as_deref() {
        Some("bedrock_api_key") => read_api_key(raw, at, faults),
        Some("default_chain") => read_default_chain(raw, at, faults),
        Some("assume_role") => read_assume_role(raw, at, faults),
        Some("web_identity") => read_web_identity(raw, at, faults),
        Some("bedrock_short_term_key") => read_short_term_key(raw, at, faults),
        Some("shared") => read_shared(raw, at, faults),
        Some("file") => read_file(raw, at, faults),
        Some("secrets_manager") => read_aws_secret(Credentials::SecretsManager, raw, at, faults),
        Some("parameter_store") => read_aws_secret(Credentials::ParameterStore, raw, at, faults),
        _ => read_static(raw, at, faults),
    };
    edit.filter(|_| faults.len() == found_before)
}

/// The type, if it can be read; it decides which fields there are.
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
        read_new(&object, access_key_id, at, faults)
    }
}

fn read_api_key(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<CredentialsEdit> {
    let object = Object::read(raw, at, &API_KEY_FIELDS, faults)?;
    if object.get("fingerprint").is_some() && object.get("api_key").is_none() {
        let fingerprint = object.text("fingerprint", faults)?;
        return Some(CredentialsEdit::Shown(Shown::BedrockApiKey { fingerprint }));
    }
    let api_key = Secret::new(object.text("api_key", faults)?);
    // Its region is for a warning alone.
    let notes = KeyNotes::of_api_key(&api_key, "").below(at);
    faults.extend(notes.faults);
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
        // Until its own source is resolved.
        source: Box::new(default_chain()),
    };
    let role = Credentials::AssumeRole(role);
    Some(CredentialsEdit::Derived(role, Box::new(source?)))
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
    let edit = read_source(&object, faults)?;
    let source = Box::new(default_chain());
    let key = Credentials::BedrockShortTermKey { source };
    Some(CredentialsEdit::Derived(key, Box::new(edit)))
}

fn read_shared(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<CredentialsEdit> {
    let object = Object::read(raw, at, &SHARED_FIELDS, faults)?;
    let name = object.text("name", faults)?;
    let shared = SharedCredential {
        name,
        content: None,
    };
    Some(CredentialsEdit::New(Credentials::Shared(shared)))
}

fn read_file(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<CredentialsEdit> {
    let object = Object::read(raw, at, &FILE_FIELDS, faults)?;
    let path = object.text("path", faults)?;
    Some(CredentialsEdit::New(Credentials::File { path }))
}

fn read_aws_secret(
    kept_in: fn(AwsSecret) -> Credentials,
    raw: &RawValue,
    at: &str,
    faults: &mut Vec<Fault>,
) -> Option<CredentialsEdit> {
    let object = Object::read(raw, at, &AWS_SECRET_FIELDS, faults)?;
    let id = object.text("id", faults);
    let region = object.optional_text("region", faults);
    let edit = read_source(&object, faults);
    let secret = AwsSecret {
        id: id?,
        region,
        source: Box::new(default_chain()),
    };
    Some(CredentialsEdit::Derived(kept_in(secret), Box::new(edit?)))
}

/// The source; by default, the config-service's own identity.
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
    at: &str,
    faults: &mut Vec<Fault>,
) -> Option<CredentialsEdit> {
    let secret_access_key = object.text("secret_access_key", faults).map(Secret::new);
    let session_token = object
        .optional_text("session_token", faults)
        .map(Secret::new);
    let (id, secret) = (access_key_id?, secret_access_key?);
    let notes = KeyNotes::of_access_key(&id, &secret, session_token.as_ref()).below(at);
    faults.extend(notes.faults);
    Some(CredentialsEdit::New(Credentials::Static {
        access_key_id: id,
        secret_access_key: secret,
        session_token,
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
    /// Whether no part of it refers to something stored.
    pub(super) fn is_entered(&self) -> bool {
        match self {
            Self::New(_) => true,
            Self::Shown(_) => false,
            Self::Derived(_, source) => source.is_entered(),
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
            Self::Derived(credentials, edit) => {
                let source = edit.resolve(source, &child(at, "source"), faults)?;
                Some(credentials.with_source(source))
            }
        }
    }
}
