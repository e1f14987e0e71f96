//! The filter module for Envoys, without authentication because it contains no secret.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use super::openapi::NotFound;
use super::{App, Problem};
use crate::filter_code::FilterCode;

/// The URL contains the content's hash, so the content never changes.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// The module's bytes, for the API's document.
enum Module {}

impl PartialSchema for Module {
    fn schema() -> RefOr<Schema> {
        let bytes = SchemaFormat::KnownFormat(KnownFormat::Binary);
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(bytes))
            .into()
    }
}

impl ToSchema for Module {}

#[utoipa::path(
    get,
    path = "/filter/{file}",
    operation_id = "getFilterModule",
    tag = "operations",
    summary = "The filter's module for Envoys",
    params(("file" = String, Path, description = "sha256 of the module, then .wasm")),
    security(),
    responses(
        (status = 200, description = "The module", body = Module, content_type = "application/wasm"),
        (status = 404, response = NotFound),
    ),
)]
pub(super) async fn module(State(app): App, Path(file): Path<String>) -> Result<Response, Problem> {
    let FilterCode::Served(module) = app.resources.code() else {
        return Err(Problem::not_found(
            "this service serves no module, because Envoys already have it (--wasm-path-in-envoy)",
        ));
    };
    if file.strip_suffix(".wasm") != Some(module.sha256.as_str()) {
        return Err(Problem::not_found(
            "there is no such module; `filter` in GET /api/status names \
            the one that is served",
        ));
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
