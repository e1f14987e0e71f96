//! `/api/tokens`: who else may use the API.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get};
use axum::{Extension, Json, Router};
use bedrock_filter::secret::Secret;
use serde::{Deserialize, Serialize};

use super::body::Body;
use super::{App, AppState, Principal, Problem};
use crate::access::Role;
use crate::store::TokenEntry;
use crate::token;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/tokens", get(list).post(create))
        .route("/tokens/{id}", delete(revoke))
}

#[derive(Serialize)]
struct TokenList {
    tokens: Vec<TokenEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewToken {
    name: String,
    role: Role,
}

/// The only answer that a token is ever part of.
#[derive(Serialize)]
struct Created {
    #[serde(flatten)]
    entry: TokenEntry,
    token: String,
}

async fn list(
    State(app): App,
    Extension(principal): Extension<Principal>,
) -> Result<Json<TokenList>, Problem> {
    principal.may_administer()?;
    let tokens = app.channels.store().tokens().await?;
    Ok(Json(TokenList { tokens }))
}

async fn create(
    State(app): App,
    Extension(principal): Extension<Principal>,
    body: Body,
) -> Result<(StatusCode, Json<Created>), Problem> {
    // Before the body: whoever may not make tokens learns nothing about what one has to look like.
    principal.may_administer()?;
    let NewToken { name, role } = body.json()?;
    let (entry, token) = create_token(&app, &principal, name, role).await?;
    let token = token.expose().to_owned();
    Ok((StatusCode::CREATED, Json(Created { entry, token })))
}

/// Makes a token.
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

/// Makes a token worthless, by its id or name; whether there was one.
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
