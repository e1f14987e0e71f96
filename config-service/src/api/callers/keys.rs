//! `/api/callers/{id}/keys`.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::body::Body;
use crate::api::channels::author;
use crate::api::openapi::{
    BadRequest, CallerId, EditRefused, Forbidden, IfMatch, KeyId, NotFound, Outdated,
};
use crate::api::{App, AppState, Principal, Problem};
use crate::caller::KeyView;
use crate::callers::IssuedKey;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(create))
        .routes(routes!(rotate))
        .routes(routes!(revoke))
}

/// A key to create.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "the document alone reads it; the body is read with all of its faults"
)]
struct NewCallerKey {
    /// What administrators call it, at most 100 characters.
    #[schema(value_type = String, required = false)]
    name: Option<String>,
    /// From when it is refused, RFC 3339; null: never.
    #[schema(value_type = Option<String>, format = DateTime, required = false)]
    expires_at: Option<String>,
    /// SHA-256 of a key that exists already, as 64 hexadecimal digits. Without it, a key is made.
    #[schema(value_type = String, required = false)]
    key_hash: Option<String>,
}

/// How to rotate a key.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document alone reads it")]
struct RotateCallerKey {
    /// Seconds for which the old key stays valid; 0 revokes it at once.
    #[schema(value_type = u32, required = false, minimum = 0, maximum = 2_592_000, default = 0)]
    overlap_seconds: Option<u32>,
    /// From when the new key is refused, RFC 3339; null: never. Without it, the new key expires when the old one would
    /// have, or never if that is over already.
    #[schema(value_type = Option<String>, format = DateTime, required = false)]
    expires_at: Option<String>,
}

/// The only answer that ever contains a key.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedCallerKey)]
struct Created {
    #[serde(flatten)]
    view: KeyView,
    /// The key, which is shown only this once; absent if its hash was brought.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    key: Option<String>,
}

impl From<IssuedKey> for Created {
    fn from(issued: IssuedKey) -> Self {
        Self {
            view: KeyView::from(&issued.stored),
            key: issued.key.map(|key| key.expose().to_owned()),
        }
    }
}

#[utoipa::path(
    post,
    path = "/callers/{id}/keys",
    operation_id = "createCallerKey",
    tag = "callers",
    summary = "Make a key for a caller, which is shown only once, or bring the hash of one",
    params(CallerId, IfMatch),
    request_body(content = NewCallerKey, example = json!({"name": "laptop", "expires_at": "2027-01-31"})),
    responses(
        (status = 201, description = "The key", body = Created),
        EditRefused,
        (status = 404, response = NotFound),
    ),
)]
async fn create(
    State(app): App,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Created>), Problem> {
    principal.may_edit()?;
    let author = author(&principal, &headers)?;
    let issued = app.callers.add_key(author, id, body).await?;
    Ok((StatusCode::CREATED, Json(issued.into())))
}

#[utoipa::path(
    post,
    path = "/callers/{id}/keys/{key}/rotate",
    operation_id = "rotateCallerKey",
    tag = "callers",
    summary = "Make a key in place of another, which stays valid for a while",
    params(KeyId, IfMatch),
    request_body(content = RotateCallerKey, example = json!({"overlap_seconds": 86_400})),
    responses(
        (status = 201, description = "The new key", body = Created),
        EditRefused,
        (status = 404, response = NotFound),
    ),
)]
async fn rotate(
    State(app): App,
    Extension(principal): Extension<Principal>,
    Path(place): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Created>), Problem> {
    principal.may_edit()?;
    let author = author(&principal, &headers)?;
    let issued = app.callers.rotate_key(author, place, body).await?;
    Ok((StatusCode::CREATED, Json(issued.into())))
}

#[utoipa::path(
    delete,
    path = "/callers/{id}/keys/{key}",
    operation_id = "revokeCallerKey",
    tag = "callers",
    summary = "Revoke a key",
    params(KeyId, IfMatch),
    responses(
        (status = 204, description = "The key was revoked"),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 412, response = Outdated),
    ),
)]
async fn revoke(
    State(app): App,
    Extension(principal): Extension<Principal>,
    Path(place): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    principal.may_edit()?;
    let author = author(&principal, &headers)?;
    app.callers.revoke_key(author, place).await?;
    Ok(StatusCode::NO_CONTENT)
}
