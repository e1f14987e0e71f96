//! A channel's page: create, edit, delete.

mod credentials;
mod render;

pub(super) use credentials::{Kinds, render as credential_fields};

use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};

use super::fields::Values;
use super::layout::{Page, Refusal};
use super::login;
use super::session::{Session, Sessions};
use crate::api::AppState;
use crate::channel::StoredChannel;
use crate::channels::{Author, EditError, Request};
use crate::discovery;
use render::View;

/// What a browser sends: every field, by name.
pub(super) type Fields = Form<Vec<(String, String)>>;

/// Where a channel is created.
const NEW: &str = "/channels/new";

const RESTORED: &str = "Nothing is saved yet, because your session had ended. Your entries are \
    below; enter secrets again, then save.";

const DELETED: &str = "Nothing was saved, because this channel was deleted meanwhile. To create it \
    again, enter its credentials and save.";

pub(super) async fn new(State(sessions): State<Sessions>, session: Session) -> Response {
    let draft = sessions.take_draft(&session, NEW);
    let notice = draft.as_ref().map(|_| RESTORED);
    let values = draft.unwrap_or_else(Values::blank);
    let view = View {
        notice,
        ..View::new(None, &values)
    };
    show(&session, &view).into_response()
}

pub(super) async fn create(
    State(app): State<AppState>,
    session: Option<Session>,
    headers: HeaderMap,
    Form(pairs): Fields,
) -> Result<Response, Refusal> {
    let values = Values::sent(pairs);
    let Some(session) = session else {
        return Ok(login::hold(NEW.to_owned(), values, &headers));
    };
    if !session.sent(values.csrf()) {
        return Ok(again(
            &session,
            None,
            values,
            (StatusCode::FORBIDDEN, RESTORED),
        ));
    }
    session.principal.may_edit()?;
    let author = Author::new(session.principal.name.clone());
    let body = values.body().to_string();
    match app.channels.edit(author, Request::Create, body).await {
        Ok(stored) => Ok(saved(&stored)),
        Err(error) => refused(&session, None, values, error),
    }
}

pub(super) async fn edit(
    State(app): State<AppState>,
    State(sessions): State<Sessions>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let draft = sessions.take_draft(&session, &place(&id));
    let stored = match (app.channels.get(&id).await, draft.clone()) {
        (Err(EditError::NotFound(_)), Some(draft)) => {
            return Ok(again(
                &session,
                None,
                draft,
                (StatusCode::NOT_FOUND, DELETED),
            ));
        }
        (stored, _) => stored?,
    };
    let notice = draft.as_ref().map(|_| RESTORED);
    let values = draft.unwrap_or_else(|| Values::stored(&stored));
    let warnings = discovery::judged(&stored.channel, stored.discovery.as_ref());
    let view = View {
        notice,
        warnings: &warnings,
        ..View::new(Some(&stored), &values)
    };
    Ok(show(&session, &view).into_response())
}

pub(super) async fn save(
    State(app): State<AppState>,
    session: Option<Session>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Form(pairs): Fields,
) -> Result<Response, Refusal> {
    let values = Values::sent(pairs);
    let Some(session) = session else {
        return Ok(login::hold(place(&id), values, &headers));
    };
    if !session.sent(values.csrf()) {
        let stored = app.channels.get(&id).await?;
        return Ok(again(
            &session,
            Some(&stored),
            values,
            (StatusCode::FORBIDDEN, RESTORED),
        ));
    }
    session.principal.may_edit()?;
    // A form always says what it was based on; one that does not knows no state of the channel.
    let known = values.revision().unwrap_or(0);
    let author = Author::new(session.principal.name.clone()).expecting(known);
    let body = values.body().to_string();
    let edited = app
        .channels
        .edit(author, Request::Replace(id.clone()), body)
        .await;
    match edited {
        Ok(stored) => Ok(saved(&stored)),
        Err(EditError::NotFound(_)) => Ok(again(
            &session,
            None,
            values,
            (StatusCode::NOT_FOUND, DELETED),
        )),
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
    let values = Values::sent(pairs);
    session.check_edit(values.csrf())?;
    if values.get("confirmed").is_empty() {
        let message = "To delete the channel, tick the box to confirm.";
        return Err(Refusal::bad_request(message));
    }
    let author = Author::new(session.principal.name);
    app.channels.delete(author, id).await?;
    Ok(Redirect::to("/channels"))
}

/// URL of a channel's form.
fn place(id: &str) -> String {
    format!("/channels/{id}")
}

/// The form again with all entries but secrets, and why nothing was saved.
fn again(
    session: &Session,
    stored: Option<&StoredChannel>,
    values: Values,
    (status, notice): (StatusCode, &str),
) -> Response {
    let values = values.without_secrets();
    let view = View {
        notice: Some(notice),
        ..View::new(stored, &values)
    };
    (status, show(session, &view)).into_response()
}

fn saved(stored: &StoredChannel) -> Response {
    Redirect::to(&format!("/channels?saved={}", stored.id)).into_response()
}

/// The form again, with the entries and their faults.
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
        // Saving again is based on what is stored now.
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
