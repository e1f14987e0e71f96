//! The body of an edit of a credential that is stored by itself.

use serde_json::value::RawValue;

use super::SyntaxError;
use super::credentials::{self, CredentialsEdit};
use crate::channel::Credentials;
use crate::fault::{Fault, child};
use crate::reader::{self, Kind};

/// The members of a body; the last ones are what a read adds.
const FIELDS: [&str; 6] = [
    "name",
    "credentials",
    "revision",
    "created_at",
    "updated_at",
    "used_by",
];

/// Longest name.
const MAX_NAME_LEN: usize = 64;

/// What a body says about a credential.
#[derive(Debug, Default)]
pub(crate) struct CredentialEdit {
    name: Option<String>,
    credentials: Option<CredentialsEdit>,
}

impl CredentialEdit {
    /// Reads a body. Faults of its members are added to `faults`.
    ///
    /// # Errors
    ///
    /// When the body is not well-formed JSON in UTF-8.
    pub(crate) fn parse(body: &[u8], faults: &mut Vec<Fault>) -> Result<Self, SyntaxError> {
        let mut edit = Self::default();
        reader::fields(body, faults, |name, value, faults| {
            edit.read_member(name, value, faults);
        })?;
        Ok(edit)
    }

    fn read_member(&mut self, name: &str, raw: &RawValue, faults: &mut Vec<Fault>) {
        let at = child("", name);
        let at = at.as_str();
        match name {
            "name" => self.name = reader::text(raw, at, faults),
            "credentials" => self.credentials = credentials::read(raw, at, faults),
            "revision" => reader::read_only(raw, Kind::Number, at, faults),
            "created_at" | "updated_at" => reader::read_only(raw, Kind::String, at, faults),
            "used_by" => reader::read_only(raw, Kind::Array, at, faults),
            _ => faults.push(reader::unknown(name, at, &FIELDS)),
        }
    }

    /// What the credential with this name is to contain; secrets that a read does not show are those of
    /// `stored`. `None` with a fault.
    pub(crate) fn apply(
        self,
        name: &str,
        stored: Option<&Credentials>,
        faults: &mut Vec<Fault>,
    ) -> Option<Credentials> {
        if !is_name(name) {
            let message =
                "must be 1 to 64 letters, digits, `.`, `_` or `-`, starting with a letter or digit";
            faults.push(Fault::new("/name", "invalid_name", message));
        } else if self.name.is_some_and(|own| own != name) {
            let message = "is not the name in the path; a credential cannot be renamed, so create another one";
            faults.push(Fault::new("/name", "name_mismatch", message));
        }
        let Some(edit) = self.credentials else {
            if faults.is_empty() {
                faults.push(Fault::new("/credentials", "required", "is required"));
            }
            return None;
        };
        let credentials = edit.resolve(stored, "/credentials", faults)?;
        let mut copy = credentials.clone();
        if let Some((at, _)) = copy.shared_mut().into_iter().next() {
            let message = "must not be `shared`: a credential cannot refer to another one";
            let at = format!("/credentials{at}");
            faults.push(Fault::new(at, "unsuitable_source", message));
        }
        Some(credentials)
    }
}

fn is_name(text: &str) -> bool {
    let is_inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    text.len() <= MAX_NAME_LEN
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(is_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedrock_filter::secret::Secret;
    use serde_json::json;

    fn apply(
        name: &str,
        stored: Option<&Credentials>,
        body: &str,
    ) -> (Option<Credentials>, Vec<String>) {
        let mut faults = Vec::new();
        let edit = CredentialEdit::parse(body.as_bytes(), &mut faults).unwrap();
        let credentials = edit.apply(name, stored, &mut faults);
        let shown = faults
            .iter()
            .map(|own| format!("{} {}", own.pointer, own.code));
        (credentials, shown.collect())
    }

    #[test]
    fn what_a_read_shows_keeps_the_stored_secret() {
        let stored = Credentials::BedrockApiKey {
            api_key: Secret::new("ABSKabc"),
        };
        let shown = crate::channel::masked_credentials(&stored);
        let body = json!({"name": "a", "credentials": shown, "revision": 3, "used_by": ["x"],
            "created_at": "t", "updated_at": "t"});
        assert_eq!(
            apply("a", Some(&stored), &body.to_string()),
            (Some(stored), vec![])
        );
        let (_, faults) = apply("a", None, &body.to_string());
        assert_eq!(faults, ["/credentials/api_key secret_required"]);
    }

    #[test]
    fn faults_are_named() {
        let check = |name: &str, body: &str, expected: &[&str]| {
            assert_eq!(apply(name, None, body).1, expected, "{body}");
        };
        let chain = r#""credentials": {"type": "default_chain"}"#;
        check("a", "{}", &["/credentials required"]);
        check("a", "[]", &[" not_an_object"]);
        check("a b", &format!("{{{chain}}}"), &["/name invalid_name"]);
        check(
            "a",
            &format!(r#"{{"name": "b", {chain}}}"#),
            &["/name name_mismatch"],
        );
        check(
            "a",
            &format!("{{{chain}, \"x\": 1}}"),
            &["/x unknown_field"],
        );
        check(
            "a",
            &format!("{{{chain}, {chain}}}"),
            &["/credentials duplicate_field"],
        );
        let nested = r#"{"credentials": {"type": "assume_role", "role_arn": "r",
            "source": {"type": "shared", "name": "b"}}}"#;
        check("a", nested, &["/credentials/source unsuitable_source"]);
    }
}
