//! `GET /api/status`: what is published and which Envoy runs it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::App;
use crate::filter_code::FilterCode;
use crate::fleet::FleetView;

#[derive(Serialize)]
pub(super) struct Status {
    revision: u64,
    channels: usize,
    filter: FilterView,
    #[serde(flatten)]
    fleet: FleetView,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum FilterView {
    Sha256(String),
    Path(String),
}

pub(super) async fn show(State(app): App) -> Json<Status> {
    let snapshot = Arc::clone(&app.published.borrow());
    Json(Status {
        revision: snapshot.revision,
        channels: snapshot.channels,
        filter: match app.resources.code() {
            FilterCode::Served(module) => FilterView::Sha256(module.sha256.clone()),
            FilterCode::InEnvoy { path } => FilterView::Path(path.clone()),
        },
        fleet: app.fleet.view(snapshot.revision),
    })
}
