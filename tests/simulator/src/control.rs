//! `/_simulator/…`: faults and recorded requests over HTTP, for callers in
//! other processes.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;

use crate::fault::Fault;
use crate::recorded::Recorded;
use crate::simulator::Shared;

pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route(
            "/faults",
            get(pending_faults).post(inject).delete(clear_faults),
        )
        .route("/requests", get(requests).delete(clear_requests))
}

/// Queues a JSON list of faults, all of them or none.
async fn inject(
    State(shared): State<Arc<Shared>>,
    body: Bytes,
) -> Result<StatusCode, (StatusCode, String)> {
    let faults: Vec<Fault> = serde_json::from_slice(&body).map_err(|error| {
        (
            StatusCode::BAD_REQUEST,
            format!("not a list of faults: {error}"),
        )
    })?;
    let mut queue = shared.faults();
    faults.into_iter().for_each(|fault| queue.push(fault));
    Ok(StatusCode::NO_CONTENT)
}

async fn pending_faults(State(shared): State<Arc<Shared>>) -> Json<Vec<Fault>> {
    Json(shared.faults().pending())
}

async fn clear_faults(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.faults().clear();
    StatusCode::NO_CONTENT
}

async fn requests(State(shared): State<Arc<Shared>>) -> Json<Vec<Recorded>> {
    Json(shared.log().all())
}

async fn clear_requests(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.log().clear();
    StatusCode::NO_CONTENT
}
