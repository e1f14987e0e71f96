//! `GET /api/health`.

use axum::Json;
use axum::extract::State;

use super::openapi::Forbidden;
use super::{App, Problem};
use crate::channels::HealthReport;

#[utoipa::path(
    get,
    path = "/health",
    operation_id = "getChannelHealth",
    tag = "ask",
    summary = "The health of the channels, from clients' requests, tests and probes",
    responses(
        (status = 200, description = "What is known about each channel", body = HealthReport),
        (status = 403, response = Forbidden),
    ),
)]
pub(super) async fn show(State(app): App) -> Result<Json<HealthReport>, Problem> {
    Ok(Json(app.channels.health().await?))
}
