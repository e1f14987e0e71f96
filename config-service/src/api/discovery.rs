//! `/api/channels/{id}/discovery`.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::openapi::{ChannelId, Conflict, Forbidden, NotFound};
use super::{App, AppState, Principal, Problem};
use crate::channels::Report;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(show, ask))
}

#[utoipa::path(
    get,
    path = "/channels/{id}/discovery",
    operation_id = "getDiscovery",
    tag = "ask",
    summary = "What a channel's account had when it was last asked",
    params(ChannelId),
    responses(
        (status = 200, description = "What is known, with its dates", body = Report),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
    ),
)]
async fn show(State(app): App, Path(id): Path<String>) -> Result<Json<Report>, Problem> {
    Ok(Json(app.channels.discovery(&id).await?))
}

#[utoipa::path(
    post,
    path = "/channels/{id}/discovery",
    operation_id = "discover",
    tag = "ask",
    summary = "Ask a channel's account what it has",
    params(ChannelId),
    responses(
        (status = 200, description = "What the account has, and what could not be found out", body = Report),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 409, response = Conflict),
    ),
)]
async fn ask(
    State(app): App,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<Json<Report>, Problem> {
    // It uses the account's credentials, and may change what is served.
    principal.may_edit()?;
    Ok(Json(app.channels.discover(&id).await?))
}
