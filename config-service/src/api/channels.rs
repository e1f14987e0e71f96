//! `/api/channels`.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Extension, Json, Router};

use super::body::Body;
use super::list::{ChannelList, Filter};
use super::query::Query;
use super::{App, AppState, Principal, Problem, etag};
use crate::channel::{ChannelView, StoredChannel};
use crate::channels::{Author, Request};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/channels", get(list).post(create))
        .route(
            "/channels/{id}",
            get(show).put(replace).patch(patch).delete(remove),
        )
        .route("/channels/by-name/{name}", put(replace_named))
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

/// Who edits, and what they know of the channel.
pub(super) fn author(principal: &Principal, headers: &HeaderMap) -> Result<Author, Problem> {
    Ok(Author {
        name: principal.name.clone(),
        expects: etag::if_match(headers)?,
    })
}

async fn list(State(app): App, Query(filter): Query<Filter>) -> Result<Json<ChannelList>, Problem> {
    let contents = app.channels.list().await?;
    let page = filter.page(&contents)?;
    Ok(Json(page.view(&app.channels)))
}

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

async fn show(State(app): App, Path(id): Path<String>) -> Result<Answer, Problem> {
    let stored = app.channels.get(&id).await?;
    Ok(Answer::new(&app, &stored))
}

async fn replace(
    state: App,
    principal: Extension<Principal>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer, Problem> {
    edit(state, &principal, &headers, Request::Replace(id), body).await
}

async fn patch(
    state: App,
    principal: Extension<Principal>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer, Problem> {
    edit(state, &principal, &headers, Request::Patch(id), body).await
}

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
    // A channel that is new has been edited once, by this edit.
    let is_new = stored.created_at == stored.updated_at && stored.revision > revision;
    Ok(if may_create && is_new {
        Answer::created(&app, &stored)
    } else {
        Answer::new(&app, &stored)
    })
}

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
