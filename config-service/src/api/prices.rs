//! `/api/prices`: what administrators have set in place of the prices of the table.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use super::openapi::{BadRequest, Forbidden, Invalid, NotFound, TooLarge};
use super::usage::recorded;
use super::{App, AppState, Principal, Problem};
use crate::fault::{Fault, child};
use crate::prices::Prices;
use crate::reader::{self, SyntaxError};
use crate::store::{DollarRates, PriceEdit};

/// Edits that are listed.
const EDITS: u32 = 100;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(list))
        .routes(routes!(set, remove))
}

/// Prices that were set, and how that came about.
#[derive(Serialize, ToSchema)]
struct PriceList {
    /// The day of the built-in table
    prices_of: String,
    /// Where the built-in table is from
    source: String,
    /// What applies in place of it
    prices: Vec<View>,
    /// The latest edits, the last one first
    history: Vec<View>,
}

/// Rates of an id, and who set them.
#[derive(Serialize, ToSchema)]
#[schema(as = Price)]
struct View {
    /// A model, profile or last segment of an ARN, with or without a region before it
    id: String,
    /// US dollars for a million tokens; absent where the table's own apply again
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = BTreeMap<String, f64>, required = false)]
    rates: Option<DollarRates>,
    /// When they were set
    #[schema(format = DateTime)]
    at: String,
    /// Who set them
    by: String,
}

impl From<PriceEdit> for View {
    fn from(own: PriceEdit) -> Self {
        Self {
            id: own.id,
            rates: own.rates,
            at: own.at,
            by: own.actor,
        }
    }
}

#[utoipa::path(
    get,
    path = "/prices",
    operation_id = "listPrices",
    tag = "usage",
    summary = "Prices that were set in place of the built-in ones, with their history",
    responses(
        (status = 200, description = "The prices", body = PriceList),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
    ),
)]
async fn list(State(app): App) -> Result<Json<PriceList>, Problem> {
    let prices = recorded(&app)?.prices();
    let store = app.channels.store();
    let views = |all: Vec<PriceEdit>| all.into_iter().map(View::from).collect();
    Ok(Json(PriceList {
        prices_of: prices.origin().date.clone(),
        source: prices.origin().source.clone(),
        prices: views(store.prices().await?),
        history: views(store.price_edits(EDITS).await?),
    }))
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only the document reads it")]
struct PriceId {
    /// A model, profile or last segment of an ARN; with a region and a slash before it, which is written `%2F` here, for
    /// that region alone
    id: String,
}

#[utoipa::path(
    put,
    path = "/prices/{id}",
    operation_id = "setPrice",
    tag = "usage",
    summary = "Set what tokens of a model or profile cost",
    params(PriceId),
    request_body(
        content = BTreeMap<String, f64>,
        description = "US dollars for a million tokens, by the names of the rates",
        example = json!({"input": 0.72, "output": 2.88}),
    ),
    responses(
        (status = 204, description = "It applies to what is recorded from now on"),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 413, response = TooLarge),
        (status = 422, response = Invalid),
    ),
)]
async fn set(
    State(app): App,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let mut faults = Vec::new();
    let rates = read(body.as_ref(), &mut faults).map_err(|own| Problem::malformed(&own))?;
    if !faults.is_empty() {
        return Err(Problem::invalid_price(faults));
    }
    set_prices(&app, &principal, &id, rates).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(
    delete,
    path = "/prices/{id}",
    operation_id = "removePrice",
    tag = "usage",
    summary = "Let the built-in price of a model or profile apply again",
    params(PriceId),
    responses(
        (status = 204, description = "The built-in price applies to what is recorded from now on"),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
    ),
)]
async fn remove(
    State(app): App,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    remove_prices(&app, &principal, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The rates in a body; faults of its fields are added to `faults`.
fn read(body: &[u8], faults: &mut Vec<Fault>) -> Result<DollarRates, SyntaxError> {
    let mut rates = DollarRates::new();
    reader::fields(body, faults, |name, raw, faults| {
        let at = child("", name);
        match reader::nullable_decimal(raw, &at, faults) {
            Some(Some(dollars)) => {
                rates.insert(name.to_owned(), dollars);
            }
            Some(None) => faults.push(Fault::new(at, "not_clearable", "leave it out")),
            None => {}
        }
    })?;
    Ok(rates)
}

/// Sets the rates of an id.
///
/// # Errors
///
/// When the principal may not, or the rates cannot be used.
pub(crate) async fn set_prices(
    app: &AppState,
    principal: &Principal,
    id: &str,
    rates: DollarRates,
) -> Result<(), Problem> {
    principal.may_edit()?;
    let ledger = recorded(app)?;
    Prices::check(id, &rates).map_err(|(rate, reason)| {
        let at = rate.map_or_else(String::new, |name| child("", &name));
        Problem::invalid_price(vec![Fault::new(at, "invalid_value", reason)])
    })?;
    let store = app.channels.store();
    store.set_prices(id, &rates, &principal.name).await?;
    ledger.charge_stored(store).await?;
    tracing::info!(id, actor = principal.name, "price set");
    Ok(())
}

/// Lets the table's rates of an id apply again.
///
/// # Errors
///
/// When the principal may not, or no others were set.
pub(crate) async fn remove_prices(
    app: &AppState,
    principal: &Principal,
    id: &str,
) -> Result<(), Problem> {
    principal.may_edit()?;
    let ledger = recorded(app)?;
    let store = app.channels.store();
    if !store.remove_prices(id, &principal.name).await? {
        return Err(Problem::not_found(format!("no price was set for `{id}`")));
    }
    ledger.charge_stored(store).await?;
    tracing::info!(id, actor = principal.name, "price removed");
    Ok(())
}
