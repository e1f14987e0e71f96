//! `/api/credentials`: credentials that are stored by themselves, for any number of channels.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use super::channels::author;
use super::history::{Page, RollBack};
use super::openapi::{BadRequest, Conflict, EditRefused, Forbidden, IfMatch, NotFound, Outdated};
use super::query::Query;
use super::{App, AppState, Principal, Problem, etag};
use crate::channel::{CredentialView, Credentials};
use crate::history::CredentialEntry;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(list))
        .routes(routes!(show, put, remove))
        .routes(routes!(history))
        .routes(routes!(roll_back))
}

/// All credentials that are stored by themselves.
#[derive(Serialize, ToSchema)]
struct CredentialList {
    /// The published revision.
    revision: u64,
    /// In the order of their names.
    credentials: Vec<CredentialView>,
}

/// A credential's new content.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what the reader of edits reads")]
struct CredentialEdit {
    /// What it contains.
    credentials: Credentials,
}

/// Edits of a credential, newest first.
#[derive(Serialize, ToSchema)]
struct CredentialHistory {
    /// The entries of this page.
    entries: Vec<CredentialEntry>,
    /// Pass this as `before` to get the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64, required = false)]
    next_before: Option<u64>,
}

/// The path parameter of a credential's routes.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only the document reads it")]
struct CredentialName {
    /// The credential's name
    name: String,
}

/// A credential with its entity tag.
struct Answer(StatusCode, CredentialView);

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let Self(status, view) = self;
        let place = HeaderValue::try_from(format!("/api/credentials/{}", view.name)).ok();
        let mut response = (status, [etag::of(view.revision)], Json(view)).into_response();
        if let (StatusCode::CREATED, Some(place)) = (status, place) {
            response.headers_mut().insert(header::LOCATION, place);
        }
        response
    }
}

#[utoipa::path(
    get,
    path = "/credentials",
    operation_id = "listCredentials",
    tag = "credentials",
    summary = "All credentials that are stored by themselves, without secrets",
    responses(
        (status = 200, description = "The credentials", body = CredentialList),
        (status = 403, response = Forbidden),
    ),
)]
async fn list(State(app): App) -> Result<Json<CredentialList>, Problem> {
    let (revision, credentials) = app.channels.credentials().await?;
    Ok(Json(CredentialList {
        revision,
        credentials,
    }))
}

#[utoipa::path(
    get,
    path = "/credentials/{name}",
    operation_id = "getCredential",
    tag = "credentials",
    summary = "One credential, without secrets",
    params(CredentialName),
    responses(
        (status = 200, description = "The credential", body = CredentialView,
            headers(("etag" = String, description = "Entity tag, for If-Match"))),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
    ),
)]
async fn show(State(app): App, Path(name): Path<String>) -> Result<Answer, Problem> {
    Ok(Answer(
        StatusCode::OK,
        app.channels.credential(&name).await?,
    ))
}

#[utoipa::path(
    put,
    path = "/credentials/{name}",
    operation_id = "putCredential",
    tag = "credentials",
    summary = "Create a credential, or replace its content in every channel that uses it",
    params(CredentialName, IfMatch),
    request_body(content = CredentialEdit, example = json!({"credentials": {
        "type": "assume_role", "role_arn": "arn:aws:iam::123456789012:role/bedrock",
        "source": {"type": "default_chain"},
    }})),
    responses(
        (status = 200, description = "The credential", body = CredentialView,
            headers(("etag" = String, description = "Entity tag, for If-Match"))),
        (status = 201, description = "The credential, which is new; location has its address", body = CredentialView,
            headers(("etag" = String, description = "Entity tag, for If-Match"),
                ("location" = String, description = "Address of the credential"))),
        EditRefused,
    ),
)]
async fn put(
    State(app): App,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer, Problem> {
    principal.may_edit()?;
    let author = author(&principal, &headers)?;
    let (view, is_new) = app.channels.put_credential(author, name, body).await?;
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok(Answer(status, view))
}

#[utoipa::path(
    delete,
    path = "/credentials/{name}",
    operation_id = "deleteCredential",
    tag = "credentials",
    summary = "Remove a credential that no channel uses",
    params(CredentialName, IfMatch),
    responses(
        (status = 204, description = "The credential was deleted"),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 409, response = Conflict),
        (status = 412, response = Outdated),
    ),
)]
async fn remove(
    State(app): App,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    principal.may_edit()?;
    let author = author(&principal, &headers)?;
    app.channels.delete_credential(author, name).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(
    post,
    path = "/credentials/{name}/rollback",
    operation_id = "rollBackCredential",
    tag = "credentials",
    summary = "Restore a credential to what it was after a revision, in every channel that uses it",
    description = "Secrets are not part of the history. If the credential had another secret then, enter that in an edit.",
    params(CredentialName, IfMatch),
    request_body(content = RollBack, example = json!({"revision": 7})),
    responses(
        (status = 200, description = "The credential", body = CredentialView,
            headers(("etag" = String, description = "Entity tag, for If-Match"))),
        EditRefused,
        (status = 404, response = NotFound),
    ),
)]
async fn roll_back(
    State(app): App,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer, Problem> {
    principal.may_edit()?;
    let RollBack { revision } = body.json()?;
    let author = author(&principal, &headers)?;
    let rolled_back = app.channels.roll_back_credential(author, name, revision);
    Ok(Answer(StatusCode::OK, rolled_back.await?))
}

#[utoipa::path(
    get,
    path = "/credentials/{name}/history",
    operation_id = "listCredentialHistory",
    tag = "credentials",
    summary = "The history of a credential, without secrets",
    params(CredentialName, Page),
    responses(
        (status = 200, description = "The edits", body = CredentialHistory),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
    ),
)]
async fn history(
    State(app): App,
    Path(name): Path<String>,
    Query(page): Query<Page>,
) -> Result<Json<CredentialHistory>, Problem> {
    let found = app
        .channels
        .credential_history(&name, page.before, page.sought()?);
    let (entries, next_before) = page.cut(found.await?, |own| own.revision);
    Ok(Json(CredentialHistory {
        entries,
        next_before,
    }))
}
