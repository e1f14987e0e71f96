//! A channel's own page: create, edit, delete.

mod credentials;
mod render;

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::fields::Values;
use super::layout::{Page, Refusal};
use super::session::Session;
use crate::api::AppState;
use crate::channel::{StoredChannel, warnings};
use crate::channels::{Author, EditError, Request};
use render::View;

/// What a browser sends: every field by name.
pub(super) type Fields = Form<Vec<(String, String)>>;

pub(super) async fn new(session: Session) -> Response {
    let values = Values::blank();
    show(&session, &View::new(None, &values)).into_response()
}

pub(super) async fn create(
    State(app): State<AppState>,
    session: Session,
    Form(pairs): Fields,
) -> Result<Response, Refusal> {
    let values = permitted(&session, pairs)?;
    let author = Author::new(session.principal.name.clone());
    let body = values.body().to_string();
    match app.channels.edit(author, Request::Create, body).await {
        Ok(stored) => Ok(saved(&stored)),
        Err(error) => refused(&session, None, values, error),
    }
}

pub(super) async fn edit(
    State(app): State<AppState>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let stored = app.channels.get(&id).await?;
    let values = Values::stored(&stored);
    let warnings = warnings(&stored.channel);
    let view = View {
        warnings: &warnings,
        ..View::new(Some(&stored), &values)
    };
    Ok(show(&session, &view).into_response())
}

pub(super) async fn save(
    State(app): State<AppState>,
    session: Session,
    Path(id): Path<String>,
    Form(pairs): Fields,
) -> Result<Response, Refusal> {
    let values = permitted(&session, pairs)?;
    // A form always says what it was made from; one that does not knows nothing of the channel.
    let known = values.revision().unwrap_or(0);
    let author = Author::new(session.principal.name.clone()).expecting(known);
    let body = values.body().to_string();
    let edited = app
        .channels
        .edit(author, Request::Replace(id.clone()), body)
        .await;
    match edited {
        Ok(stored) => Ok(saved(&stored)),
        Err(error) => {
            let stored = app.channels.get(&id).await?;
            refused(&session, Some(&stored), values, error)
        }
    }
}

pub(super) async fn delete(
    State(app): State<AppState>,
    session: Session,
    Path(id): Path<String>,
    Form(pairs): Fields,
) -> Result<Redirect, Refusal> {
    let values = permitted(&session, pairs)?;
    if values.get("confirmed").is_empty() {
        let message = "Tick the box that confirms it, so that no channel is deleted by accident.";
        return Err(Refusal::bad_request(message));
    }
    let author = Author::new(session.principal.name);
    app.channels.delete(author, id).await?;
    Ok(Redirect::to("/channels"))
}

/// The fields of a form that may change something.
fn permitted(session: &Session, pairs: Vec<(String, String)>) -> Result<Values, Refusal> {
    let values = Values::sent(pairs);
    session.check_edit(values.csrf())?;
    Ok(values)
}

fn saved(stored: &StoredChannel) -> Response {
    Redirect::to(&format!("/channels?saved={}", stored.id)).into_response()
}

/// The form again, with what was entered and what speaks against it.
fn refused(
    session: &Session,
    stored: Option<&StoredChannel>,
    values: Values,
    error: EditError,
) -> Result<Response, Refusal> {
    let is_outdated = matches!(error, EditError::Outdated(_));
    let faults = match error.faults() {
        Some(faults) => faults,
        None if is_outdated => Vec::new(),
        None => return Err(error.into()),
    };
    let mut values = values.without_secrets();
    if let (true, Some(stored)) = (is_outdated, stored) {
        // Saving again is on top of what is stored now.
        values.set("revision", stored.revision.to_string());
    }
    let view = View {
        faults: &faults,
        is_outdated,
        ..View::new(stored, &values)
    };
    let status = if is_outdated {
        StatusCode::PRECONDITION_FAILED
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Ok((status, show(session, &view)).into_response())
}

fn show(session: &Session, view: &View<'_>) -> impl axum::response::IntoResponse + use<> {
    let page = Page {
        title: view.title(),
        place: "/channels",
        session: Some(session),
    };
    page.render(&view.render(session))
}
