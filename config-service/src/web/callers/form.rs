//! A caller's page: create, edit, delete.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde_json::Value;

use super::super::fields::Values;
use super::super::form::Fields;
use super::super::layout::{Page, Refusal};
use super::super::session::Session;
use super::render::View;
use crate::api::{AppState, last_uses};
use crate::caller::{Caller, LastUses, SETTINGS, StoredCaller};
use crate::callers::{CallerError, CallerRequest};
use crate::channels::Author;
use crate::store::StoreError;

pub(super) async fn new(session: Session) -> Response {
    let values = Values::showing(SETTINGS, &Caller::default());
    show(&session, &View::new(None, &values))
}

pub(super) async fn create(
    State(app): State<AppState>,
    session: Session,
    Form(pairs): Fields,
) -> Result<Response, Refusal> {
    let mut values = Values::sent(pairs);
    session.check_edit(values.csrf())?;
    let author = Author::new(session.principal.name.clone());
    let made = app
        .callers
        .edit(author, CallerRequest::Create, body(&values))
        .await;
    match made {
        Ok(stored) => Ok(Redirect::to(&place(&stored.id)).into_response()),
        Err(error) => refused(&session, (None, None), &mut values, error),
    }
}

pub(super) async fn edit(
    State(app): State<AppState>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let stored = app.callers.get(&id).await?;
    let values = stored_values(&stored);
    let uses = uses(&app).await?;
    let view = View {
        uses: uses.as_ref(),
        ..View::new(Some(&stored), &values)
    };
    Ok(show(&session, &view))
}

pub(super) async fn save(
    State(app): State<AppState>,
    session: Session,
    Path(id): Path<String>,
    Form(pairs): Fields,
) -> Result<Response, Refusal> {
    let mut values = Values::sent(pairs);
    session.check_edit(values.csrf())?;
    let known = values.revision().unwrap_or(0);
    let author = Author::new(session.principal.name.clone()).expecting(known);
    let request = CallerRequest::Replace(id.clone());
    match app.callers.edit(author, request, body(&values)).await {
        Ok(stored) => {
            let saved = format!("/callers?saved={}", stored.id);
            Ok(Redirect::to(&saved).into_response())
        }
        Err(error) => {
            let stored = app.callers.get(&id).await?;
            let uses = uses(&app).await?;
            let known = (Some(&*stored), uses.as_ref());
            refused(&session, known, &mut values, error)
        }
    }
}

pub(super) async fn delete(
    State(app): State<AppState>,
    session: Session,
    Path(id): Path<String>,
    Form(pairs): Fields,
) -> Result<Redirect, Refusal> {
    let values = Values::sent(pairs);
    session.check_edit(values.csrf())?;
    if values.get("confirmed").is_empty() {
        let message = "To delete the caller, tick the box to confirm.";
        return Err(Refusal::bad_request(message));
    }
    let author = Author::new(session.principal.name);
    app.callers.delete(author, id).await?;
    Ok(Redirect::to("/callers"))
}

/// When callers and keys were last used, where that is recorded.
pub(super) async fn uses(app: &AppState) -> Result<Option<LastUses>, StoreError> {
    match app.usage {
        Some(_) => last_uses(app).await.map(Some),
        None => Ok(None),
    }
}

/// What is stored, as the form shows it.
pub(super) fn stored_values(stored: &StoredCaller) -> Values {
    let mut values = Values::showing(SETTINGS, &stored.caller);
    values.set("revision", stored.revision.to_string());
    values
}

/// URL of a caller's form.
fn place(id: &str) -> String {
    format!("/callers/{id}")
}

fn body(values: &Values) -> String {
    Value::Object(values.body_of(SETTINGS)).to_string()
}

/// The form again, with the entries and their faults.
fn refused(
    session: &Session,
    (stored, uses): (Option<&StoredCaller>, Option<&LastUses>),
    values: &mut Values,
    error: CallerError,
) -> Result<Response, Refusal> {
    let is_outdated = matches!(error, CallerError::Outdated(_));
    let faults = match error.faults() {
        Some(faults) => faults,
        None if is_outdated => Vec::new(),
        None => return Err(error.into()),
    };
    if let (true, Some(stored)) = (is_outdated, stored) {
        // Saving again is based on what is stored now.
        values.set("revision", stored.revision.to_string());
    }
    let view = View {
        faults: &faults,
        is_outdated,
        uses,
        ..View::new(stored, values)
    };
    let status = if is_outdated {
        StatusCode::PRECONDITION_FAILED
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Ok((status, show(session, &view)).into_response())
}

pub(super) fn show(session: &Session, view: &View<'_>) -> Response {
    let page = Page {
        title: view.title(),
        place: "/callers",
        session: Some(session),
    };
    page.render(&view.render(session)).into_response()
}
