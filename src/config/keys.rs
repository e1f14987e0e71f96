//! What keys look like, and what people paste in their place. No message repeats a value.
//!
//! Prefixes of ids: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes>.

mod pasted;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Fault;
use crate::secret::Secret;
use pasted::{extra, is_placeholder};

/// What there is to say about a key that somebody entered; pointers are relative to the credentials.
#[derive(Debug, Default)]
pub struct KeyNotes {
    /// What cannot be a key of AWS's, whatever the account is.
    pub faults: Vec<Fault>,
    /// What hardly is one.
    pub warnings: Vec<Fault>,
}

/// Length of a secret access key.
const SECRET_LEN: usize = 40;

/// Length of an access key id of today.
const ID_LEN: usize = 20;

/// What a Bedrock API key begins with: one that lives long, and one that does not.
const API_KEY_PREFIXES: [&str; 2] = ["ABSK", SHORT_TERM];
const SHORT_TERM: &str = "bedrock-api-key-";

/// Prefixes of ids that do not belong to access keys.
const OTHER_IDS: [(&str, &str); 10] = [
    ("ABIA", "a bearer token of STS"),
    ("ACCA", "a context-specific credential"),
    ("AGPA", "a user group"),
    ("AIDA", "an IAM user"),
    ("AIPA", "an instance profile"),
    ("ANPA", "a managed policy"),
    ("ANVA", "a version of a managed policy"),
    ("APKA", "a public key"),
    ("AROA", "a role"),
    ("ASCA", "a certificate"),
];

impl KeyNotes {
    /// Judges an access key.
    #[must_use]
    pub fn of_access_key(id: &str, secret: &Secret, token: Option<&Secret>) -> Self {
        let mut notes = Self::default();
        notes.add_pasted("access_key_id", id);
        notes.add_pasted("secret_access_key", secret.expose());
        if let Some(token) = token {
            notes.add_pasted("session_token", token.expose());
        }
        notes.judge_id(id);
        notes.judge_secret(id, secret.expose());
        notes.judge_token(id, token);
        notes.settled()
    }

    /// Judges a Bedrock API key for a channel of `region`.
    #[must_use]
    pub fn of_api_key(key: &Secret, region: &str) -> Self {
        let mut notes = Self::default();
        let (field, key) = ("api_key", key.expose());
        notes.add_pasted(field, key);
        if is_access_key_id(key) {
            let message =
                "is the id of an access key; credentials of type `static` take it, with its secret";
            notes.fault(field, "wrong_kind_of_key", message);
        } else if !API_KEY_PREFIXES.iter().any(|own| key.starts_with(own)) {
            let message = "begins with neither `ABSK` nor `bedrock-api-key-`, as Bedrock API keys do; does it belong \
                           to another service?";
            notes.warn(field, "unusual_key", message);
        }
        if let Some(own) = region_of(key).filter(|own| own != region) {
            let message = format!(
                "is a short-term key for {own}, but the channel calls {region}; Bedrock will refuse it"
            );
            notes.warn(field, "other_region", message);
        }
        notes.settled()
    }

    /// Every note at its place below `at`.
    #[must_use]
    pub fn below(self, at: &str) -> Self {
        let below = |notes: Vec<Fault>| notes.into_iter().map(|own| own.below(at)).collect();
        Self {
            faults: below(self.faults),
            warnings: below(self.warnings),
        }
    }

    /// One fault for a field is enough, and makes warnings about it pointless.
    fn settled(mut self) -> Self {
        self.faults
            .dedup_by(|one, other| one.pointer == other.pointer);
        let faults = &self.faults;
        self.warnings
            .retain(|own| !faults.iter().any(|fault| fault.pointer == own.pointer));
        self
    }

    fn fault(&mut self, field: &str, code: &'static str, message: impl Into<String>) {
        self.faults
            .push(Fault::new(format!("/{field}"), code, message));
        self.faults
            .sort_by(|one, other| one.pointer.cmp(&other.pointer));
    }

    fn warn(&mut self, field: &str, code: &'static str, message: impl Into<String>) {
        self.warnings
            .push(Fault::new(format!("/{field}"), code, message));
    }

    fn add_pasted(&mut self, field: &str, text: &str) {
        if is_placeholder(text) {
            let message = "is a mask or a placeholder; enter the key itself, or leave `credentials` out to keep what \
                           is stored";
            self.fault(field, "masked_key", message);
        } else if let Some(what) = extra(text) {
            let message = format!("has {what}; enter only the key");
            self.fault(field, "pasted_key", message);
        }
    }

