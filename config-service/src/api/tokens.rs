//! `/api/tokens`: who else may use the API.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get};
use axum::{Extension, Json, Router};
use bedrock_filter::config::Secret;
use serde::{Deserialize, Serialize};

use super::body::Body;
use super::{App, AppState, Principal, Problem};
use crate::access::{self, Role, TokenHash};
use crate::fault::Fault;
use crate::store::TokenEntry;

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
    if !access::is_token_name(&name) {
        let message = "must be 1 to 64 letters, digits, `.`, `_` or `-`, start with a letter or \
                       digit, and not be `admin`";
        let fault = Fault::new("/name", "invalid_name", message);
        return Err(Problem::invalid_token(fault));
    }
    let token = access::new_token().map_err(|error| {
        tracing::error!(%error, "no random numbers for a token");
        Problem::unavailable("the system has no random numbers")
    })?;
    let owner = Principal { name, role };
    let hash = TokenHash::of(token.expose().as_bytes());
    let store = app.channels.store();
    let entry = store.add_token(&owner, hash, &principal.name).await?;
    let entry = entry.ok_or_else(|| Problem::token_name_taken(&owner.name))?;
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
    principal.may_administer()?;
    if !app.channels.store().revoke_token(&id).await? {
        return Err(Problem::not_found(format!("there is no token `{id}`")));
    }
    tracing::info!(token.id = id, actor = principal.name, "token revoked");
    Ok(StatusCode::NO_CONTENT)
}
