//! `POST /api/channels/{id}/test`.

use axum::extract::{Path, State};
use axum::{Extension, Json};

use super::body::Body;
use super::openapi::{BadRequest, ChannelId, Conflict, Forbidden, NotFound, TooLarge};
use super::{App, Principal, Problem};
use crate::probe::{Plan, Report};

#[utoipa::path(
    post,
    path = "/channels/{id}/test",
    operation_id = "testChannel",
    tag = "ask",
    summary = "Send real requests through a channel",
    params(ChannelId),
    request_body(content = Plan, example = json!({"models": ["claude-sonnet-4-5"], "stream": false})),
    responses(
        (status = 200, description = "How far each request got", body = Report),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 409, response = Conflict),
        (status = 413, response = TooLarge),
    ),
)]
pub(super) async fn test(
    State(app): App,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<Report>, Problem> {
    // A test spends the account's money.
    principal.may_edit()?;
    let plan: Plan = if body.as_ref().trim_ascii().is_empty() {
        Plan::default()
    } else {
        body.json()?
    };
    let report = app.channels.test(&id, &plan).await?;
    let models = report.results.len();
    tracing::info!(
        channel.id = id,
        actor = principal.name,
        models,
        ok = report.ok,
        "channel tested"
    );
    Ok(Json(report))
}
