//! `/api/history`, `/api/channels/{id}/history` and `/api/channels/{id}/rollback`.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::openapi::{
    BadRequest, ChannelId, EditRefused, Forbidden, IfMatch, NotFound, ShownChannel,
};
use super::query::Query;
use super::{App, AppState, Principal, Problem, body, channels};
use crate::history::Entry;
use crate::store::AuditQuery;

/// Entries in one answer by default, and at most.
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
pub(super) struct Page {
    /// Entries, 1 to 500
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
    /// Only entries before this revision
    pub(super) before: Option<u64>,
}

impl Page {
    /// How many entries to look for: one more than are asked for, to see whether there is another page.
    ///
    /// # Errors
    ///
    /// When more are asked for than an answer holds, or none.
    pub(super) fn sought(&self) -> Result<u32, Problem> {
        let (limit, (_, most)) = (self.limit(), PAGE);
        if (1..=most).contains(&limit) {
            return Ok(limit + 1);
        }
        let message = format!("the parameter limit is {limit}; it must be 1 to {most}");
        Err(Problem::bad_request(message))
    }

    /// The entries to show of those that were found, and the revision of the last if more come before it.
    pub(super) fn cut<E>(
        &self,
        mut found: Vec<E>,
        revision: impl Fn(&E) -> u64,
    ) -> (Vec<E>, Option<u64>) {
        let limit = self.limit() as usize;
        let is_more = found.len() > limit;
        found.truncate(limit);
        let next_before = found.last().filter(|_| is_more).map(revision);
        (found, next_before)
    }

    fn limit(&self) -> u32 {
        let (usual, _) = PAGE;
        self.limit.unwrap_or(usual)
    }
}

/// Accepted edits, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct History {
    /// The entries of this page.
    entries: Vec<Entry>,
    /// Pass this as `before` to get the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64, required = false)]
    next_before: Option<u64>,
}

#[utoipa::path(
    get,
    path = "/history",
    operation_id = "listHistory",
    tag = "history",
    summary = "The history of all channels",
    description = "With that of the credentials that several channels use.",
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
    summary = "The history of a channel",
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
    let query = AuditQuery {
        channel,
        credential: None,
        before: page.before,
        limit: page.sought()?,
    };
    let entries = app.channels.history(&query).await?;
    if let (Some(id), None, true) = (&query.channel, query.before, entries.is_empty()) {
        return Err(Problem::not_found(format!(
            "there is no channel with the id `{id}`, and there never was"
        )));
    }
    let (entries, next_before) = page.cut(entries, |own| own.revision);
    Ok(Json(History {
        entries,
        next_before,
    }))
}

/// Where to roll back to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RollBack {
    /// What is restored is as it was after this revision.
    pub(super) revision: u64,
}

#[utoipa::path(
    post,
    path = "/channels/{id}/rollback",
    operation_id = "rollBackChannel",
    tag = "history",
    summary = "Restore a channel to what it was after a revision",
    params(ChannelId, IfMatch),
    request_body(content = RollBack, example = json!({"revision": 7})),
    responses(
        ShownChannel,
        EditRefused,
        (status = 404, response = NotFound),
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
