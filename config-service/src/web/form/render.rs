//! The form of a channel.

use maud::{Markup, html};
use serde_json::Value;

use super::super::diff;
use super::super::fields::Values;
use super::super::inputs::{Choices, Inputs};
use super::super::layout::csrf;
use super::super::session::Session;
use super::super::validate::Notes;
use super::{Kinds, NEW, credential_fields, place};
use crate::channel::{StoredChannel, masked, masked_credentials};
use crate::edit::plain_json;
use crate::fault::Fault;
use crate::history::differences;

/// A form and its messages.
pub(super) struct View<'a> {
    /// The channel being edited; none for a new one.
    pub(super) stored: Option<&'a StoredChannel>,
    pub(super) values: &'a Values,
    pub(super) faults: &'a [Fault],
    pub(super) warnings: &'a [Fault],
    /// Whether somebody else has edited the channel since the form was made.
    pub(super) is_outdated: bool,
    /// A message about what happened before.
    pub(super) notice: Option<&'a str>,
}

const SIGNERS: Choices = &[
    ("filter", "the filter (Wasm)"),
    ("envoy", "Envoy (aws_request_signing)"),
];
const UNKNOWN_PARAMETERS: Choices = &[
    ("", "the config-service's setting"),
    ("leave_out", "leave out, and say so in a header"),
    ("refuse", "refuse the request"),
];
const APIS: Choices = &[
    ("auto", "auto: InvokeModel, else Converse"),
    ("invoke", "InvokeModel"),
    ("converse", "Converse"),
];
const MODEL_IDS: Choices = &[
    ("catalogue", "catalogue: models in the catalogue"),
    ("none", "none: only names that are mapped here"),
    ("any", "any: custom models and raw ARNs too"),
];

const NAME_MATCH: Choices = &[
    ("model", "model: all names of a model"),
    ("exact", "exact: the key alone"),
];

const MODELS_MODES: Choices = &[
    ("", "the list below, or the catalogue"),
    ("allowlist", "allowlist: the list below alone"),
    (
        "fallback",
        "fallback: what the account has, else the list below",
    ),
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

    /// What may be shown of the stored credentials.
    fn stored_credentials(&self) -> Option<Value> {
        self.stored
            .map(|own| masked_credentials(&own.channel.credentials))
    }

    /// Where the form is sent, whatever the URL of the page.
    fn action(&self) -> String {
        self.stored
            .map_or_else(|| NEW.to_owned(), |own| place(&own.id))
    }

    pub(super) fn render(&self, session: &Session) -> Markup {
        let notes = Notes::new(self.values, self.faults, self.warnings);
        let at = Inputs {
            values: self.values,
            notes: &notes,
        };
        let may_edit = session.principal.may_edit().is_ok();
        html! {
            div.heading {
                h1 { (self.title()) }
                @if let Some(stored) = self.stored { (places(&stored.id)) }
            }
            @if self.is_outdated { (self.conflict()) }
            @if let Some(notice) = self.notice { p.notice.error role="alert" #notice { (notice) } }
            (at.summary())
            form.channel method="post" action=(self.action()) data-validate="/channels/validate" novalidate {
                (csrf(session))
                @if let Some(stored) = self.stored {
                    input type="hidden" name="id" value=(stored.id);
                    input type="hidden" name="revision" value=(self.values.get("revision"));
                }
                fieldset disabled[!may_edit] {
                    (identity(at))
                    (credential_fields(self.stored_credentials().as_ref(), Kinds::Channel, self.values, &notes))
                    (models(at))
                    (behaviour(at))
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

    /// The differences between what is stored and what was to be saved.
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
                    "Nothing was saved. Below, what is stored now is next to what you entered; \
                     your entries are still in the form. Save again to replace what is stored with \
                     them, or "
                    a href="" { "discard your entries" } "."
                }
                (diff::table(&differences(Some(&theirs), Some(&mine)), ["stored now", "yours"]))
            }
        }
    }
}

/// Converts a string to the map that it contains, and an empty string to nothing, as both
/// are stored.
fn unfold(value: &mut Value) {
    if let Value::String(text) = value {
        let plain = plain_json(text).unwrap_or_else(|_| text.clone());
        if plain.trim().is_empty() {
            *value = Value::Null;
        } else if plain.trim_start().starts_with('{')
            && let Ok(inner) = serde_json::from_str(&plain)
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
            a href={ "/channels/" (id) "/discovery" } { "Account" }
            a href={ "/explain?channel=" (id) } { "Explain" }
            a href={ "/channels/" (id) "/history" } { "History" }
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
                    " Delete " strong { (stored.channel.name) } ". Requests for its models may \
                     then fail."
                }
                button.danger type="submit" { "Delete" }
            }
        }
    }
}

fn identity(at: Inputs<'_>) -> Markup {
    html! {
        section.card {
            h2 { "Channel" }
            div.grid {
                (at.input("name", "Name", "Letters, digits, . _ and -"))
                (at.input("region", "Region", "Such as us-east-1"))
                (at.input("endpoint", "Endpoint", "Empty: the region's public \
                    endpoint. Changing the host needs the secret again."))
            }
            div.ticks {
                (at.tick("enabled", "Enabled"))
                (at.tick("fips", "FIPS endpoint"))
            }
        }
    }
}

fn models(at: Inputs<'_>) -> Markup {
    html! {
        section.card {
            h2 { "Models" }
            (at.map("inference_profile_arn_map", None, "Maps a name to an inference profile \
                ARN, or any other model ARN or id. Takes precedence over the catalogue."))
            (at.select("match", "Names match by", NAME_MATCH))
            (at.map("model_mapping", None, "Maps the name that a client sends to another \
                name."))
            (at.select("allow_model_ids", "Clients may also request", MODEL_IDS))
            (at.map("model_families", None, "Maps a name or ARN to a model family, for ARNs \
                that do not reveal it."))
            details open[!at.values.get("model_apis").is_empty()] {
                summary { "More about models" }
                (at.map("model_apis", None, "Maps a name to auto, invoke or converse, for \
                    individual models."))
                (at.select("models_mode", "Names come from", MODELS_MODES))
                (at.area("models", "Only these names", "One per line. Empty: every \
                    name that is mapped above, and what clients may also request."))
                (at.input("discovery_hours", "Ask the account every", "Hours; 0: only when somebody \
                    asks, on the page Account."))
            }
        }
    }
}

fn behaviour(at: Inputs<'_>) -> Markup {
    html! {
        section.card {
            h2 { "Behaviour" }
            div.grid {
                (at.select("cross_region", "Cross-region", CROSS_REGION))
                (at.select("api", "API", APIS))
                (at.select("signer", "Signed by", SIGNERS))
                (at.select("unknown_parameters", "Unknown parameters", UNKNOWN_PARAMETERS))
                (at.input("priority", "Priority", "Lower is tried first"))
                (at.input("weight", "Weight", "Share among channels of the same \
                    priority, 1 to 1000"))
                (at.input("first_byte_timeout_seconds", "First byte within", "Seconds \
                    within which a stream must start"))
                (at.input("request_timeout_seconds", "Answer within", "Upper limit on \
                    the seconds until any answer starts"))
            }
            div.ticks {
                (at.tick("retry_with_inference_profile",
                    "Call a model without on-demand throughput through its geographic profile"))
            }
            (at.area("guardrail", "Guardrail", "JSON with identifier, version and, optionally, \
                trace. Empty: none."))
        }
    }
}
