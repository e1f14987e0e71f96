//! The admin API over HTTP, and the filter module for Envoys.
//!
//! Every refusal is an RFC 9457 problem.

mod auth;
mod body;
mod channels;
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
mod probe;
mod problem;
mod query;
mod refusals;
mod status;
mod tokens;

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
use crate::channels::Channels;
use crate::fleet::Fleet;
use crate::metrics::Metrics;
use crate::proxies::TrustedProxies;
use crate::publish::Snapshot;
use crate::token::AdminToken;
use crate::xds::Resources;

pub(crate) use auth::Client;
pub(crate) use openapi::text as openapi;
pub use problem::Problem;
pub(crate) use tokens::{create_token, revoke_token};

use refusals::Refusals;

/// What the handlers work with. Clones share one state.
#[derive(Clone, Debug)]
pub struct AppState {
    pub(crate) channels: Channels,
    pub(crate) published: watch::Receiver<Arc<Snapshot>>,
    pub(crate) fleet: Fleet,
    pub(crate) metrics: Metrics,
    pub(crate) resources: Resources,
    token: AdminToken,
    proxies: TrustedProxies,
    refusals: Refusals,
}

impl AppState {
    /// Brings the parts together.
    pub async fn new(
        token: AdminToken,
        proxies: TrustedProxies,
        channels: Channels,
        fleet: Fleet,
        resources: Resources,
    ) -> Self {
        Self {
            published: channels.subscribe().await,
            channels,
            fleet,
            metrics: Metrics::default(),
            token,
            proxies,
            resources,
            refusals: Refusals::default(),
        }
    }
}

/// Every route of the API, and those beside it that Envoys, Prometheus and orchestrators ask.
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

/// The only route of the address for Prometheus: who reaches it needs no token.
pub(crate) fn metrics_routes() -> Router<AppState> {
    measured().into()
}

/// What every route says about itself.
fn described() -> OpenApi {
    let all = OpenApiRouter::default().nest("/api", api());
    all.merge(open()).merge(measured()).into_openapi()
}

/// Routes below `/api`.
fn api() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .merge(channels::routes())
        .merge(history::routes())
        .merge(tokens::routes())
        .merge(export::routes())
        .routes(routes!(status::show))
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

/// The answer where nothing is.
pub(crate) async fn not_found(OriginalUri(uri): OriginalUri) -> Problem {
    Problem::not_found(format!("there is nothing at {}", uri.path()))
}

/// The answer to a method that a route does not have.
pub(crate) async fn method_not_allowed(method: Method, OriginalUri(uri): OriginalUri) -> Problem {
    Problem::method_not_allowed(format!("{method} is not possible at {}", uri.path()))
}

/// The state as an extractor.
type App = State<AppState>;
