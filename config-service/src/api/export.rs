//! `GET /api/export/plugin-config` and `GET /api/export/istio`.

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::query::Query;
use super::{App, AppState, Problem};
use crate::export::{self, Target};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/export/plugin-config", get(plugin_config))
        .route("/export/istio", get(istio))
}

/// The plugin configuration, for a bootstrap like `envoy/static.yaml`.
async fn plugin_config(State(app): App) -> Result<Response, Problem> {
    let copy = app.channels.copy().await?;
    Ok(document("application/json", copy.plugin_config))
}

/// A manifest for an Istio gateway.
async fn istio(State(app): App, Query(target): Query<Target>) -> Result<Response, Problem> {
    let copy = app.channels.copy().await?;
    let manifest = export::istio(&copy, &target, &app.resources)?;
    // https://www.rfc-editor.org/rfc/rfc9512
    Ok(document("application/yaml", manifest))
}

fn document(content_type: &'static str, text: String) -> Response {
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}
