//! The part of the form with secrets: they can be written and never read.

use maud::{Markup, html};

use super::super::fields::Values;
use super::super::validate::Notes;
use crate::channel::{StoredChannel, masked};

/// What can be chosen: value and text.
const KINDS: [(&str, &str); 3] = [
    ("static", "Access key"),
    ("bedrock_api_key", "Bedrock API key"),
    ("json", "From AWS (JSON): role, identity, chain"),
];

/// What the JSON field begins with.
const EXAMPLE: &str = r#"{"type": "assume_role", "role_arn": "arn:aws:iam::123456789012:role/bedrock", "source": {"type": "default_chain"}}"#;

pub(super) fn render(stored: Option<&StoredChannel>, values: &Values, notes: &Notes) -> Markup {
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

/// What is stored, as far as it may be shown.
fn now(stored: &StoredChannel) -> Markup {
    let credentials = masked(&stored.channel)
        .remove("credentials")
        .unwrap_or_default();
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
