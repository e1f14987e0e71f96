//! `/api/tokens`: further tokens for the API.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use bedrock_filter::secret::Secret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use super::openapi::{BadRequest, Conflict, Forbidden, Invalid, NotFound, TooLarge};
use super::{App, AppState, Principal, Problem};
use crate::access::Role;
use crate::store::TokenEntry;
use crate::token;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(list, create))
        .routes(routes!(revoke))
}

/// All tokens.
#[derive(Serialize, ToSchema)]
struct TokenList {
    /// In the order of their names.
    tokens: Vec<TokenEntry>,
}

/// A token to create.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewToken {
    /// 1 to 64 letters, digits, `.`, `_` or `-`; not `admin`.
    name: String,
    /// What its holder may do.
    role: Role,
}

/// The only answer that ever contains a token.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedToken)]
struct Created {
    #[serde(flatten)]
    entry: TokenEntry,
    /// The token, which is shown only this once.
    token: String,
}

#[utoipa::path(
    get,
    path = "/tokens",
    operation_id = "listTokens",
    tag = "tokens",
    summary = "All tokens, without the tokens themselves",
    responses(
        (status = 200, description = "The tokens", body = TokenList),
        (status = 403, response = Forbidden),
    ),
)]
async fn list(
    State(app): App,
    Extension(principal): Extension<Principal>,
) -> Result<Json<TokenList>, Problem> {
    principal.may_administer()?;
    let tokens = app.channels.store().tokens().await?;
    Ok(Json(TokenList { tokens }))
}

#[utoipa::path(
    post,
    path = "/tokens",
    operation_id = "createToken",
    tag = "tokens",
    summary = "Create a token, which is shown only once",
    request_body(content = NewToken, example = json!({"name": "ci", "role": "editor"})),
    responses(
        (status = 201, description = "The token", body = Created),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
        (status = 409, response = Conflict),
        (status = 413, response = TooLarge),
        (status = 422, response = Invalid),
    ),
)]
async fn create(
    State(app): App,
    Extension(principal): Extension<Principal>,
    body: Body,
) -> Result<(StatusCode, Json<Created>), Problem> {
    // Checked before the body, so that callers who may not create tokens learn nothing about valid
    // ones.
    principal.may_administer()?;
    let NewToken { name, role } = body.json()?;
    let (entry, token) = create_token(&app, &principal, name, role).await?;
    let token = token.expose().to_owned();
    Ok((StatusCode::CREATED, Json(Created { entry, token })))
}

/// Creates a token.
pub(crate) async fn create_token(
    app: &AppState,
    principal: &Principal,
    name: String,
    role: Role,
) -> Result<(TokenEntry, Secret), Problem> {
    principal.may_administer()?;
    let owner = Principal { name, role };
    let (entry, token) = token::issue(app.channels.store(), &owner, &principal.name).await?;
    tracing::info!(
        token.name = owner.name,
        role = role.as_str(),
        actor = principal.name,
        "token created"
    );
    Ok((entry, token))
}

#[utoipa::path(
    delete,
    path = "/tokens/{id}",
    operation_id = "revokeToken",
    tag = "tokens",
    summary = "Revoke a token, by id or name",
    params(("id" = String, Path, description = "The token's id or name")),
    responses(
        (status = 204, description = "The token was revoked"),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
    ),
)]
async fn revoke(
    State(app): App,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    if !revoke_token(&app, &principal, &id).await? {
        return Err(Problem::not_found(format!("there is no token `{id}`")));
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Revokes a token, by its id or name; returns whether there was one.
pub(crate) async fn revoke_token(
    app: &AppState,
    principal: &Principal,
    id: &str,
) -> Result<bool, Problem> {
    principal.may_administer()?;
    let was_there = app.channels.store().revoke_token(id).await?;
    if was_there {
        tracing::info!(token.id = id, actor = principal.name, "token revoked");
    }
    Ok(was_there)
}
