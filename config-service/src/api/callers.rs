//! `/api/callers` and `/api/caller-settings`.

mod forecast;
mod history;
mod import;
mod keys;
mod list;
mod policy;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use super::channels::author;
use super::openapi::{
    BadRequest, CallerId, Conflict, CreatedCaller, EditRefused, Forbidden, IfMatch, Invalid,
    NotFound, Outdated, ShownCaller, TooLarge,
};
use super::query::Query;
use super::{App, AppState, Principal, Problem, etag};
use crate::caller::{CallerDocument, CallerView, StoredCaller};
use crate::callers::CallerRequest;
use crate::channels::Author;
pub(crate) use forecast::{forecast, last_uses};
use list::{CallerList, Filter};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(list, create))
        .routes(routes!(show, replace, patch, remove))
        .routes(routes!(replace_named))
        .merge(keys::routes())
        .merge(history::routes())
        .merge(policy::routes())
        .merge(forecast::routes())
        .merge(import::routes())
}

/// A caller with its entity tag.
struct Answer {
    status: StatusCode,
    revision: u64,
    location: Option<String>,
    view: CallerView,
}

impl Answer {
    async fn of(app: &AppState, stored: &StoredCaller) -> Result<Self, Problem> {
        Ok(Self {
            status: StatusCode::OK,
            revision: stored.revision,
            location: None,
            view: CallerView::new(stored, &last_uses(app).await?),
        })
    }

    async fn created(app: &AppState, stored: &StoredCaller) -> Result<Self, Problem> {
        Ok(Self {
            status: StatusCode::CREATED,
            location: Some(format!("/api/callers/{}", stored.id)),
            ..Self::of(app, stored).await?
        })
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let tag = etag::of(self.revision);
        let mut response = (self.status, [tag], Json(self.view)).into_response();
        let location = self
            .location
            .and_then(|own| HeaderValue::try_from(own).ok());
        if let Some(location) = location {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

#[utoipa::path(
    get,
    path = "/callers",
    operation_id = "listCallers",
    tag = "callers",
    summary = "All callers, or some of them",
    params(Filter),
    responses(
        (status = 200, description = "The callers of the page", body = CallerList),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
    ),
)]
async fn list(State(app): App, Query(filter): Query<Filter>) -> Result<Json<CallerList>, Problem> {
    let (revision, book) = app.callers.list().await?;
    let uses = last_uses(&app).await?;
    Ok(Json(filter.page(revision, &book, &uses)?))
}

#[utoipa::path(
    post,
    path = "/callers",
    operation_id = "createCaller",
    tag = "callers",
    summary = "Create a caller",
    request_body(content = CallerDocument, example = json!({
        "name": "team-a",
        "models": ["claude-sonnet-*", "nova-*"],
        "rpm": 600,
    })),
    responses(
        CreatedCaller,
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
) -> Result<Answer, Problem> {
    principal.may_edit()?;
    let author = Author::new(principal.name);
    let stored = app
        .callers
        .edit(author, CallerRequest::Create, body)
        .await?;
    Answer::created(&app, &stored).await
}

#[utoipa::path(
    get,
    path = "/callers/{id}",
    operation_id = "getCaller",
    tag = "callers",
    summary = "One caller",
    params(CallerId),
    responses(
        ShownCaller,
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
    ),
)]
async fn show(State(app): App, Path(id): Path<String>) -> Result<Answer, Problem> {
    let stored = app.callers.get(&id).await?;
    Answer::of(&app, &stored).await
}

#[utoipa::path(
    put,
    path = "/callers/{id}",
    operation_id = "replaceCaller",
    tag = "callers",
    summary = "Replace a caller; its keys stay",
    params(CallerId, IfMatch),
    request_body = CallerDocument,
    responses(
        ShownCaller,
        EditRefused,
        (status = 404, response = NotFound),
    ),
)]
async fn replace(
    state: App,
    principal: Extension<Principal>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer, Problem> {
    let request = CallerRequest::Replace(id);
    edit(state, &principal, &headers, request, body).await
}

#[utoipa::path(
    patch,
    path = "/callers/{id}",
    operation_id = "patchCaller",
    tag = "callers",
    summary = "Change some fields of a caller",
    params(CallerId, IfMatch),
    request_body(content = CallerDocument, example = json!({"enabled": false})),
    responses(
        ShownCaller,
        EditRefused,
        (status = 404, response = NotFound),
    ),
)]
async fn patch(
    state: App,
    principal: Extension<Principal>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer, Problem> {
    let request = CallerRequest::Patch(id);
    edit(state, &principal, &headers, request, body).await
}

#[utoipa::path(
    put,
    path = "/callers/by-name/{name}",
    operation_id = "applyCaller",
    tag = "callers",
    summary = "Replace the caller with this name, or create it",
    params(("name" = String, Path, description = "The caller's name"), IfMatch),
    request_body(content = CallerDocument, example = json!({"rpm": 600})),
    responses(
        ShownCaller,
        CreatedCaller,
        EditRefused,
    ),
)]
async fn replace_named(
    state: App,
    principal: Extension<Principal>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer, Problem> {
    let request = CallerRequest::ReplaceNamed(name);
    edit(state, &principal, &headers, request, body).await
}

async fn edit(
    State(app): App,
    principal: &Principal,
    headers: &HeaderMap,
    request: CallerRequest,
    body: Body,
) -> Result<Answer, Problem> {
    principal.may_edit()?;
    let author = author(principal, headers)?;
    let (revision, _) = app.callers.list().await?;
    let may_create = matches!(request, CallerRequest::ReplaceNamed(_));
    let stored = app.callers.edit(author, request, body).await?;
    // A new caller has been edited exactly once, by this edit.
    let is_new = stored.created_at == stored.updated_at && stored.revision > revision;
    if may_create && is_new {
        Answer::created(&app, &stored).await
    } else {
        Answer::of(&app, &stored).await
    }
}

#[utoipa::path(
    delete,
    path = "/callers/{id}",
    operation_id = "deleteCaller",
    tag = "callers",
    summary = "Remove a caller and its keys",
    params(CallerId, IfMatch),
    responses(
        (status = 204, description = "The caller was deleted"),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 412, response = Outdated),
    ),
)]
async fn remove(
    State(app): App,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    principal.may_edit()?;
    let author = author(&principal, &headers)?;
    app.callers.delete(author, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
