//! `/api/channels`.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use super::body::Body;
use super::{App, AppState, Problem};
use crate::channel::ChannelView;
use crate::channels::Request;

/// Who the audit trail names while there is one token only.
const ACTOR: &str = "admin";

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/channels", get(list).post(create))
        .route(
            "/channels/{id}",
            get(show).put(replace).patch(patch).delete(remove),
        )
}

#[derive(Serialize)]
struct ChannelList {
    revision: u64,
    channels: Vec<ChannelView>,
}

async fn list(State(app): App) -> Result<Response, Problem> {
    let contents = app.channels.list().await?;
    let list = ChannelList {
        revision: contents.revision,
        channels: contents
            .channels
            .iter()
            .map(|stored| app.channels.view(stored))
            .collect(),
    };
    Ok(Json(list).into_response())
}

async fn create(State(app): App, body: Body) -> Result<Response, Problem> {
    let stored = app.channels.edit(ACTOR, Request::Create, body).await?;
    let mut response = (StatusCode::CREATED, Json(app.channels.view(&stored))).into_response();
    if let Ok(location) = HeaderValue::try_from(format!("/api/channels/{}", stored.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

async fn show(State(app): App, Path(id): Path<String>) -> Result<Json<ChannelView>, Problem> {
    let stored = app.channels.get(&id).await?;
    Ok(Json(app.channels.view(&stored)))
}

async fn replace(
    State(app): App,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<ChannelView>, Problem> {
    let stored = app.channels.edit(ACTOR, Request::Replace(id), body).await?;
    Ok(Json(app.channels.view(&stored)))
}

async fn patch(
    State(app): App,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<ChannelView>, Problem> {
    let stored = app.channels.edit(ACTOR, Request::Patch(id), body).await?;
    Ok(Json(app.channels.view(&stored)))
}

async fn remove(State(app): App, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    app.channels.delete(ACTOR, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
