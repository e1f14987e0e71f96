//! `/api/history`, `/api/channels/{id}/history` and `/api/channels/{id}/rollback`.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::{Deserialize, Serialize};

use super::query::Query;
use super::{App, AppState, Principal, Problem, body, channels};
use crate::history::Entry;
use crate::store::AuditQuery;

/// Entries of one answer, and the most that can be asked for.
const PAGE: (u32, u32) = (50, 500);

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/history", get(all))
        .route("/channels/{id}/history", get(of_channel))
        .route("/channels/{id}/rollback", post(roll_back))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    limit: Option<u32>,
    before: Option<u64>,
}

#[derive(Debug, Serialize)]
struct History {
    entries: Vec<Entry>,
    /// What to give as `before` for the entries that follow; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_before: Option<u64>,
}

async fn all(State(app): App, Query(page): Query<Page>) -> Result<Json<History>, Problem> {
    read(&app, None, &page).await
}

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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RollBack {
    /// The channel becomes what it was after this revision.
    revision: u64,
}

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
