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
use axum::routing::{get, post};
use tokio::sync::watch;

use crate::access::Principal;
use crate::channels::Channels;
use crate::fleet::Fleet;
use crate::metrics::Metrics;
use crate::proxies::TrustedProxies;
use crate::publish::Snapshot;
use crate::token::AdminToken;
use crate::xds::Resources;

pub(crate) use auth::Client;
pub(crate) use openapi::DOCUMENT as OPENAPI;
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
    let api = Router::new()
        .merge(channels::routes())
        .merge(history::routes())
        .merge(tokens::routes())
        .merge(export::routes())
        .route("/status", get(status::show))
        .route("/openapi.json", get(openapi::document))
        .route("/explain", post(explain::explain))
        .route("/import", post(import::import))
        .route("/channels/{id}/test", post(probe::test))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(token.clone());
    Router::new()
        .nest("/api", api)
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::metrics).layer(token))
        .route("/filter/{file}", get(filter::module))
}

/// The only route of the address for Prometheus: who reaches it needs no token.
pub(crate) fn metrics_routes() -> Router<AppState> {
    Router::new().route("/metrics", get(metrics::metrics))
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
