//! `GET /api/status`: what is published and which Envoys run it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::openapi::Forbidden;
use crate::filter_code::FilterCode;
use crate::fleet::FleetView;

/// What is published, and which Envoys run it.
#[derive(Serialize, ToSchema)]
pub(super) struct Status {
    /// The published revision
    revision: u64,
    /// How many channels it has, including disabled ones
    channels: usize,
    /// Where Envoys get the module from
    filter: FilterView,
    #[serde(flatten)]
    fleet: FleetView,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PublishedFilter)]
enum FilterView {
    /// Of the module that this service serves
    Sha256(String),
    /// Of the module that Envoys have
    Path(String),
}

#[utoipa::path(
    get,
    path = "/status",
    operation_id = "getStatus",
    tag = "operations",
    summary = "What is published, and which Envoys run it",
    responses(
        (status = 200, description = "The status", body = Status),
        (status = 403, response = Forbidden),
    ),
)]
pub(super) async fn show(State(app): App) -> Json<Status> {
    let snapshot = Arc::clone(&app.published.borrow());
    Json(Status {
        revision: snapshot.revision,
        channels: snapshot.channels,
        filter: match app.resources.code() {
            FilterCode::Served(module) => FilterView::Sha256(module.sha256.clone()),
            FilterCode::InEnvoy { path } => FilterView::Path(path.clone()),
        },
        fleet: app
            .fleet
            .view(snapshot.revision)
            .needing(snapshot.cluster_names()),
    })
}
