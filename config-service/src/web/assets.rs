//! Style, script and icon, compiled in.

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// The version is part of the URL, so that a browser never mixes versions.
pub(super) const STYLE: &str = concat!("/assets/", env!("CARGO_PKG_VERSION"), ".css");
pub(super) const SCRIPT: &str = concat!("/assets/", env!("CARGO_PKG_VERSION"), ".js");
pub(super) const ICON: &str = concat!("/assets/", env!("CARGO_PKG_VERSION"), ".svg");

pub(super) async fn serve(Path(file): Path<String>) -> Response {
    let (kind, content) = match file.rsplit_once('.') {
        Some((_, "css")) => ("text/css; charset=utf-8", include_str!("assets/style.css")),
        Some((_, "js")) => (
            "text/javascript; charset=utf-8",
            include_str!("assets/script.js"),
        ),
        Some(("openapi", "json")) => ("application/json", crate::api::openapi()),
        Some((_, "svg")) => ("image/svg+xml", include_str!("assets/icon.svg")),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, content).into_response()
}
