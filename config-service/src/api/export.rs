//! `GET /api/export/plugin-config` and `GET /api/export/istio`.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::openapi::{BadRequest, Conflict, Forbidden};
use super::query::Query;
use super::{App, AppState, Problem};
use crate::export::{self, Target};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(plugin_config))
        .routes(routes!(istio))
}

/// For a bootstrap like `envoy/static.yaml`.
#[utoipa::path(
    get,
    path = "/export/plugin-config",
    operation_id = "exportPluginConfig",
    tag = "operations",
    summary = "The channels as a sealed plugin configuration, for an Envoy that is not attached",
    responses(
        (status = 200, description = "The plugin configuration", body = Object),
        (status = 403, response = Forbidden),
        (status = 409, response = Conflict),
    ),
)]
async fn plugin_config(State(app): App) -> Result<Response, Problem> {
    let copy = app.channels.copy().await?;
    Ok(document("application/json", copy.plugin_config))
}

/// A manifest to apply.
#[utoipa::path(
    get,
    path = "/export/istio",
    operation_id = "exportIstio",
    tag = "operations",
    summary = "The channels as an Istio EnvoyFilter for a gateway",
    params(Target),
    responses(
        (status = 200, description = "The manifest", body = String, content_type = "application/yaml"),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
        (status = 409, response = Conflict),
    ),
)]
async fn istio(State(app): App, Query(target): Query<Target>) -> Result<Response, Problem> {
    let copy = app.channels.copy().await?;
    let manifest = export::istio(&copy, &target, &app.resources)?;
    // https://www.rfc-editor.org/rfc/rfc9512
    Ok(document("application/yaml", manifest))
}

fn document(content_type: &'static str, text: String) -> Response {
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}
