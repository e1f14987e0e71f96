//! `/api/callers/history`, `/api/callers/{id}/history` and `/api/callers/{id}/rollback`.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use crate::api::body::Body;
use crate::api::channels::author;
use crate::api::history::{Page, RollBack};
use crate::api::openapi::{
    BadRequest, CallerId, EditRefused, Forbidden, IfMatch, NotFound, ShownCaller,
};
use crate::api::query::Query;
use crate::api::{App, AppState, Principal, Problem};
use crate::history::CallerEntry;
use crate::store::CallerAuditQuery;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(all))
        .routes(routes!(of_caller))
        .routes(routes!(roll_back))
}

/// Accepted edits of callers, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct CallerHistory {
    /// The entries of this page.
    entries: Vec<CallerEntry>,
    /// Pass this as `before` to get the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64, required = false)]
    next_before: Option<u64>,
}

#[utoipa::path(
    get,
    path = "/callers/history",
    operation_id = "listCallersHistory",
    tag = "history",
    summary = "The history of all callers, and of what applies to all of them",
    params(Page),
    responses(
        (status = 200, description = "The edits of the page", body = CallerHistory),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
    ),
)]
async fn all(State(app): App, Query(page): Query<Page>) -> Result<Json<CallerHistory>, Problem> {
    read(&app, None, &page).await
}

#[utoipa::path(
    get,
    path = "/callers/{id}/history",
    operation_id = "listCallerHistory",
    tag = "history",
    summary = "The history of a caller and its keys",
    params(CallerId, Page),
    responses(
        (status = 200, description = "The edits of the page", body = CallerHistory),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
    ),
)]
async fn of_caller(
    State(app): App,
    Path(id): Path<String>,
    Query(page): Query<Page>,
) -> Result<Json<CallerHistory>, Problem> {
    read(&app, Some(id), &page).await
}

async fn read(
    app: &AppState,
    caller: Option<String>,
    page: &Page,
) -> Result<Json<CallerHistory>, Problem> {
    let query = CallerAuditQuery {
        caller,
        before: page.before,
        limit: page.sought()?,
    };
    let entries = app.callers.history(&query).await?;
    if let (Some(id), None, true) = (&query.caller, query.before, entries.is_empty()) {
        return Err(Problem::not_found(format!(
            "there is no caller with the id `{id}`, and there never was"
        )));
    }
    let (entries, next_before) = page.cut(entries, |own| own.revision);
    Ok(Json(CallerHistory {
        entries,
        next_before,
    }))
}

#[utoipa::path(
    post,
    path = "/callers/{id}/rollback",
    operation_id = "rollBackCaller",
    tag = "history",
    summary = "Restore a caller's settings to what they were after a revision; its keys stay",
    params(CallerId, IfMatch),
    request_body(content = RollBack, example = json!({"revision": 7})),
    responses(
        ShownCaller,
        EditRefused,
        (status = 404, response = NotFound),
    ),
)]
async fn roll_back(
    State(app): App,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer, Problem> {
    principal.may_edit()?;
    let RollBack { revision } = body.json()?;
    let author = author(&principal, &headers)?;
    let stored = app.callers.roll_back(author, id, revision).await?;
    Answer::of(&app, &stored).await
}
