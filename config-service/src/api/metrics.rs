//! `GET /metrics`: channel names and counts, no secrets. Needs a token on the admin address, but none on the
//! separate address for metrics.

use std::time::SystemTime;

use axum::extract::State;
use axum::http::{HeaderName, header};

use super::{App, AppState};
use crate::metrics::{Now, UsageCounts};
use crate::usage::Ledger;
use crate::zone::now;

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
        budgets: budgets(&app).await,
        usage: app.usage.as_ref().map(counts),
        time: SystemTime::now(),
    };
    ([(header::CONTENT_TYPE, KIND)], app.metrics.encode(&now))
}

fn counts(ledger: &Ledger) -> UsageCounts {
    let tally = ledger.tally();
    UsageCounts {
        reports: tally.reports().to_vec(),
        records: tally.records().collect(),
    }
}

/// Callers with a budget. What cannot be found out right now is left out; the other metrics matter then.
async fn budgets(app: &AppState) -> Vec<(String, f64)> {
    let Some(ledger) = &app.usage else {
        return Vec::new();
    };
    let uses = ledger.budget_uses(now()).await.unwrap_or_default();
    let named = uses.iter().map(|own| match own.budget.caller.as_str() {
        "" => ("*".to_owned(), own.ratio()),
        caller => (caller.to_owned(), own.ratio()),
    });
    named.collect()
}
