//! Probes for orchestrators.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::openapi::Unavailable;
use super::{App, Problem};

/// The process is running.
#[derive(Serialize, ToSchema)]
pub(super) struct Alive {
    /// `ok`
    status: &'static str,
}

/// The service can do its work.
#[derive(Serialize, ToSchema)]
pub(super) struct Ready {
    /// The revision that is published.
    revision: u64,
    /// `ready`
    status: &'static str,
}

#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "getHealth",
    tag = "operations",
    summary = "Whether the process is running",
    security(),
    responses((status = 200, description = "It runs", body = Alive)),
)]
pub(super) async fn alive() -> Json<Alive> {
    Json(Alive { status: "ok" })
}

/// The database must answer. A configuration is published from the start.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "getReadiness",
    tag = "operations",
    summary = "Whether the service can do its work",
    security(),
    responses(
        (status = 200, description = "It can", body = Ready),
        (status = 503, response = Unavailable),
    ),
)]
pub(super) async fn ready(State(app): App) -> Result<Json<Ready>, Problem> {
    if let Err(error) = app.channels.check().await {
        tracing::error!(%error, "not ready");
        return Err(Problem::unavailable("the database does not answer"));
    }
    let revision = app.published.borrow().revision;
    Ok(Json(Ready {
        revision,
        status: "ready",
    }))
}
