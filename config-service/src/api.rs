//! The admin API over HTTP, and the filter module for Envoys.
//!
//! Every refusal is an RFC 9457 problem. Logged are method, path and status, never a header or body.

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
mod slow;
mod status;
mod tokens;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, OriginalUri, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use tokio::sync::watch;

use crate::access::Principal;
use crate::channels::Channels;
use crate::fleet::Fleet;
use crate::metrics::Metrics;
use crate::proxies::TrustedProxies;
use crate::publish::Snapshot;
use crate::token::AdminToken;
use crate::web::{self, Sessions};
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
    pub(crate) sessions: Sessions,
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
            sessions: Sessions::default(),
            metrics: Metrics::default(),
            token,
            proxies,
            resources,
            refusals: Refusals::default(),
        }
    }
}

/// Every route of the admin address.
pub fn router(state: AppState) -> Router {
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
        .merge(web::routes())
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::metrics).layer(token))
        .route("/filter/{file}", get(filter::module))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn(slow::refuse))
        .layer(middleware::from_fn(keep_to_the_client))
        .layer(middleware::from_fn_with_state(state.clone(), log_request))
        .with_state(state)
}

/// The only route of the address for Prometheus: who reaches it needs no token.
pub fn metrics_router(state: AppState) -> Router {
    Router::new()
        .route("/metrics", get(metrics::metrics))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(state)
}

async fn not_found(OriginalUri(uri): OriginalUri) -> Problem {
    Problem::not_found(format!("there is nothing at {}", uri.path()))
}

async fn method_not_allowed(method: Method, OriginalUri(uri): OriginalUri) -> Problem {
    Problem::method_not_allowed(format!("{method} is not possible at {}", uri.path()))
}

/// Answers are for who asked: nothing on the way keeps them, unless they say so, and no browser takes them for
/// something else than they are.
async fn keep_to_the_client(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Most of a path that goes into the log, in bytes: anybody may send a long one.
const MAX_LOGGED_PATH: usize = 200;

/// Logs and counts a request. One without a valid token has a line of its own, if it is not one too many.
async fn log_request(State(app): App, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let path = shortened(request.uri().path());
    let start = Instant::now();
    let response = next.run(request).await;
    let elapsed = start.elapsed();
    let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    let route = route.as_ref().map(MatchedPath::as_str);
    app.metrics
        .requested(route, &method, response.status(), elapsed);
    let status = response.status().as_u16();
    if is_anonymous(route, response.status()) {
        tracing::debug!(%method, path, status, elapsed_ms, "request");
    } else {
        tracing::info!(%method, path, status, elapsed_ms, "request");
    }
    response
}

/// Whether a request is one that anybody may send as often as they like: its line would fill the log.
fn is_anonymous(route: Option<&str>, status: StatusCode) -> bool {
    status == StatusCode::UNAUTHORIZED || matches!(route, None | Some("/healthz" | "/readyz"))
}

/// A path as the log shows it.
fn shortened(path: &str) -> String {
    match path.get(..path.floor_char_boundary(MAX_LOGGED_PATH)) {
        Some(start) if start.len() < path.len() => format!("{start}…"),
        _ => path.to_owned(),
    }
}

/// The state as an extractor.
type App = State<AppState>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_paths_are_cut_in_the_log() {
        assert_eq!(shortened("/api/status"), "/api/status");
        let long = shortened(&"/a".repeat(5_000));
        assert_eq!(long, format!("{}…", "/a".repeat(100)));
    }

    #[test]
    fn what_anybody_may_send_is_not_logged_at_info() {
        for (route, status, expected) in [
            (None, StatusCode::NOT_FOUND, true),
            (Some("/healthz"), StatusCode::OK, true),
            (Some("/api/channels"), StatusCode::UNAUTHORIZED, true),
            (Some("/api/channels"), StatusCode::OK, false),
        ] {
            assert_eq!(is_anonymous(route, status), expected, "{route:?} {status}");
        }
    }
}
