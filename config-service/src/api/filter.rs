//! The filter module for Envoys, without authentication: it holds no secret.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use super::{App, Problem};
use crate::filter_code::FilterCode;

/// The address has the content's hash in it, so the content never changes.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

pub(super) async fn module(State(app): App, Path(file): Path<String>) -> Result<Response, Problem> {
    let FilterCode::Served(module) = app.resources.code() else {
        return Err(Problem::not_found(
            "no module is served; Envoys have it already",
        ));
    };
    if file.strip_suffix(".wasm") != Some(module.sha256.as_str()) {
        return Err(Problem::not_found("there is no such module"));
    }
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/wasm"),
        ),
        (header::CACHE_CONTROL, IMMUTABLE),
    ];
    let bytes = Bytes::from_owner(std::sync::Arc::clone(&module.bytes));
    Ok((headers, bytes).into_response())
}
