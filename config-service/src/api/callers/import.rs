//! `/api/callers/import`: keys of other gateways.

use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::body::Body;
use crate::api::openapi::{BadRequest, Forbidden, Invalid, TooLarge};
use crate::api::query::Query;
use crate::api::{App, AppState, Principal, Problem};
use crate::callers::{ImportOrder, ImportReport, Origin};
use crate::channels::Author;

/// Longest export, in bytes: that of some ten thousand keys.
const MAX_EXPORT_BYTES: usize = 32 * 1024 * 1024;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(import))
}

/// How to import.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Order {
    /// Where the keys come from
    #[param(inline)]
    from: Origin,
    /// Only say what would happen
    #[serde(default)]
    #[param(required = false, default = false)]
    dry_run: bool,
    /// Import also what cannot be kept whole, such as a restriction that does not exist here
    #[serde(default)]
    #[param(required = false, default = false)]
    accept_losses: bool,
}

#[utoipa::path(
    post,
    path = "/callers/import",
    operation_id = "importCallers",
    tag = "callers",
    summary = "Make a caller for each key in the export of another gateway, or for none",
    description = "Only the hashes of the keys are kept. Keys that are known already, or were revoked here, are \
                   passed over.",
    params(Order),
    request_body(
        content = Vec<Object>,
        description = "The keys as the other gateway's API or database shows them",
        example = json!([{
            "token": "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683",
            "key_alias": "team-a",
            "models": ["claude-sonnet-4-5"],
            "rpm_limit": 600,
        }]),
    ),
    responses(
        (status = 200, description = "What was made, or would be", body = ImportReport),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
        (status = 413, response = TooLarge),
        (status = 422, response = Invalid),
    ),
)]
async fn import(
    State(app): App,
    Extension(principal): Extension<Principal>,
    Query(order): Query<Order>,
    body: Body<MAX_EXPORT_BYTES>,
) -> Result<Json<ImportReport>, Problem> {
    principal.may_edit()?;
    let order = ImportOrder {
        from: order.from,
        is_dry_run: order.dry_run,
        accepts_losses: order.accept_losses,
    };
    let author = Author::new(principal.name);
    Ok(Json(app.callers.import(author, order, body).await?))
}
