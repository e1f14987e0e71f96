//! Who may use the API: whoever has the admin token.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::{App, Problem};

/// Lets a request through when it carries the admin token.
pub(super) async fn require_admin(State(app): App, request: Request, next: Next) -> Response {
    match bearer(request.headers()) {
        Some(token) if app.token.matches(token) => next.run(request).await,
        _ => Problem::unauthorized().into_response(),
    }
}

/// The bearer token of a request (RFC 6750, section 2.1); the scheme's case does not matter.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}
