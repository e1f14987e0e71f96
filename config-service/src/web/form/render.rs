//! The form of a channel.

use maud::{Markup, html};
use serde_json::Value;

use super::super::diff;
use super::super::fields::Values;
use super::super::layout::csrf;
use super::super::session::Session;
use super::super::validate::{Notes, Placed};
use super::{NEW, credentials, place};
use crate::channel::{StoredChannel, masked};
use crate::fault::Fault;
use crate::history::differences;

/// A form and what is to be said about it.
pub(super) struct View<'a> {
    /// The channel that is edited; a new one has none.
    pub(super) stored: Option<&'a StoredChannel>,
    pub(super) values: &'a Values,
    pub(super) faults: &'a [Fault],
    pub(super) warnings: &'a [Fault],
    /// Whether somebody else edited the channel since the form was made.
    pub(super) is_outdated: bool,
    /// What happened before.
    pub(super) notice: Option<&'a str>,
}

/// A select's choices: value and text.
type Choices = &'static [(&'static str, &'static str)];

const SIGNERS: Choices = &[
    ("filter", "the filter (Wasm)"),
    ("envoy", "Envoy (aws_request_signing)"),
];
const UNKNOWN_PARAMETERS: Choices = &[
    ("", "as the config-service says"),
    ("leave_out", "leave out, and tell the client"),
    ("refuse", "refuse the request"),
];
const APIS: Choices = &[
    ("auto", "auto: InvokeModel, else Converse"),
    ("invoke", "InvokeModel"),
    ("converse", "Converse"),
];
const MODEL_IDS: Choices = &[
    ("catalogue", "catalogue: models of the catalogue"),
    ("none", "none: names that are mapped here alone"),
    ("any", "any: custom models and raw ARNs too"),
];

const CROSS_REGION: Choices = &[
    ("geo", "geo: the profile of the region's geography"),
    ("global", "global: prefer the global profile"),
    ("off", "off: the base model"),
];

impl<'a> View<'a> {
    pub(super) fn new(stored: Option<&'a StoredChannel>, values: &'a Values) -> Self {
        Self {
            stored,
            values,
            faults: &[],
            warnings: &[],
            is_outdated: false,
            notice: None,
        }
    }

