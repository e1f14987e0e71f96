//! `GET /api/usage` and what is below it: what requests used, what it cost, and what they missed.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::openapi::{BadRequest, Forbidden, NotFound};
use super::query::Query;
use super::{App, AppState, Problem};
use crate::store::{Line, Unserved, UsageQuery};
use crate::usage::{Asked, Format, Ledger, MapReport, Percentiles, text};
use crate::zone::now;

/// The header with the token of the next page, where the body has no place for it.
const NEXT_PAGE: HeaderName = HeaderName::from_static("x-next-page-token");

const DAY: i64 = 86_400;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(lines))
        .routes(routes!(unserved))
        .routes(routes!(maps))
}

/// What requests used.
#[derive(Serialize, ToSchema)]
struct Usage {
    /// Start of the first period, in seconds since the epoch
    from: i64,
    /// Periods that begin from then on are left out
    to: i64,
    /// The lines of this page
    lines: Vec<Line>,
    /// How long the requests took, from the whole request to the end of the answer
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    duration_ms: Option<Percentiles>,
    /// How long clients of streams waited for the first word
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    first_token_ms: Option<Percentiles>,
    /// Requests that were not recorded, ever, because an Envoy had no room for more
    dropped: i64,
    /// The day of the built-in prices
    prices_of: String,
    /// Pass this as `page_token` to get the next page; absent on the last one
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    next_page_token: Option<String>,
}

#[utoipa::path(
    get,
    path = "/usage",
    operation_id = "listUsage",
    tag = "usage",
    summary = "What requests used and what it cost, summed up",
    params(Asked),
    responses(
        (
            status = 200,
            description = "The sums, as JSON, CSV or JSON lines",
            content((Usage = "application/json"), (String = "text/csv"), (String = "application/jsonl")),
            headers(("x-next-page-token" = String, description = "The same as next_page_token")),
        ),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
    ),
)]
async fn lines(State(app): App, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let ledger = recorded(&app)?;
    let format = asked.format().map_err(Problem::bad_request)?;
    let mut query = asked
        .query(now(), ledger.zone())
        .map_err(Problem::bad_request)?;
    let limit = query.limit;
    // One more than needed, to see whether there is another page.
    query.limit += 1;
    let mut lines = ledger.store().lines(&query).await?;
    let is_more = lines.len() > limit as usize;
    lines.truncate(limit as usize);
    let next = is_more.then(|| (query.offset + limit).to_string());
    let mut response = match format {
        Format::Json => Json(usage(ledger, query, lines, next.clone()).await?).into_response(),
        Format::Csv => {
            let kind = (header::CONTENT_TYPE, "text/csv; charset=utf-8");
            ([kind], text::csv(&query.by, &lines)).into_response()
        }
        Format::JsonLines => {
            let kind = (header::CONTENT_TYPE, "application/jsonl");
            ([kind], text::json_lines(&lines)).into_response()
        }
    };
    if let Some(token) = next.and_then(|token| HeaderValue::from_str(&token).ok()) {
        response.headers_mut().insert(NEXT_PAGE, token);
    }
    Ok(response)
}

async fn usage(
    ledger: &Ledger,
    query: UsageQuery,
    lines: Vec<Line>,
    next_page_token: Option<String>,
) -> Result<Usage, Problem> {
    let store = ledger.store();
    let latencies = store.latencies(&query).await?;
    Ok(Usage {
        from: query.from,
        to: query.to,
        lines,
        duration_ms: Percentiles::of(&latencies.duration),
        first_token_ms: Percentiles::of(&latencies.first_token),
        dropped: store.dropped().await?,
        prices_of: ledger.prices().origin().date.clone(),
        next_page_token,
    })
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Since {
    /// Only what was asked for in the last so many days, 1 to 3660
    #[param(minimum = 1, maximum = 3_660, default = 30)]
    days: Option<i64>,
}

/// Names of models that were asked for and that nothing serves.
#[derive(Serialize, ToSchema)]
struct UnservedNames {
    /// The most wanted first
    models: Vec<Unserved>,
}

#[utoipa::path(
    get,
    path = "/usage/unserved",
    operation_id = "listUnservedModels",
    tag = "usage",
    summary = "Names of models that were asked for and that nothing serves",
    params(Since),
    responses(
        (status = 200, description = "The names", body = UnservedNames),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
    ),
)]
async fn unserved(
    State(app): App,
    Query(since): Query<Since>,
) -> Result<Json<UnservedNames>, Problem> {
    let ledger = recorded(&app)?;
    let models = ledger.store().unserved(since.time()?).await?;
    Ok(Json(UnservedNames { models }))
}

#[utoipa::path(
    get,
    path = "/usage/maps",
    operation_id = "getUsageOfMaps",
    tag = "usage",
    summary = "Entries of inference_profile_arn_map that no request used, and requests that passed one by",
    params(Since),
    responses(
        (status = 200, description = "The entries and requests", body = MapReport),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
    ),
)]
async fn maps(State(app): App, Query(since): Query<Since>) -> Result<Json<MapReport>, Problem> {
    let ledger = recorded(&app)?;
    let contents = app.channels.list().await?;
    let report = MapReport::since(since.time()?, &contents.channels, ledger.store());
    Ok(Json(report.await?))
}

impl Since {
    /// In seconds since the epoch.
    fn time(&self) -> Result<i64, Problem> {
        let days = self.days.unwrap_or(30);
        if (1..=3_660).contains(&days) {
            return Ok(now() - days * DAY);
        }
        let message = format!("the parameter days is {days}; it must be 1 to 3660");
        Err(Problem::bad_request(message))
    }
}

/// The book, if one is kept.
pub(super) fn recorded(app: &AppState) -> Result<&Ledger, Problem> {
    app.usage.as_ref().ok_or_else(|| {
        let message = "usage is not recorded; start the config-service with --usage-database";
        Problem::not_found(message)
    })
}
