//! Names that choose a model.

mod history;
mod text;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use maud::{Markup, html};
use serde::Deserialize;

use super::Pages;
use super::fields::Values;
use super::form::Fields;
use super::layout::{Page, Refusal, csrf, form_urlencoded, time};
use super::session::Session;
use crate::api::AppState;
use crate::channels::{Author, ChoiceError};
use crate::model_choice::{ChoiceSource, ChoiceView};

const PLACE: &str = "/model-choices";

const HINT: &str = "Models, one per line, of which the first that can serve a request does; or JSON with weights or rules.";

const EXAMPLE: &str = r#"{
  "rules": [
    {"when": {"tag": "high"}, "use": "claude-sonnet-4-5"},
    {"when": {"images": true}, "use": "nova-pro"},
    {"when": {"prompt_tokens_over": 20000}, "use": "nova-premier"}
  ],
  "else": "nova-lite"
}"#;

pub(super) fn routes() -> Router<Pages> {
    Router::new()
        .route("/model-choices", get(page).post(save))
        .route("/model-choices/{name}/delete", post(delete))
        .route("/model-choices/{name}/history", get(history::page))
        .route("/model-choices/{name}/rollback", post(history::roll_back))
}

/// The name that the form is to show.
#[derive(Deserialize)]
struct Asked {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Delete {
    csrf: Option<String>,
}

async fn page(
    State(app): State<AppState>,
    session: Session,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let (_, all) = app.channels.choices().await?;
    let mut values = Values::default();
    let found = all
        .iter()
        .find(|own| Some(&own.name) == asked.name.as_ref());
    if let Some(own) = found {
        values.set("name", &own.name);
        values.set("choice", text::of(&own.choice));
        values.set("edited", &own.name);
        values.set("revision", own.revision.unwrap_or_default().to_string());
    }
    Ok(show(&session, &all, &values, (StatusCode::OK, None)))
}

async fn save(
    State(app): State<AppState>,
    session: Session,
    Form(pairs): Fields,
) -> Result<Response, Refusal> {
    let values = Values::sent(pairs);
    session.check_edit(values.csrf())?;
    let name = values.get("name").trim().to_owned();
    let mut author = Author::new(session.principal.name.clone());
    // Under another name it is another choice.
    if let Some(revision) = values.revision().filter(|_| values.get("edited") == name) {
        author = author.expecting(revision);
    }
    let saved = match text::body(values.get("choice")) {
        Ok(body) => app.channels.put_choice(author, name, body).await,
        Err(error) => Err(error.into()),
    };
    let Err(error) = saved else {
        return Ok(Redirect::to(PLACE).into_response());
    };
    let is_entry = matches!(error, ChoiceError::Invalid(_) | ChoiceError::Syntax(_));
    match Refusal::from(error) {
        Refusal::Message(status, reason) if is_entry => {
            let (_, all) = app.channels.choices().await?;
            Ok(show(&session, &all, &values, (status, Some(&reason))))
        }
        other => Err(other),
    }
}

async fn delete(
    State(app): State<AppState>,
    session: Session,
    Path(name): Path<String>,
    Form(sent): Form<Delete>,
) -> Result<Redirect, Refusal> {
    session.check_edit(sent.csrf.as_deref())?;
    let author = Author::new(session.principal.name);
    match app.channels.delete_choice(author, name).await {
        // If it is already gone, the request is fulfilled.
        Ok(()) | Err(ChoiceError::NotFound(_)) => Ok(Redirect::to(PLACE)),
        Err(error) => Err(error.into()),
    }
}

fn show(
    session: &Session,
    all: &[ChoiceView],
    values: &Values,
    (status, notice): (StatusCode, Option<&str>),
) -> Response {
    let page = Page {
        title: "Model choices",
        place: PLACE,
        session: Some(session),
    };
    let may_edit = session.principal.may_edit().is_ok();
    let main = html! {
        h1 { "Model choices" }
        p.muted { "Names that clients ask for like a model, and that choose one for each request: by an order, by weight, \
            or by rules about the request. Answers have the name as their model; the header " code { "x-bedrock-model" }
            " says what served." }
        @if let Some(notice) = notice { p.notice.error role="alert" { (notice) } }
        @if all.is_empty() { p { "There are none yet." } } @else { (table(all, session)) }
        @if may_edit { (form(session, values)) }
    };
    (status, page.render(&main)).into_response()
}

fn form(session: &Session, values: &Values) -> Markup {
    html! {
        form.stack method="post" action=(PLACE) {
            (csrf(session))
            @if let Some(revision) = values.revision() {
                input type="hidden" name="edited" value=(values.get("edited"));
                input type="hidden" name="revision" value=(revision);
            }
            section.card {
                h2 { "Create or replace one" }
                div.field {
                    label for="name" { "Name" }
                    input #name type="text" name="name" required autocomplete="off" value=(values.get("name"));
                }
                div.field {
                    label for="choice" { "Chooses from" }
                    small #choice-hint { (HINT) }
                    textarea #choice name="choice" rows="10" spellcheck="false" required aria-describedby="choice-hint" {
                        (values.get("choice"))
                    }
                }
                details {
                    summary { "Rules, for example" }
                    pre { (EXAMPLE) }
                }
            }
            div.actions { button.primary type="submit" { "Save" } }
        }
    }
}

fn table(all: &[ChoiceView], session: &Session) -> Markup {
    html! {
        table.channels {
            thead { tr {
                th scope="col" { "Name" } th scope="col" { "Chooses from" } th scope="col" { "Edited" } th scope="col" { "" }
            } }
            tbody { @for own in all { (row(own, session)) } }
        }
    }
}

fn row(own: &ChoiceView, session: &Session) -> Markup {
    let encoded = form_urlencoded(&own.name);
    let is_stored = own.source == ChoiceSource::Stored;
    let may_edit = is_stored && session.principal.may_edit().is_ok();
    html! {
        tr {
            th scope="row" { (own.name) }
            td data-label="Chooses from" {
                pre { (text::of(&own.choice)) }
                @if !own.warnings.is_empty() {
                    ul.notes {
                        @for warning in &own.warnings { li.warning { span.kind { "Warning: " } (warning.message) } }
                    }
                }
            }
            td data-label="Edited" {
                @if let Some(at) = &own.updated_at { (time(at)) } @else { "in the file of " code { "--model-choices" } }
            }
            td {
                @if is_stored { a href={ (PLACE) "/" (encoded) "/history" } aria-label={ "History of " (own.name) } { "History" } }
                @if may_edit {
                    " " a href={ (PLACE) "?name=" (encoded) "#name" } aria-label={ "Edit " (own.name) } { "Edit" }
                    form.inline method="post" action={ (PLACE) "/" (encoded) "/delete" } {
                        (csrf(session))
                        button.danger type="submit" aria-label={ "Delete " (own.name) } { "Delete" }
                    }
                }
            }
        }
    }
}