    fn judge_id(&mut self, id: &str) {
        let field = "access_key_id";
        let prefix = id.get(..4).unwrap_or_default();
        let upper = prefix.to_ascii_uppercase();
        if API_KEY_PREFIXES.iter().any(|own| id.starts_with(own)) {
            let message = "is a Bedrock API key; credentials of type `bedrock_api_key` take it";
            self.fault(field, "wrong_kind_of_key", message);
        } else if looks_like_secret(id) {
            let message = "looks like a secret access key; id and secret seem to be swapped";
            self.fault(field, "swapped_keys", message);
        } else if let Some((_, what)) = OTHER_IDS.iter().find(|(own, _)| *own == upper) {
            let message =
                format!("is the id of {what}; those of access keys begin with AKIA or ASIA");
            self.warn(field, "unusual_key", message);
        } else if !["AKIA", "ASIA"].contains(&upper.as_str()) {
            // A key of something that speaks like AWS.
        } else if id.bytes().any(|byte| byte.is_ascii_lowercase()) {
            let message = "contains lowercase letters; AWS access key ids are uppercase";
            self.warn(field, "unusual_key", message);
        } else if id.len() != ID_LEN {
            let message = format!(
                "has {} characters; AWS access key ids have {ID_LEN}: was all of it copied?",
                id.len()
            );
            self.warn(field, "unusual_key", message);
        }
    }

    fn judge_secret(&mut self, id: &str, secret: &str) {
        let field = "secret_access_key";
        let is_aws = ["AKIA", "ASIA"].iter().any(|own| id.starts_with(own));
        let is_too_short = secret.chars().count() < 8;
        if is_access_key_id(secret) {
            let message = "is the id of an access key; id and secret seem to be swapped";
            self.fault(field, "swapped_keys", message);
        } else if API_KEY_PREFIXES.iter().any(|own| secret.starts_with(own))
            && secret.len() > SECRET_LEN
        {
            let message = "is a Bedrock API key; credentials of type `bedrock_api_key` take it";
            self.fault(field, "wrong_kind_of_key", message);
        } else if ["%2f", "%2b", "%2F", "%2B"]
            .iter()
            .any(|own| secret.contains(own))
        {
            let message = "looks percent-encoded; enter it as AWS showed it";
            self.warn(field, "unusual_key", message);
        } else if is_too_short || (is_aws && secret.len() != SECRET_LEN) {
            // Not how many it has: that would be something about the secret.
            let message = format!(
                "does not have the {SECRET_LEN} characters of an AWS secret access key: was all of it copied?"
            );
            self.warn(field, "unusual_key", message);
        }
    }

    fn judge_token(&mut self, id: &str, token: Option<&Secret>) {
        let field = "session_token";
        match id.get(..4) {
            Some("ASIA") if token.is_none() => {
                let message = "is missing: an access key id that begins with ASIA is temporary, and AWS refuses it \
                               without its session token";
                self.warn(field, "missing_session_token", message);
            }
            Some("AKIA") if token.is_some() => {
                let message = "belongs to a temporary key; AWS refuses it next to an id that begins with AKIA";
                self.warn(field, "unneeded_session_token", message);
            }
            _ => {}
        }
    }
}

/// Whether a text has the form of a secret access key, so that it must not be shown as an id.
#[must_use]
pub fn looks_like_secret(text: &str) -> bool {
    text.len() == SECRET_LEN
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+'))
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// Whether a text is the id of an access key of AWS's, and can be nothing else.
fn is_access_key_id(text: &str) -> bool {
    text.len() == ID_LEN
        && ["AKIA", "ASIA"].iter().any(|own| text.starts_with(own))
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// The region of a short-term Bedrock API key, which is a presigned URL.
///
/// <https://github.com/aws/aws-bedrock-token-generator-python>
fn region_of(key: &str) -> Option<String> {
    let url = STANDARD.decode(key.strip_prefix(SHORT_TERM)?).ok()?;
    let url = String::from_utf8(url).ok()?;
    let (_, scope) = url.split_once("X-Amz-Credential=")?;
    let scope = scope.split('&').next()?.replace("%2F", "/");
    // Access key, day, region, service.
    scope.split('/').nth(2).map(str::to_owned)
}

#[cfg(test)]
mod tests;
