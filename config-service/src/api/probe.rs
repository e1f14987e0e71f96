//! `POST /api/channels/{id}/test`.

use axum::extract::{Path, State};
use axum::{Extension, Json};

use super::body::Body;
use super::{App, Principal, Problem};
use crate::probe::{Plan, Report};

pub(super) async fn test(
    State(app): App,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<Report>, Problem> {
    // It spends the account's money.
    principal.may_edit()?;
    let plan: Plan = if body.as_ref().trim_ascii().is_empty() {
        Plan::default()
    } else {
        body.json()?
    };
    let report = app.channels.probe(&id, &plan).await?;
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
