//! `/_simulator/…`: faults, scripts and recorded requests over HTTP, for callers
//! in other processes.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{delete, get};
use serde::de::DeserializeOwned;

use crate::fault::Fault;
use crate::recorded::Recorded;
use crate::script::Script;
use crate::simulator::Shared;

pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route(
            "/faults",
            get(pending_faults).post(inject).delete(clear_faults),
        )
        .route("/requests", get(requests).delete(clear_requests))
        .route("/held", delete(release))
        .route("/scripts", get(scripts).post(play).delete(clear_scripts))
}

/// Queues a JSON list of faults, all of them or none.
async fn inject(
    State(shared): State<Arc<Shared>>,
    body: Bytes,
) -> Result<StatusCode, (StatusCode, String)> {
    let faults: Vec<Fault> = list(&body, "faults")?;
    let mut queue = shared.faults();
    faults.into_iter().for_each(|fault| queue.push(fault));
    Ok(StatusCode::NO_CONTENT)
}

/// Adds a JSON list of scripts, all of them or none.
async fn play(
    State(shared): State<Arc<Shared>>,
    body: Bytes,
) -> Result<StatusCode, (StatusCode, String)> {
    let scripts: Vec<Script> = list(&body, "scripts")?;
    shared.scripts().extend(scripts);
    Ok(StatusCode::NO_CONTENT)
}

fn list<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<Vec<T>, (StatusCode, String)> {
    serde_json::from_slice(body).map_err(|error| {
        let text = format!("not a list of {what}: {error}");
        (StatusCode::BAD_REQUEST, text)
    })
}

async fn scripts(State(shared): State<Arc<Shared>>) -> Json<Vec<Script>> {
    Json(shared.scripts().clone())
}

async fn clear_scripts(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.scripts().clear();
    StatusCode::NO_CONTENT
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

/// Lets streams that are held go on.
async fn release(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.release();
    StatusCode::NO_CONTENT
}
