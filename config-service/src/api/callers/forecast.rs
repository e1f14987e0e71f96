//! `/api/caller-settings/forecast`: how much of the latest traffic would be refused if every client had to say who it is.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use bedrock_filter::config::CallerMode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::openapi::{Forbidden, NotFound};
use crate::api::usage::recorded;
use crate::api::{App, AppState, Problem};
use crate::caller::{CallerBook, LastUses};
use crate::store::StoreError;
use crate::usage::Forecast;
use crate::zone::now;

/// The word for a refusal while nobody has a key, and nobody can be told by something else.
const NO_KEYS: &str = "no_keys";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(show))
}

/// What would have become of the requests of the last hour if every client had needed a key.
#[derive(Serialize, ToSchema)]
#[schema(as = CallerForecast)]
struct View {
    /// The present mode.
    #[schema(value_type = String)]
    mode: CallerMode,
    /// Requests to models in the last hour.
    requests: u64,
    /// Those that would have been refused.
    refused: u64,
    /// The same by the code of the error; `no_keys` while there is no caller with a key or an identity at all.
    reasons: BTreeMap<String, u64>,
    /// Those of which nobody knows: they came before there was a key or an identity.
    unknown: u64,
}

#[utoipa::path(
    get,
    path = "/caller-settings/forecast",
    operation_id = "getCallerForecast",
    tag = "callers",
    summary = "How much of the last hour's traffic would be refused if every client needed a key",
    responses(
        (status = 200, description = "The forecast", body = View),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
    ),
)]
async fn show(State(app): App) -> Result<Json<View>, Problem> {
    recorded(&app)?;
    let (_, book) = app.callers.list().await?;
    let forecast = forecast(&app, &book).await?.unwrap_or_default();
    Ok(Json(View {
        mode: book.policy.mode,
        requests: forecast.requests,
        refused: forecast.all_refused(),
        unknown: forecast.unknown,
        reasons: forecast.refused,
    }))
}

/// The same for the page; nothing if usage is not recorded.
pub(crate) async fn forecast(
    app: &AppState,
    book: &CallerBook,
) -> Result<Option<Forecast>, StoreError> {
    let Some(ledger) = &app.usage else {
        return Ok(None);
    };
    let forecast = ledger.forecast(now()).await?;
    let knows_anybody = app.callers.has_master_key() || book.knows_anybody();
    if knows_anybody || forecast.requests == 0 {
        return Ok(Some(forecast));
    }
    // Whatever was sent, it was nobody's.
    Ok(Some(Forecast {
        refused: BTreeMap::from([(NO_KEYS.to_owned(), forecast.requests)]),
        unknown: 0,
        ..forecast
    }))
}

/// When callers and keys were last used; nothing is known if usage is not recorded.
pub(crate) async fn last_uses(app: &AppState) -> Result<LastUses, StoreError> {
    match &app.usage {
        Some(ledger) => ledger.last_uses().await,
        None => Ok(LastUses::default()),
    }
}
