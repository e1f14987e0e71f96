//! The form of a caller, and its keys.

use maud::{Markup, html};
use serde_json::Value;

use super::super::diff;
use super::super::fields::Values;
use super::super::inputs::{Choices, Inputs};
use super::super::layout::csrf;
use super::super::session::Session;
use super::super::validate::Notes;
use super::key_list;
use crate::caller::{LastUses, SETTINGS, StoredCaller, shown};
use crate::fault::Fault;
use crate::history::differences;

/// Bedrock's processing classes.
pub(super) const TIERS: Choices = &[
    ("", "not set here"),
    ("default", "default"),
    ("flex", "flex"),
    ("priority", "priority"),
    ("reserved", "reserved"),
];

/// Whether requests may use something.
pub(super) const PERMISSIONS: Choices = &[
    ("", "not set here"),
    ("allowed", "allowed"),
    ("refused", "refused"),
];

/// A form and its messages.
pub(super) struct View<'a> {
    /// The caller being edited; none for a new one.
    pub(super) stored: Option<&'a StoredCaller>,
    pub(super) values: &'a Values,
    pub(super) faults: &'a [Fault],
    /// Whether somebody else has edited the caller since the form was made.
    pub(super) is_outdated: bool,
    /// When callers and keys were last used, where that is recorded.
    pub(super) uses: Option<&'a LastUses>,
    /// A key that was just made.
    pub(super) new_key: Option<&'a str>,
}

impl<'a> View<'a> {
    pub(super) fn new(stored: Option<&'a StoredCaller>, values: &'a Values) -> Self {
        Self {
            stored,
            values,
            faults: &[],
            is_outdated: false,
            uses: None,
            new_key: None,
        }
    }

    pub(super) fn title(&self) -> &'a str {
        self.stored.map_or("New caller", |own| &own.caller.name)
    }

    pub(super) fn render(&self, session: &Session) -> Markup {
        let notes = Notes::new(self.values, self.faults, &[]);
        let at = Inputs {
            values: self.values,
            notes: &notes,
        };
        let may_edit = session.principal.may_edit().is_ok();
        let action = self.stored.map_or_else(
            || "/callers/new".to_owned(),
            |own| format!("/callers/{}", own.id),
        );
        html! {
            div.heading {
                h1 { (self.title()) }
                @if let Some(stored) = self.stored {
                    nav.tabs aria-label="Caller" { a href={ "/callers/" (stored.id) "/history" } { "History" } }
                }
            }
            @if self.is_outdated { (self.conflict()) }
            (at.summary())
            @if let Some(stored) = self.stored { (key_list::render(session, stored, self.uses, self.new_key)) }
            form.channel method="post" action=(action) novalidate {
                (csrf(session))
                @if self.stored.is_some() {
                    input type="hidden" name="revision" value=(self.values.get("revision"));
                }
                fieldset disabled[!may_edit] { (identity(at)) (rights(at)) (limits(at)) (requests(at)) }
                @if may_edit {
                    div.actions {
                        button.primary type="submit" { "Save" }
                        a href="/callers" { "Cancel" }
                    }
                }
            }
            @if let (Some(stored), true) = (self.stored, may_edit) { (delete(session, stored)) }
        }
    }

    /// The differences between what is stored and what was to be saved.
    fn conflict(&self) -> Markup {
        let stored = self.stored.map(|own| shown(&own.caller));
        let theirs = Value::Object(stored.unwrap_or_default());
        let mine = Value::Object(self.values.body_of(SETTINGS));
        html! {
            section.notice.error role="alert" #conflict {
                h2 { "Somebody else edited this caller" }
                p {
                    "Nothing was saved. Below, what is stored now is next to what you entered. Save again to \
                     replace what is stored with your entries, or "
                    a href="" { "discard them" } "."
                }
                (diff::table(&differences(Some(&theirs), Some(&mine)), ["stored now", "yours"]))
            }
        }
    }
}

fn identity(at: Inputs<'_>) -> Markup {
    html! {
        section.card {
            h2 { "Caller" }
            div.grid {
                (at.input("name", "Name", "Letters, digits, . _ and -; access logs have it"))
                (at.input("expires_at", "Expires", "Such as 2027-01-31 or 2027-01-31T18:00:00Z. Empty: never"))
            }
            div.ticks { (at.tick("enabled", "Enabled")) }
            (at.area("notes", "Notes", "For administrators"))
            (at.area("identities", "Identities", "What Envoy knows it by besides its keys, one per line: jwt:sub=team-a, \
                certificate:spiffe://…, header:team-a; * stands for any text."))
            (at.map("labels", Some("Labels"), "For whoever sorts or bills callers: names and values."))
        }
    }
}

fn rights(at: Inputs<'_>) -> Markup {
    html! {
        section.card {
            h2 { "May use" }
            (at.area("models", "Models", "One per line; * stands for any text. Empty: all."))
            (at.area("channels", "Channels", "Names, one per line. Empty: all."))
        }
    }
}

fn limits(at: Inputs<'_>) -> Markup {
    html! {
        section.card {
            h2 { "Limits" }
            div.grid {
                (at.input("rpm", "Requests a minute", "Empty: as for all callers"))
                (at.input("tpm", "Tokens a minute", "Empty: as for all callers"))
                (at.input("concurrent_requests", "Requests at a time", "Empty: as for all callers"))
                (at.input("monthly_tokens", "Tokens a month", "Empty: no budget"))
                (at.input("monthly_usd", "US dollars a month", "Empty: no budget"))
            }
        }
    }
}

fn requests(at: Inputs<'_>) -> Markup {
    html! {
        section.card {
            h2 { "Requests" }
            p.muted { "What is not set here is as for all callers." }
            (at.area("guardrail", "Guardrail", "JSON with identifier, version and, optionally, trace. Requests cannot \
                leave it out or name another. The channel's account has to have it."))
            (at.map("request_metadata", Some("Request metadata"), "Labels of every request in Bedrock's invocation log, for cost attribution."))
            div.grid {
                (at.select("service_tier", "Service tier", TIERS))
                (at.select("tools", "Tools", PERMISSIONS))
                (at.select("thinking", "Thinking", PERMISSIONS))
                (at.select("documents", "Documents", PERMISSIONS))
                (at.select("prompt_caching", "Prompt caching", PERMISSIONS))
            }
        }
    }
}

fn delete(session: &Session, stored: &StoredCaller) -> Markup {
    html! {
        details.card.danger {
            summary { "Delete this caller" }
            form.stack method="post" action={ "/callers/" (stored.id) "/delete" } {
                (csrf(session))
                label.tick {
                    input type="checkbox" name="confirmed" value="on" required;
                    " Delete " strong { (stored.caller.name) } " and its keys."
                }
                button.danger type="submit" { "Delete" }
            }
        }
    }
}
