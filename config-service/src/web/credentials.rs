//! Credentials that are stored by themselves, for any number of channels.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use super::fields::Values;
use super::form::{Fields, Kinds, credential_fields};
use super::layout::{Page, Refusal, csrf, time};
use super::session::Session;
use super::validate::Notes;
use crate::api::AppState;
use crate::channel::CredentialView;
use crate::channels::{Author, EditError};

const PLACE: &str = "/credentials";

#[derive(Deserialize)]
pub(super) struct Delete {
    csrf: Option<String>,
}

pub(super) async fn page(
    State(app): State<AppState>,
    session: Session,
) -> Result<Response, Refusal> {
    let values = Values::blank();
    show(&app, &session, &values, (StatusCode::OK, None)).await
}

pub(super) async fn save(
    State(app): State<AppState>,
    session: Session,
    Form(pairs): Fields,
) -> Result<Response, Refusal> {
    let values = Values::sent(pairs);
    session.check_edit(values.csrf())?;
    let author = Author::new(session.principal.name.clone());
    let name = values.get("name").trim().to_owned();
    let body = json!({ "credentials": values.credentials() }).to_string();
    match app.channels.put_credential(author, name, body).await {
        Ok(_) => Ok(Redirect::to(PLACE).into_response()),
        Err(error) => {
            let refused = error.faults().is_some();
            let refusal = Refusal::from(error);
            match refusal {
                Refusal::Message(status, reason) if refused => {
                    let values = values.without_secrets();
                    show(&app, &session, &values, (status, Some(&reason))).await
                }
                other => Err(other),
            }
        }
    }
}

pub(super) async fn delete(
    State(app): State<AppState>,
    session: Session,
    Path(name): Path<String>,
    Form(sent): Form<Delete>,
) -> Result<Redirect, Refusal> {
    session.check_edit(sent.csrf.as_deref())?;
    let author = Author::new(session.principal.name);
    match app.channels.delete_credential(author, name).await {
        // If it is already gone, the request is fulfilled.
        Ok(()) | Err(EditError::UnknownCredential(_)) => Ok(Redirect::to(PLACE)),
        Err(error) => Err(error.into()),
    }
}

async fn show(
    app: &AppState,
    session: &Session,
    values: &Values,
    (status, notice): (StatusCode, Option<&str>),
) -> Result<Response, Refusal> {
    let (_, all) = app.channels.credentials().await?;
    let page = Page {
        title: "Credentials",
        place: PLACE,
        session: Some(session),
    };
    let main = html! {
        h1 { "Credentials" }
        p.muted { "A credential that several channels use, edited and rotated in one place. A channel refers to it \
            with the credentials " em { "Shared credential" } "." }
        @if let Some(notice) = notice { p.notice.error role="alert" { (notice) } }
        @if all.is_empty() { p { "There are none yet." } } @else { (table(session, &all)) }
        @if session.principal.may_edit().is_ok() {
            form.stack method="post" action=(PLACE) {
                (csrf(session))
                section.card {
                    h2 { "Create or replace one" }
                    div.field {
                        label for="name" { "Name" }
                        input #name type="text" name="name" required autocomplete="off" value=(values.get("name"));
                    }
                }
                (credential_fields(None, Kinds::Own, values, &Notes::default()))
                div.actions { button.primary type="submit" { "Save" } }
            }
        }
    };
    Ok((status, page.render(&main)).into_response())
}

fn table(session: &Session, all: &[CredentialView]) -> Markup {
    html! {
        table.channels {
            thead { tr {
                th scope="col" { "Name" } th scope="col" { "Content" } th scope="col" { "Used by" }
                th scope="col" { "Edited" } th scope="col" { "" }
            } }
            tbody {
                @for own in all {
                    tr {
                        th scope="row" { a href={ (PLACE) "/" (own.name) "/history" } { (own.name) } }
                        td data-label="Content" { (content(&own.credentials)) }
                        td data-label="Used by" { @if own.used_by.is_empty() { "–" } @else { (own.used_by.join(", ")) } }
                        td data-label="Edited" { (time(&own.updated_at)) }
                        td {
                            @if own.used_by.is_empty() && session.principal.may_edit().is_ok() {
                                form.inline method="post" action={ (PLACE) "/" (own.name) "/delete" } {
                                    (csrf(session))
                                    button.danger type="submit" aria-label={ "Delete " (own.name) } { "Delete" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What may be shown, in a line: the type and whatever tells it from others.
fn content(shown: &Value) -> Markup {
    let members = shown.as_object().into_iter().flatten();
    let texts = members.filter_map(|(name, value)| Some((name, value.as_str()?)));
    let texts: Vec<_> = texts.filter(|(name, _)| *name != "type").collect();
    html! {
        code { (shown["type"].as_str().unwrap_or_default()) }
        @for (name, text) in texts { br; (name) " " code { (text) } }
    }
}
