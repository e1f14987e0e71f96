//! The admin API over HTTP, and the filter module for Envoys.
//!
//! Every refusal is an RFC 9457 problem.

mod auth;
mod body;
mod budgets;
mod callers;
mod channel_health;
mod channels;
mod choices;
mod credentials;
mod discovery;
mod etag;
mod explain;
mod export;
mod filter;
mod health;
mod history;
mod import;
mod list;
mod metrics;
mod openapi;
mod prices;
mod probe;
mod problem;
mod query;
mod refusals;
mod status;
mod tokens;
mod usage;

use std::sync::Arc;

use axum::Router;
use axum::extract::{OriginalUri, State};
use axum::http::Method;
use axum::middleware;
use tokio::sync::watch;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Principal;
use crate::callers::Callers;
use crate::channels::Channels;
use crate::fleet::Fleet;
use crate::metrics::Metrics;
use crate::proxies::TrustedProxies;
use crate::publish::Snapshot;
use crate::token::AdminToken;
use crate::usage::Ledger;
use crate::xds::Resources;

pub(crate) use auth::Client;
pub(crate) use budgets::{NewBudget, remove_budget, set_budget};
pub(crate) use callers::{forecast, last_uses};
pub(crate) use export::istio_manifest;
pub(crate) use openapi::text as openapi;
pub(crate) use prices::{remove_prices, set_prices};
pub use problem::Problem;
pub(crate) use tokens::{create_token, revoke_token};

use refusals::Refusals;

/// What the handlers work with. Clones share one state.
#[derive(Clone, Debug)]
pub struct AppState {
    pub(crate) channels: Channels,
    pub(crate) callers: Callers,
    pub(crate) published: watch::Receiver<Arc<Snapshot>>,
    pub(crate) fleet: Fleet,
    pub(crate) metrics: Metrics,
    pub(crate) resources: Resources,
    /// What requests used, if that is recorded.
    pub(crate) usage: Option<Ledger>,
    token: AdminToken,
    proxies: TrustedProxies,
    refusals: Refusals,
}

impl AppState {
    /// Assembles the state from its parts.
    pub async fn new(
        token: AdminToken,
        proxies: TrustedProxies,
        channels: Channels,
        fleet: Fleet,
        resources: Resources,
    ) -> Self {
        Self {
            published: channels.subscribe(),
            callers: Callers::new(channels.clone()),
            channels,
            fleet,
            metrics: Metrics::default(),
            token,
            proxies,
            resources,
            usage: None,
            refusals: Refusals::default(),
        }
    }

    /// The same with the book of what requests used.
    #[must_use]
    pub(crate) fn with_usage(self, usage: Option<Ledger>) -> Self {
        Self { usage, ..self }
    }
}

/// Every route of the API, and the others for Envoys, Prometheus and orchestrators.
pub(crate) fn routes(state: &AppState) -> Router<AppState> {
    let token = middleware::from_fn_with_state(state.clone(), auth::require_token);
    let api = Router::from(api())
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(token.clone());
    Router::new()
        .nest("/api", api)
        .merge(Router::from(open()))
        .merge(metrics_routes().layer(token))
}

/// The only route of the address for Prometheus, which needs no token.
pub(crate) fn metrics_routes() -> Router<AppState> {
    measured().into()
}

/// What every route declares about itself.
fn described() -> OpenApi {
    let all = OpenApiRouter::default().nest("/api", api());
    all.merge(open()).merge(measured()).into_openapi()
}

/// Routes under `/api`.
fn api() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .merge(channels::routes())
        .merge(callers::routes())
        .merge(credentials::routes())
        .merge(choices::routes())
        .merge(discovery::routes())
        .merge(history::routes())
        .merge(tokens::routes())
        .merge(export::routes())
        .merge(usage::routes())
        .merge(budgets::routes())
        .merge(prices::routes())
        .routes(routes!(status::show))
        .routes(routes!(channel_health::show))
        .routes(routes!(openapi::document))
        .routes(routes!(explain::explain))
        .routes(routes!(import::import))
        .routes(routes!(probe::test))
}

/// Routes that need no token.
fn open() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(filter::module))
}

fn measured() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(metrics::metrics))
}

/// The answer where there is no route.
pub(crate) async fn not_found(OriginalUri(uri): OriginalUri) -> Problem {
    Problem::not_found(format!("there is nothing at {}", uri.path()))
}

/// The answer to a method that a route does not have.
pub(crate) async fn method_not_allowed(method: Method, OriginalUri(uri): OriginalUri) -> Problem {
    Problem::method_not_allowed(format!("{} does not accept {method}", uri.path()))
}

/// The state as an extractor.
type App = State<AppState>;
