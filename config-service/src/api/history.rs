//! `/api/history`, `/api/channels/{id}/history` and `/api/channels/{id}/rollback`.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::openapi::{
    BadRequest, ChannelId, Conflict, Forbidden, IfMatch, Invalid, NotFound, Outdated, TooLarge,
};
use super::query::Query;
use super::{App, AppState, Principal, Problem, body, channels};
use crate::channel::ChannelView;
use crate::history::Entry;
use crate::store::AuditQuery;

/// Entries of one answer, and the most that can be asked for.
const PAGE: (u32, u32) = (50, 500);

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(all))
        .routes(routes!(of_channel))
        .routes(routes!(roll_back))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Page {
    /// Entries, 1 to 500
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
    /// Only entries before this revision
    before: Option<u64>,
}

/// Accepted edits, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct History {
    /// Those of the page.
    entries: Vec<Entry>,
    /// What to give as `before` for the entries that follow; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64, required = false)]
    next_before: Option<u64>,
}

#[utoipa::path(
    get,
    path = "/history",
    operation_id = "listHistory",
    tag = "history",
    summary = "What became of all channels",
    params(Page),
    responses(
        (status = 200, description = "The edits of the page", body = History),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
    ),
)]
async fn all(State(app): App, Query(page): Query<Page>) -> Result<Json<History>, Problem> {
    read(&app, None, &page).await
}

#[utoipa::path(
    get,
    path = "/channels/{id}/history",
    operation_id = "listChannelHistory",
    tag = "history",
    summary = "What became of a channel",
    params(ChannelId, Page),
    responses(
        (status = 200, description = "The edits of the page", body = History),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
    ),
)]
async fn of_channel(
    State(app): App,
    Path(id): Path<String>,
    Query(page): Query<Page>,
) -> Result<Json<History>, Problem> {
    read(&app, Some(id), &page).await
}

async fn read(
    app: &AppState,
    channel: Option<String>,
    page: &Page,
) -> Result<Json<History>, Problem> {
    let (usual, most) = PAGE;
    let limit = page.limit.unwrap_or(usual);
    if !(1..=most).contains(&limit) {
        let message = format!("the parameter limit is {limit}; it must be 1 to {most}");
        return Err(Problem::bad_request(message));
    }
    let query = AuditQuery {
        channel,
        before: page.before,
        // One more tells whether there is another page.
        limit: limit + 1,
    };
    let mut entries = app.channels.history(&query).await?;
    if let (Some(id), None, true) = (&query.channel, query.before, entries.is_empty()) {
        return Err(Problem::not_found(format!(
            "there is no channel with the id `{id}`, and never was"
        )));
    }
    let is_more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    Ok(Json(History {
        next_before: entries.last().filter(|_| is_more).map(|own| own.revision),
        entries,
    }))
}

/// The way back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RollBack {
    /// The channel becomes what it was after this revision.
    revision: u64,
}

#[utoipa::path(
    post,
    path = "/channels/{id}/rollback",
    operation_id = "rollBackChannel",
    tag = "history",
    summary = "Make a channel what it was after a revision",
    params(ChannelId, IfMatch),
    request_body(content = RollBack, example = json!({"revision": 7})),
    responses(
        (
            status = 200,
            description = "The channel",
            body = ChannelView,
            headers(("etag" = String, description = "Entity tag, for If-Match")),
        ),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 409, response = Conflict),
        (status = 412, response = Outdated),
        (status = 413, response = TooLarge),
        (status = 422, response = Invalid),
    ),
)]
async fn roll_back(
    State(app): App,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: body::Body,
) -> Result<channels::Answer, Problem> {
    principal.may_edit()?;
    let RollBack { revision } = body.json()?;
    let author = channels::author(&principal, &headers)?;
    let stored = app.channels.roll_back(author, id, revision).await?;
    Ok(channels::Answer::new(&app, &stored))
}
