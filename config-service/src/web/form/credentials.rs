//! The part of the form with secrets: they can be written and never read.

use maud::{Markup, html};

use serde_json::Value;

use super::super::fields::Values;
use super::super::validate::Notes;

/// Which choices there are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::web) enum Kinds {
    /// Those of a channel, which may refer to a shared credential.
    Channel,
    /// Those of a shared credential.
    Own,
}

/// The choice of a shared credential.
const SHARED: (&str, &str) = ("shared", "Shared credential");

/// The other choices: value and text.
const KINDS: [(&str, &str); 3] = [
    ("static", "Access key"),
    ("bedrock_api_key", "Bedrock API key"),
    (
        "json",
        "As JSON: role, identity, chain, file, secret in AWS",
    ),
];

/// Initial content of the JSON field.
const EXAMPLE: &str = r#"{"type": "assume_role", "role_arn": "arn:aws:iam::123456789012:role/bedrock", "source": {"type": "default_chain"}}"#;

/// The fields; `stored` is what is stored now, without secrets.
pub(in crate::web) fn render(
    stored: Option<&Value>,
    kinds: Kinds,
    values: &Values,
    notes: &Notes,
) -> Markup {
    let kind = values.get("credential_kind");
    html! {
        section.card #credentials {
            h2 { "Credentials" }
            @if let Some(stored) = stored { (now(stored)) }
            div.field {
                label for="credential_kind" { "Credentials" }
                select #credential_kind name="credential_kind" data-switch="credentials" {
                    @if stored.is_some() {
                        option value="keep" selected[kind == "keep"] { "Keep what is stored" }
                    }
                    @for (value, text) in KINDS {
                        option value=(value) selected[kind == value] { (text) }
                    }
                    @if kinds == Kinds::Channel {
                        option value=(SHARED.0) selected[kind == SHARED.0] { (SHARED.1) }
                    }
                }
            }
            div.grid data-case="static" {
                div.field {
                    label for="access_key_id" { "Access key id" }
                    input #access_key_id type="text" name="access_key_id" autocomplete="off"
                        value=(values.get("access_key_id"));
                }
                (secret("secret_access_key", "Secret access key"))
                (secret("session_token", "Session token (if temporary)"))
            }
            div.grid data-case="bedrock_api_key" { (secret("api_key", "API key")) }
            div.field data-case="json" {
                label for="credentials_json" { "Credentials as JSON" }
                textarea #credentials_json name="credentials_json" rows="4" spellcheck="false"
                    placeholder=(EXAMPLE) { (values.get("credentials_json")) }
            }
            @if kinds == Kinds::Channel {
                div.field data-case=(SHARED.0) {
                    label for="shared_credential" { "Its name" }
                    input #shared_credential type="text" name="shared_credential" autocomplete="off"
                        value=(values.get("shared_credential"));
                }
            }
            (notes.of("credentials").render("credentials"))
        }
    }
}

fn secret(name: &str, label: &str) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            input id=(name) type="password" name=(name) autocomplete="new-password";
        }
    }
}

/// The parts of the stored credentials that may be shown.
fn now(credentials: &Value) -> Markup {
    let members = credentials.as_object().into_iter().flatten();
    html! {
        dl.facts aria-label="Stored credentials" {
            @for (name, value) in members.filter(|(_, value)| !value.is_null()) {
                dt { (name) }
                dd { code { (value.as_str().map_or_else(|| value.to_string(), str::to_owned)) } }
            }
        }
    }
}
