//! Making, replacing and revoking keys.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use serde_json::json;

use super::super::fields::Values;
use super::super::form::Fields;
use super::super::layout::Refusal;
use super::super::session::Session;
use super::form::{show, stored_values, uses};
use super::render::View;
use crate::api::AppState;
use crate::callers::IssuedKey;
use crate::channels::Author;

pub(super) async fn create(
    State(app): State<AppState>,
    session: Session,
    Path(id): Path<String>,
    Form(pairs): Fields,
) -> Result<Response, Refusal> {
    let values = Values::sent(pairs);
    session.check_edit(values.csrf())?;
    let author = Author::new(session.principal.name.clone());
    let field = |name: &str| values.get(name).trim().to_owned();
    let body = json!({
        "name": field("key_name"),
        "expires_at": field("key_expires_at"),
        "key_hash": Some(field("key_hash")).filter(|own| !own.is_empty()),
    });
    let issued = app.callers.add_key(author, id, body.to_string()).await?;
    show_new(&app, &session, &issued).await
}

pub(super) async fn rotate(
    State(app): State<AppState>,
    session: Session,
    Path(place): Path<(String, String)>,
    Form(pairs): Fields,
) -> Result<Response, Refusal> {
    let values = Values::sent(pairs);
    session.check_edit(values.csrf())?;
    let author = Author::new(session.principal.name.clone());
    let seconds = values.get("overlap_seconds").parse::<u32>().unwrap_or(0);
    let body = json!({"overlap_seconds": seconds}).to_string();
    let issued = app.callers.rotate_key(author, place, body).await?;
    show_new(&app, &session, &issued).await
}

pub(super) async fn revoke(
    State(app): State<AppState>,
    session: Session,
    Path((id, key)): Path<(String, String)>,
    Form(pairs): Fields,
) -> Result<Redirect, Refusal> {
    session.check_edit(Values::sent(pairs).csrf())?;
    let author = Author::new(session.principal.name);
    let page = format!("/callers/{id}");
    app.callers.revoke_key(author, (id, key)).await?;
    Ok(Redirect::to(&page))
}

/// The caller's page with a key that nobody can show again.
async fn show_new(
    app: &AppState,
    session: &Session,
    issued: &IssuedKey,
) -> Result<Response, Refusal> {
    let values = stored_values(&issued.caller);
    let uses = uses(app).await?;
    let view = View {
        uses: uses.as_ref(),
        new_key: issued.key.as_ref().map(|key| key.expose()),
        ..View::new(Some(&issued.caller), &values)
    };
    Ok(show(session, &view))
}
