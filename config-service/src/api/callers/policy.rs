//! `/api/caller-settings`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::body::Body;
use crate::api::channels::author;
use crate::api::openapi::{EditRefused, Forbidden, IfMatch};
use crate::api::{App, AppState, Principal, Problem, etag};
use crate::caller::{POLICY_SETTINGS, Policy, PolicyDocument};
use crate::callers::Callers;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(show, patch))
}

/// What applies to all callers.
#[derive(Serialize, ToSchema)]
#[schema(as = CallerSettings)]
struct View {
    #[serde(flatten)]
    #[schema(value_type = PolicyDocument)]
    content: Map<String, Value>,
    /// Whether there is a master key.
    has_master_key: bool,
    /// Revision of its last edit.
    revision: u64,
}

fn answer(callers: &Callers, policy: &Policy, revision: u64) -> Response {
    let fields = POLICY_SETTINGS.iter();
    let fields = fields.map(|own| (own.name.to_owned(), own.show(policy)));
    let view = View {
        content: fields.collect(),
        has_master_key: callers.has_master_key(),
        revision,
    };
    ([etag::of(revision)], Json(view)).into_response()
}

#[utoipa::path(
    get,
    path = "/caller-settings",
    operation_id = "getCallerSettings",
    tag = "callers",
    summary = "What applies to all callers",
    responses(
        (status = 200, description = "The settings", body = View,
            headers(("etag" = String, description = "Entity tag, for If-Match"))),
        (status = 403, response = Forbidden),
    ),
)]
async fn show(State(app): App) -> Result<Response, Problem> {
    let (_, book) = app.callers.list().await?;
    Ok(answer(&app.callers, &book.policy, book.policy_revision))
}

#[utoipa::path(
    patch,
    path = "/caller-settings",
    operation_id = "patchCallerSettings",
    tag = "callers",
    summary = "Change what applies to all callers, such as whether clients need a key",
    params(IfMatch),
    request_body(content = PolicyDocument, example = json!({"mode": "required", "default_rpm": 60})),
    responses(
        (status = 200, description = "The settings", body = View,
            headers(("etag" = String, description = "Entity tag, for If-Match"))),
        EditRefused,
    ),
)]
async fn patch(
    State(app): App,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    principal.may_edit()?;
    let author = author(&principal, &headers)?;
    let (policy, revision) = app.callers.edit_policy(author, body).await?;
    Ok(answer(&app.callers, &policy, revision))
}
