//! `GET /api/openapi.json`: the API as an `OpenAPI` document, generated from the routes
//! themselves.

mod answers;
mod parameters;
mod refusals;

use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{Problem, described};
pub(super) use answers::{CreatedCaller, CreatedChannel, ShownCaller, ShownChannel};
pub(super) use parameters::{CallerId, ChannelId, IfMatch, KeyId};
pub(super) use refusals::{
    BadRequest, Conflict, EditRefused, Forbidden, Invalid, NotFound, Outdated, TooLarge,
    Unauthorized, Unavailable,
};

/// The parts of the document besides the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Bedrock channels",
        description = "Admin API of the config-service. docs/API.md describes each field, fault \
            and warning in more detail.",
    ),
    servers((url = "/", description = "The config-service that serves this document")),
    security(("token" = [])),
    tags(
        (name = "channels", description = "AWS accounts, regions and the models reached through them"),
        (name = "callers", description = "Who may call the gateway, with which keys, and what they may use"),
        (name = "credentials", description = "Credentials that several channels use"),
        (name = "model choices", description = "Names that choose a model for each request"),
        (name = "history", description = "What changed in channels, and rolling back"),
        (name = "ask", description = "What a channel would do with a request, and whether it \
            works"),
        (name = "tokens", description = "Tokens that grant access to this API"),
        (name = "usage", description = "What requests used, and what it cost"),
        (name = "operations", description = "For orchestrators, Prometheus and Envoys"),
    ),
    components(
        schemas(Problem),
        responses(
            BadRequest, Unauthorized, Forbidden, NotFound, Conflict, Outdated, TooLarge, Invalid, Unavailable,
        ),
    ),
    modifiers(&Token),
)]
struct Outline;

/// Declares the token that most routes need.
struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
    }
}

/// The document, which is the same for every service of the same version.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut document = Outline::openapi();
    document.merge(described());
    refusals::add_unauthorized(&mut document);
    document.to_pretty_json().unwrap_or_default()
});

/// The document as JSON.
pub(crate) fn text() -> &'static str {
    &DOCUMENT
}

#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getOpenApi",
    tag = "operations",
    summary = "This document",
    responses(
        (status = 200, description = "The document", body = Object),
        (status = 403, response = Forbidden),
    ),
)]
pub(super) async fn document() -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], text()).into_response()
}
