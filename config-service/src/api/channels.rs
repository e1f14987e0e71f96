//! `/api/channels`.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use super::list::{ChannelList, Filter};
use super::openapi::{
    BadRequest, ChannelId, Conflict, CreatedChannel, EditRefused, Forbidden, IfMatch, Invalid,
    NotFound, Outdated, ShownChannel, TooLarge,
};
use super::query::Query;
use super::{App, AppState, Principal, Problem, etag};
use crate::channel::{ChannelEdit, ChannelView, StoredChannel};
use crate::channels::{Author, Request};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(list, create))
        .routes(routes!(show, replace, patch, remove))
        .routes(routes!(replace_named))
}

/// A channel with its entity tag.
pub(super) struct Answer {
    status: StatusCode,
    revision: u64,
    location: Option<String>,
    view: ChannelView,
}

impl Answer {
    pub(super) fn new(app: &AppState, stored: &StoredChannel) -> Self {
        Self {
            status: StatusCode::OK,
            revision: stored.revision,
            location: None,
            view: app.channels.view(stored),
        }
    }

    fn created(app: &AppState, stored: &StoredChannel) -> Self {
        Self {
            status: StatusCode::CREATED,
            location: Some(format!("/api/channels/{}", stored.id)),
            ..Self::new(app, stored)
        }
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

/// Who edits, and which state of the channel they know.
pub(super) fn author(principal: &Principal, headers: &HeaderMap) -> Result<Author, Problem> {
    Ok(Author {
        name: principal.name.clone(),
        expects: etag::if_match(headers)?,
    })
}

#[utoipa::path(
    get,
    path = "/channels",
    operation_id = "listChannels",
    tag = "channels",
    summary = "All channels, or some of them",
    params(Filter),
    responses(
        (status = 200, description = "The channels of the page", body = ChannelList),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
    ),
)]
async fn list(State(app): App, Query(filter): Query<Filter>) -> Result<Json<ChannelList>, Problem> {
    let contents = app.channels.list().await?;
    let page = filter.page(&contents)?;
    Ok(Json(page.view(&app.channels)))
}

#[utoipa::path(
    post,
    path = "/channels",
    operation_id = "createChannel",
    tag = "channels",
    summary = "Create a channel",
    request_body(content = ChannelEdit, example = json!({
        "name": "team-a",
        "region": "us-east-1",
        "credentials": {"type": "static", "access_key_id": "AKIDEXAMPLE", "secret_access_key": "the-secret-half"},
        "model_mapping": {"gpt-4o": "claude-sonnet-4-5"},
    })),
    responses(
        CreatedChannel,
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
    let stored = app.channels.edit(author, Request::Create, body).await?;
    Ok(Answer::created(&app, &stored))
}

#[utoipa::path(
    get,
    path = "/channels/{id}",
    operation_id = "getChannel",
    tag = "channels",
    summary = "One channel",
    params(ChannelId),
    responses(
        ShownChannel,
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
    ),
)]
async fn show(State(app): App, Path(id): Path<String>) -> Result<Answer, Problem> {
    let stored = app.channels.get(&id).await?;
    Ok(Answer::new(&app, &stored))
}

#[utoipa::path(
    put,
    path = "/channels/{id}",
    operation_id = "replaceChannel",
    tag = "channels",
    summary = "Replace a channel",
    params(ChannelId, IfMatch),
    request_body = ChannelEdit,
    responses(
        ShownChannel,
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
    edit(state, &principal, &headers, Request::Replace(id), body).await
}

#[utoipa::path(
    patch,
    path = "/channels/{id}",
    operation_id = "patchChannel",
    tag = "channels",
    summary = "Change some fields of a channel",
    params(ChannelId, IfMatch),
    request_body(content = ChannelEdit, example = json!({"enabled": false})),
    responses(
        ShownChannel,
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
    edit(state, &principal, &headers, Request::Patch(id), body).await
}

#[utoipa::path(
    put,
    path = "/channels/by-name/{name}",
    operation_id = "applyChannel",
    tag = "channels",
    summary = "Replace the channel with this name, or create it",
    params(("name" = String, Path, description = "The channel's name"), IfMatch),
    request_body(content = ChannelEdit, example = json!({
        "region": "us-east-1",
        "credentials": {"type": "default_chain"},
    })),
    responses(
        ShownChannel,
        CreatedChannel,
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
    edit(
        state,
        &principal,
        &headers,
        Request::ReplaceNamed(name),
        body,
    )
    .await
}

async fn edit(
    State(app): App,
    principal: &Principal,
    headers: &HeaderMap,
    request: Request,
    body: Body,
) -> Result<Answer, Problem> {
    principal.may_edit()?;
    let author = author(principal, headers)?;
    let may_create = matches!(request, Request::ReplaceNamed(_));
    let revision = app.published.borrow().revision;
    let stored = app.channels.edit(author, request, body).await?;
    // A new channel has been edited exactly once, by this edit.
    let is_new = stored.created_at == stored.updated_at && stored.revision > revision;
    Ok(if may_create && is_new {
        Answer::created(&app, &stored)
    } else {
        Answer::new(&app, &stored)
    })
}

#[utoipa::path(
    delete,
    path = "/channels/{id}",
    operation_id = "deleteChannel",
    tag = "channels",
    summary = "Remove a channel",
    params(ChannelId, IfMatch),
    responses(
        (status = 204, description = "The channel was deleted"),
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
    app.channels.delete(author, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
