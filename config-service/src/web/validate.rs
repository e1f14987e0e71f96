//! Checks the content of a form, and shows each note at its field and line.

use axum::Form;
use axum::Json;
use axum::extract::State;
use maud::{Markup, html};
use serde::Serialize;

use super::fields::Values;
use super::form::Fields;
use super::layout::Refusal;
use super::line_numbers;
use super::session::Session;
use crate::api::AppState;
use crate::channel::Setting;
use crate::channels::Request;
use crate::edit::plain_json;
use crate::fault::{Fault, LISTED, parts};
use crate::setting::Input;

/// A note with its position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Placed {
    /// The field.
    pub(super) field: String,
    /// The rest of the JSON pointer, such as a key of a map.
    #[serde(skip_serializing_if = "Option::is_none")]
    within: Option<String>,
    /// Line in the field's text, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    message: String,
    is_warning: bool,
}

/// All notes on a form.
#[derive(Debug, Default, Serialize)]
pub(super) struct Notes {
    notes: Vec<Placed>,
    /// The number of faults without a note, because there are too many.
    more: usize,
}

/// The notes on one field.
pub(super) struct FieldNotes<'n>(Vec<&'n Placed>);

/// Checks a form while it is being filled in; changes nothing.
pub(super) async fn validate(
    State(app): State<AppState>,
    session: Session,
    Form(pairs): Fields,
) -> Result<Json<Notes>, Refusal> {
    let values = Values::sent(pairs);
    session.check_csrf(values.csrf())?;
    let request = match values.get("id") {
        "" => Request::Create,
        id => Request::Replace(id.to_owned()),
    };
    let judged = app
        .channels
        .preview(request, values.body().to_string())
        .await;
    Ok(Json(match judged {
        Ok(warnings) => Notes::new(&values, &[], &warnings),
        Err(error) => match error.faults() {
            Some(faults) => Notes::new(&values, &faults, &[]),
            None => return Err(error.into()),
        },
    }))
}

impl Notes {
    pub(super) fn new(values: &Values, faults: &[Fault], warnings: &[Fault]) -> Self {
        let more = faults.len().saturating_sub(LISTED);
        let faults = faults
            .iter()
            .take(LISTED)
            .map(|fault| Placed::new(values, fault, Severity::Fault));
        let warnings = warnings
            .iter()
            .map(|warning| Placed::new(values, warning, Severity::Warning));
        Self {
            notes: faults.chain(warnings).collect(),
            more,
        }
    }

    pub(super) fn of(&self, field: &str) -> FieldNotes<'_> {
        FieldNotes(self.notes.iter().filter(|own| own.field == field).collect())
    }

    /// The number of faults without a note.
    pub(super) fn more(&self) -> usize {
        self.more
    }

    pub(super) fn faults(&self) -> impl Iterator<Item = &Placed> {
        self.notes.iter().filter(|own| !own.is_warning)
    }
}

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Severity {
    /// What keeps the channel from being saved.
    Fault,
    /// What may be saved, but is suspicious.
    Warning,
}

impl Placed {
    fn new(values: &Values, fault: &Fault, severity: Severity) -> Self {
        let mut parts = parts(&fault.pointer).into_iter();
        let field = parts.next().unwrap_or_else(|| "name".to_owned());
        let within = parts.next().map(|first| {
            let rest: Vec<_> = std::iter::once(first).chain(parts).collect();
            rest.join("/")
        });
        let is_map = Setting::find(&field).is_some_and(|own| own.input == Input::Map);
        let line = match &within {
            Some(key) if is_map => {
                let text = values.get(&field);
                let plain = plain_json(text).unwrap_or_else(|_| text.to_owned());
                line_numbers::of_key(&plain, key)
            }
            // Faults of a text as a whole say their line themselves.
            _ => None,
        };
        Self {
            field,
            within,
            line,
            message: fault.message.clone(),
            is_warning: severity == Severity::Warning,
        }
    }

    /// Position and message in words.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        if let Some(line) = self.line {
            text.push_str(&format!("line {line}: "));
        }
        if let Some(within) = &self.within {
            text.push_str(&format!("`{within}`: "));
        }
        text + &self.message
    }
}

impl FieldNotes<'_> {
    pub(super) fn has_faults(&self) -> bool {
        self.0.iter().any(|own| !own.is_warning)
    }

    /// The element for the notes, even if there are none: the script fills it.
    pub(super) fn render(&self, field: &str) -> Markup {
        html! {
            ul.notes id={ (field) "-notes" } data-notes=(field) aria-live="polite" {
                @for note in &self.0 {
                    li.warning[note.is_warning] {
                        @if note.is_warning { span.kind { "Warning " } }
                        (note.text())
                    }
                }
            }
        }
    }
}
