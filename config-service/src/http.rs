//! The service over HTTP: every route of its ports, and what applies to all of them.
//!
//! The log has method, path and status, never a header or body.

mod slow;

use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;

use crate::api::{self, AppState};
use crate::web;

/// Everything at the admin address: the API and the pages.
pub(crate) fn admin(state: AppState) -> Router {
    Router::new()
        .merge(api::routes(&state))
        .merge(web::routes(state.clone()))
        .fallback(api::not_found)
        .method_not_allowed_fallback(api::method_not_allowed)
        .layer(middleware::from_fn(slow::refuse))
        .layer(middleware::from_fn(keep_to_the_client))
        .layer(middleware::from_fn_with_state(state.clone(), log_request))
        .with_state(state)
}

/// Everything at the address for Prometheus.
pub(crate) fn metrics(state: AppState) -> Router {
    api::metrics_routes()
        .fallback(api::not_found)
        .method_not_allowed_fallback(api::method_not_allowed)
        .with_state(state)
}

/// Answers are meant only for the caller: nothing on the way may cache them unless they say so, and no browser
/// may guess another content type.
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

/// The most of a path to log, in bytes, because anybody may send a long one.
const MAX_LOGGED_PATH: usize = 200;

/// Logs and counts a request. One without a valid token is logged elsewhere, within a quota.
async fn log_request(State(app): State<AppState>, request: Request, next: Next) -> Response {
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

/// Whether anybody may send this request as often as they like, so that its line would fill the log.
fn is_anonymous(route: Option<&str>, status: StatusCode) -> bool {
    status == StatusCode::UNAUTHORIZED || matches!(route, None | Some("/healthz" | "/readyz"))
}

/// A path as shown in the log.
fn shortened(path: &str) -> String {
    match path.get(..path.floor_char_boundary(MAX_LOGGED_PATH)) {
        Some(start) if start.len() < path.len() => format!("{start}…"),
        _ => path.to_owned(),
    }
}

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
    fn what_anybody_may_send_is_not_logged_at_info_level() {
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
