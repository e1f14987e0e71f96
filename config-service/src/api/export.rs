//! `GET /api/export/plugin-config` and `GET /api/export/istio`.

use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::openapi::{BadRequest, Conflict, Forbidden};
use super::query::Query;
use super::{App, AppState, Principal, Problem};
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::export::{self, Channels, ExportError, Plan, Target};

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
    summary = "The channels as a sealed plugin configuration, for an Envoy that is not connected",
    responses(
        (status = 200, description = "The plugin configuration", body = Object),
        (status = 403, response = Forbidden),
        (status = 409, response = Conflict),
    ),
)]
async fn plugin_config(
    State(app): App,
    Extension(principal): Extension<Principal>,
) -> Result<Response, Problem> {
    // It has the hashes of callers' keys.
    principal.may_edit()?;
    let copy = app.channels.copy(None).await?;
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
async fn istio(
    State(app): App,
    Extension(principal): Extension<Principal>,
    Query(target): Query<Target>,
) -> Result<Response, Problem> {
    let manifest = istio_manifest(&app, &principal, &target).await?;
    // https://www.rfc-editor.org/rfc/rfc9512
    Ok(document("application/yaml", manifest))
}

/// The manifest for Istio, in YAML. Only one for live gateways is without the hashes of callers' keys, so that everybody
/// may see it.
pub(crate) async fn istio_manifest(
    app: &AppState,
    principal: &Principal,
    target: &Target,
) -> Result<String, Problem> {
    let plan = Plan::new(target, app.resources.code()).map_err(ExportError::from)?;
    if !plan.is_live() {
        principal.may_edit()?;
    }
    Ok(planned(app, &plan).await?)
}

async fn planned(app: &AppState, plan: &Plan) -> Result<String, ExportError> {
    if plan.is_live() {
        let snapshot = Arc::clone(&app.published.borrow());
        let later = app.channels.foreseen().await?;
        let channels = Channels::new(&snapshot, later, Vec::new(), plan);
        return export::istio(&channels, plan, &app.resources);
    }
    let snapshot = app.channels.copy(plan.generation()).await?;
    let left = app.channels.left(plan.generation()).await?;
    let channels = Channels::new(&snapshot, BTreeSet::new(), left, plan);
    export::istio(&channels, plan, &app.resources)
}

fn document(content_type: &'static str, text: String) -> Response {
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}
