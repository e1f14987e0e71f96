//! Probes for orchestrators.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::{App, Problem};

/// The process runs.
pub(super) async fn alive() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// The service can do its work: the database answers. A configuration is published from the start.
pub(super) async fn ready(State(app): App) -> Result<Json<Value>, Problem> {
    if let Err(error) = app.channels.check().await {
        tracing::error!(%error, "not ready");
        return Err(Problem::unavailable("the database does not answer"));
    }
    let revision = app.published.borrow().revision;
    Ok(Json(json!({"status": "ready", "revision": revision})))
}
