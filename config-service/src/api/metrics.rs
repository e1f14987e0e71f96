//! `GET /metrics`: names of channels and counts, no secret. With a token on the admin address, without one on
//! an address of its own.

use std::time::SystemTime;

use axum::extract::State;
use axum::http::{HeaderName, header};

use super::App;
use crate::metrics::Now;

/// <https://prometheus.io/docs/specs/om/open_metrics_spec/#overall-structure>
const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "getMetrics",
    tag = "operations",
    summary = "Metrics for Prometheus",
    responses((
        status = 200,
        description = "The metrics",
        body = String,
        content_type = "application/openmetrics-text",
    )),
)]
pub(super) async fn metrics(State(app): App) -> ([(HeaderName, &'static str); 1], String) {
    let (revision, channels) = {
        let snapshot = app.published.borrow();
        (snapshot.revision, snapshot.channels)
    };
    let now = Now {
        revision,
        channels,
        fleet: app.fleet.counts(revision),
        credentials: app.channels.credential_status().into_values().collect(),
        time: SystemTime::now(),
    };
    ([(header::CONTENT_TYPE, KIND)], app.metrics.encode(&now))
}