    pub(super) fn title(&self) -> &'a str {
        self.stored.map_or("New channel", |own| &own.channel.name)
    }

    /// Where the form is sent, whatever the address of the page.
    fn action(&self) -> String {
        self.stored
            .map_or_else(|| NEW.to_owned(), |own| place(&own.id))
    }

    pub(super) fn render(&self, session: &Session) -> Markup {
        let notes = Notes::new(self.values, self.faults, self.warnings);
        let may_edit = session.principal.may_edit().is_ok();
        html! {
            div.heading {
                h1 { (self.title()) }
                @if let Some(stored) = self.stored { (places(&stored.id)) }
            }
            @if self.is_outdated { (self.conflict()) }
            @if let Some(notice) = self.notice { p.notice.error role="alert" #notice { (notice) } }
            (summary(&notes))
            form.channel method="post" action=(self.action()) data-validate="/channels/validate" novalidate {
                (csrf(session))
                @if let Some(stored) = self.stored {
                    input type="hidden" name="id" value=(stored.id);
                    input type="hidden" name="revision" value=(self.values.get("revision"));
                }
                fieldset disabled[!may_edit] {
                    (self.identity(&notes))
                    (credentials::render(self.stored, self.values, &notes))
                    (self.models(&notes))
                    (self.behaviour(&notes))
                }
                @if may_edit {
                    div.actions {
                        button.primary type="submit" { "Save" }
                        a href="/channels" { "Cancel" }
                    }
                }
            }
            @if let (Some(stored), true) = (self.stored, may_edit) { (delete(session, stored)) }
        }
    }

    fn identity(&self, notes: &Notes) -> Markup {
        html! {
            section.card {
                h2 { "Channel" }
                div.grid {
                    (self.input(notes, "name", "Name", "Letters, digits, . _ and -"))
                    (self.input(notes, "region", "Region", "Such as us-east-1"))
                    (self.input(notes, "endpoint", "Endpoint", "Empty: the region's public one. Another host needs the secret again."))
                }
                div.ticks {
                    (self.tick("enabled", "Enabled"))
                    (self.tick("fips", "FIPS endpoint"))
                }
            }
        }
    }

    fn models(&self, notes: &Notes) -> Markup {
        html! {
            section.card {
                h2 { "Models" }
                (self.map(notes, "inference_profile_arn_map", "Name to inference profile ARN, or any other \
                    model ARN or id. Wins over the catalogue."))
                (self.map(notes, "model_mapping", "The name that a client sends to another name."))
                (self.select(notes, "allow_model_ids", "Clients may also ask for", MODEL_IDS))
                (self.map(notes, "model_families", "Name or ARN to model family, for ARNs that do not say \
                    what they serve."))
                details open[!self.values.get("model_apis").is_empty()] {
                    summary { "More about models" }
                    (self.map(notes, "model_apis", "Name to auto, invoke or converse, for single models."))
                    (self.area(notes, "models", "Only these names", "One a line. Empty: every name that is \
                        mapped above, and what clients may also ask for."))
                }
            }
        }
    }

    fn behaviour(&self, notes: &Notes) -> Markup {
        html! {
            section.card {
                h2 { "Behaviour" }
                div.grid {
                    (self.select(notes, "cross_region", "Cross-region", CROSS_REGION))
                    (self.select(notes, "api", "API", APIS))
                    (self.select(notes, "signer", "Signed by", SIGNERS))
                    (self.select(notes, "unknown_parameters", "Unknown parameters", UNKNOWN_PARAMETERS))
                    (self.input(notes, "priority", "Priority", "Lower is tried first"))
                    (self.input(notes, "weight", "Weight", "Share within one priority, 1 to 1000"))
                    (self.input(notes, "first_byte_timeout_seconds", "First byte within", "Seconds until a \
                        stream begins"))
                    (self.input(notes, "request_timeout_seconds", "Answer within", "Seconds until any \
                        answer begins, at most"))
                }
                div.ticks {
                    (self.tick("retry_with_inference_profile",
                        "Call a model without on-demand throughput through its geographic profile"))
                }
                (self.area(notes, "guardrail", "Guardrail", "JSON with identifier, version and, optionally, \
                    trace. Empty: none."))
            }
        }
    }

    fn input(&self, notes: &Notes, name: &str, label: &str, hint: &str) -> Markup {
        let own = notes.of(name);
        html! {
            div.field {
                label for=(name) { (label) }
                input type="text" id=(name) name=(name) value=(self.values.get(name))
                    aria-describedby={ (name) "-hint " (name) "-notes" }
                    aria-invalid=[own.has_faults().then_some("true")] autocomplete="off";
                small #{ (name) "-hint" } { (hint) }
                (own.render(name))
            }
        }
    }

    fn area(&self, notes: &Notes, name: &str, label: &str, hint: &str) -> Markup {
        let own = notes.of(name);
        html! {
            div.field {
                label for=(name) { (label) }
                small #{ (name) "-hint" } { (hint) }
                textarea id=(name) name=(name) rows="3" spellcheck="false"
                    aria-describedby={ (name) "-hint " (name) "-notes" }
                    aria-invalid=[own.has_faults().then_some("true")] { (self.values.get(name)) }
                (own.render(name))
            }
        }
    }

    fn map(&self, notes: &Notes, name: &str, hint: &str) -> Markup {
        let own = notes.of(name);
        html! {
            div.field.map data-map=(name) {
                div.label-row {
                    label for=(name) { code { (name) } }
                    span.tools hidden {
                        button.quiet type="button" data-format { "Format" }
                        button.quiet type="button" data-table aria-expanded="false" { "Table" }
                    }
                }
                small #{ (name) "-hint" } { (hint) }
                textarea id=(name) name=(name) rows="6" spellcheck="false" autocomplete="off"
                    aria-describedby={ (name) "-hint " (name) "-notes" }
                    aria-invalid=[own.has_faults().then_some("true")] { (self.values.get(name)) }
                (own.render(name))
            }
        }
    }

    fn select(&self, notes: &Notes, name: &str, label: &str, choices: Choices) -> Markup {
        html! {
            div.field {
                label for=(name) { (label) }
                select id=(name) name=(name) {
                    @for (value, text) in choices {
                        option value=(value) selected[self.values.get(name) == *value] { (text) }
                    }
                }
                (notes.of(name).render(name))
            }
        }
    }

    fn tick(&self, name: &str, label: &str) -> Markup {
        html! {
            label.tick {
                input type="checkbox" name=(name) value="on" checked[!self.values.get(name).is_empty()];
                " " (label)
            }
        }
    }

    /// What is different between what is stored and what was to be saved.
    fn conflict(&self) -> Markup {
        let stored = self.stored.map(|own| masked(&own.channel));
        let mut mine = self.values.body();
        let mut theirs = Value::Object(stored.unwrap_or_default());
        for document in [&mut mine, &mut theirs] {
            if let Value::Object(fields) = document {
                fields.remove("credentials");
                fields.values_mut().for_each(unfold);
            }
        }
        html! {
            section.notice.error role="alert" #conflict {
                h2 { "Somebody else edited this channel" }
                p {
                    "Nothing was saved. Below is what is stored now next to what you entered; your \
                     entries are still in the form. Save again to put them in the place of what is \
                     stored, or "
                    a href="" { "take what is stored" } "."
                }
                (diff::table(&differences(Some(&theirs), Some(&mine)), ["stored now", "yours"]))
            }
        }
    }
}

/// A map in a string as the map, an empty string as nothing: as both are stored.
fn unfold(value: &mut Value) {
    if let Value::String(text) = value {
        if text.is_empty() {
            *value = Value::Null;
        } else if text.trim_start().starts_with('{')
            && let Ok(inner) = serde_json::from_str(text)
        {
            *value = inner;
        }
    }
    if value.as_object().is_some_and(serde_json::Map::is_empty) {
        *value = Value::Null;
    }
}

/// The other pages of a channel.
fn places(id: &str) -> Markup {
    html! {
        nav.tabs aria-label="Channel" {
            a href={ "/channels/" (id) "/test" } { "Test" }
            a href={ "/explain?channel=" (id) } { "Explain" }
            a href={ "/channels/" (id) "/history" } { "History" }
        }
    }
}

/// All faults at once, each with a link to its field.
fn summary(notes: &Notes) -> Markup {
    let faults: Vec<&Placed> = notes.faults().collect();
    html! {
        @if !faults.is_empty() {
            section.notice.error role="alert" #faults {
                h2 { "Nothing was saved" }
                ul {
                    @for fault in faults {
                        li { a href={ "#" (fault.field) } { (fault.field) } ": " (fault.text()) }
                    }
                    @if notes.more() > 0 { li { "and " (notes.more()) " more" } }
                }
            }
        }
    }
}

fn delete(session: &Session, stored: &StoredChannel) -> Markup {
    html! {
        details.card.danger {
            summary { "Delete this channel" }
            form.stack method="post" action={ "/channels/" (stored.id) "/delete" } {
                (csrf(session))
                label.tick {
                    input type="checkbox" name="confirmed" value="on" required;
                    " Delete " strong { (stored.channel.name) } ". Requests for its models may fail."
                }
                button.danger type="submit" { "Delete" }
            }
        }
    }
}
