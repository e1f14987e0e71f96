//! The keys of a caller, on its page.

use maud::{Markup, html};

use super::super::layout::{csrf, time};
use super::super::session::Session;
use super::list::last_used;
use crate::caller::{LastUses, StoredCaller, StoredKey};

/// How long a rotated key stays valid: choices in seconds and in words.
const OVERLAPS: [(&str, &str); 4] = [
    ("86400", "a day"),
    ("3600", "an hour"),
    ("604800", "a week"),
    ("0", "not at all"),
];

/// The keys; `uses` is when they were last used, where that is recorded, and `new` a key that was just made.
pub(super) fn render(
    session: &Session,
    stored: &StoredCaller,
    uses: Option<&LastUses>,
    new: Option<&str>,
) -> Markup {
    let may_edit = session.principal.may_edit().is_ok();
    html! {
        section.card #keys {
            h2 { "Keys" }
            @if let Some(key) = new {
                section.notice.good role="status" {
                    p { "The new key, which is shown only this once:" }
                    pre #new-key { (key) }
                }
            }
            @if stored.keys.is_empty() { p.muted { "None yet." } }
            @else {
                table.channels {
                    thead { tr {
                        th scope="col" { "Key" } th scope="col" { "Name" } th scope="col" { "Made" }
                        th scope="col" { "Expires" }
                        @if uses.is_some() { th scope="col" { "Last used" } }
                        th scope="col" { "" }
                    } }
                    tbody { @for key in &stored.keys { (row(session, stored, uses, key)) } }
                }
            }
            @if may_edit { (make(session, stored)) }
        }
    }
}

fn row(
    session: &Session,
    stored: &StoredCaller,
    uses: Option<&LastUses>,
    key: &StoredKey,
) -> Markup {
    let place = format!("/callers/{}/keys/{}", stored.id, key.id);
    let named = if key.name.is_empty() {
        &key.hint
    } else {
        &key.name
    };
    let may_edit = session.principal.may_edit().is_ok();
    html! {
        tr data-key=(key.hint) {
            th scope="row" { code { (key.hint) } }
            td data-label="Name" { (key.name) }
            td data-label="Made" { (time(&key.created_at)) " by " (key.created_by) }
            td data-label="Expires" {
                @match key.expires_at {
                    Some(expires) => { (time(&expires.to_string())) }
                    None => { span.muted { "never" } }
                }
            }
            @if let Some(uses) = uses {
                td data-label="Last used" { (last_used(uses.of_key(key))) }
            }
            td {
                @if key.is_rotated { span.muted { "replaced" } }
                @if may_edit {
                    details {
                        summary aria-label={ "Replace or revoke " (named) } { "Replace or revoke" }
                        @if !key.is_rotated {
                            form.stack method="post" action={ (place) "/rotate" } {
                                (csrf(session))
                                div.field {
                                    label for={ "overlap-" (key.id) } { "The old key stays valid for" }
                                    select id={ "overlap-" (key.id) } name="overlap_seconds" {
                                        @for (seconds, words) in OVERLAPS { option value=(seconds) { (words) } }
                                    }
                                }
                                button type="submit" aria-label={ "Replace " (named) } { "Replace by a new key" }
                            }
                        }
                        form.stack method="post" action={ (place) "/revoke" } {
                            (csrf(session))
                            button.danger type="submit" aria-label={ "Revoke " (named) } { "Revoke at once" }
                        }
                    }
                }
            }
        }
    }
}

/// The form for another key.
fn make(session: &Session, stored: &StoredCaller) -> Markup {
    html! {
        form.stack method="post" action={ "/callers/" (stored.id) "/keys" } {
            (csrf(session))
            div.grid {
                div.field {
                    label for="key_name" { "Name of a new key" }
                    input #key_name type="text" name="key_name" maxlength="100" autocomplete="off";
                    small { "Such as who or what uses it" }
                }
                div.field {
                    label for="key_expires_at" { "Expires" }
                    input #key_expires_at type="text" name="key_expires_at" autocomplete="off";
                    small { "Such as 2027-01-31. Empty: never" }
                }
            }
            details {
                summary { "Bring a key of another gateway" }
                div.field {
                    label for="key_hash" { "Its SHA-256" }
                    input #key_hash type="text" name="key_hash" autocomplete="off" spellcheck="false";
                    small { "64 hexadecimal digits; printf %s \"$KEY\" | sha256sum" }
                }
            }
            div.actions { button.primary type="submit" { "Make a key" } }
        }
    }
}
