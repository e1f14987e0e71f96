//! What applies to all callers.

use axum::extract::State;
use axum::response::Redirect;
use bedrock_filter::config::CallerMode;
use maud::{Markup, html};
use serde_json::Value;

use super::super::fields::Values;
use super::super::form::Fields;
use super::super::inputs::{Choices, Inputs};
use super::super::layout::{Refusal, csrf};
use super::super::session::Session;
use super::super::validate::Notes;
use crate::api::AppState;
use crate::caller::{CallerBook, POLICY_SETTINGS};
use crate::channels::Author;

const MODES: Choices = &[
    ("off", "off: whoever reaches the gateway is served"),
    ("optional", "optional: keys are known, but not required"),
    ("required", "required: only with a key"),
];

const LIMIT_MODES: Choices = &[
    ("shared", "shared: a rate limit service, for all Envoys"),
    ("local", "local: each Envoy by itself"),
    ("off", "off: nobody, there are no limits"),
];

pub(super) async fn save(
    State(app): State<AppState>,
    session: Session,
    axum::Form(pairs): Fields,
) -> Result<Redirect, Refusal> {
    let values = Values::sent(pairs);
    session.check_edit(values.csrf())?;
    let known = values.revision().unwrap_or(0);
    let author = Author::new(session.principal.name).expecting(known);
    let body = Value::Object(values.body_of(POLICY_SETTINGS));
    app.callers.edit_policy(author, body.to_string()).await?;
    Ok(Redirect::to("/callers"))
}

pub(super) fn render(session: &Session, book: &CallerBook, has_master_key: bool) -> Markup {
    let values = Values::showing(POLICY_SETTINGS, &book.policy);
    let notes = Notes::default();
    let at = Inputs {
        values: &values,
        notes: &notes,
    };
    let may_edit = session.principal.may_edit().is_ok();
    let is_locked_out = book.policy.mode == CallerMode::Required
        && !has_master_key
        && book.callers.iter().all(|own| own.keys.is_empty());
    html! {
        @if is_locked_out {
            p.notice.error role="alert" { "A key is required, and there is none: nobody is served." }
        }
        details.card open[book.policy.mode == CallerMode::Off] {
            summary { "Keys are " strong #mode { (mode_in_words(book.policy.mode)) } }
            form.stack method="post" action="/callers/settings" {
                (csrf(session))
                input type="hidden" name="revision" value=(book.policy_revision);
                fieldset disabled[!may_edit] {
                    (at.select("mode", "Mode", MODES))
                    (at.select("limit_mode", "Limits are counted by", LIMIT_MODES))
                    div.grid {
                        (at.input("default_rpm", "Requests a minute", "Of each caller without a limit of its own"))
                        (at.input("default_tpm", "Tokens a minute", "Likewise"))
                        (at.input("default_concurrent_requests", "Requests at a time", "Likewise"))
                    }
                    (at.area("headers", "Headers with keys", "One per line, in lower case; the first with a known key counts."))
                }
                @if may_edit { div.actions { button.primary type="submit" { "Save for all callers" } } }
                p.muted { @if has_master_key { "There is a master key." } @else { "There is no master key." } }
            }
        }
    }
}

fn mode_in_words(mode: CallerMode) -> &'static str {
    match mode {
        CallerMode::Off => "not asked for",
        CallerMode::Optional => "optional",
        CallerMode::Required => "required",
    }
}
