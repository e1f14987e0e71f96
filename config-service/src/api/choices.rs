//! `/api/model-choices`: names that choose a model.

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
use crate::history::ChoiceEntry;
use crate::model_choice::{ChoiceView, ModelChoiceSchema};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(list))
        .routes(routes!(show, put, remove))
        .routes(routes!(history))
        .routes(routes!(roll_back))
}

/// All names that choose.
#[derive(Serialize, ToSchema)]
struct ModelChoiceList {
    /// The published revision.
    revision: u64,
    /// In their order.
    model_choices: Vec<ChoiceView>,
}

/// What a name is to choose from.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what the reader of edits reads")]
struct ModelChoiceEdit {
    /// Models in order, weights, or rules.
    #[schema(value_type = ModelChoiceSchema)]
    choice: ModelChoiceSchema,
}

/// Edits of a name that chooses, newest first.
#[derive(Serialize, ToSchema)]
struct ModelChoiceHistory {
    /// The entries of this page.
    entries: Vec<ChoiceEntry>,
    /// Pass this as `before` to get the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64, required = false)]
    next_before: Option<u64>,
}

/// The path parameter of their routes.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only the document reads it")]
struct ChoiceName {
    /// The name, as clients ask for it
    name: String,
}

/// A name that chooses, with its entity tag.
struct Answer(StatusCode, ChoiceView);

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let Self(status, view) = self;
        let name =
            percent_encoding::utf8_percent_encode(&view.name, percent_encoding::NON_ALPHANUMERIC);
        let place = HeaderValue::try_from(format!("/api/model-choices/{name}")).ok();
        let tag = view.revision.map(etag::of);
        let mut response = (status, Json(view)).into_response();
        response.headers_mut().extend(tag);
        if let (StatusCode::CREATED, Some(place)) = (status, place) {
            response.headers_mut().insert(header::LOCATION, place);
        }
        response
    }
}

#[utoipa::path(
    get,
    path = "/model-choices",
    operation_id = "listModelChoices",
    tag = "model choices",
    summary = "All names that choose a model",
    responses(
        (status = 200, description = "The names", body = ModelChoiceList),
        (status = 403, response = Forbidden),
    ),
)]
async fn list(State(app): App) -> Result<Json<ModelChoiceList>, Problem> {
    let (revision, model_choices) = app.channels.choices().await?;
    Ok(Json(ModelChoiceList {
        revision,
        model_choices,
    }))
}

#[utoipa::path(
    get,
    path = "/model-choices/{name}",
    operation_id = "getModelChoice",
    tag = "model choices",
    summary = "One name that chooses a model",
    params(ChoiceName),
    responses(
        (status = 200, description = "What the name chooses from", body = ChoiceView,
            headers(("etag" = String, description = "Entity tag, for If-Match; none if it comes from the file"))),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
    ),
)]
async fn show(State(app): App, Path(name): Path<String>) -> Result<Answer, Problem> {
    Ok(Answer(StatusCode::OK, app.channels.choice(&name).await?))
}

#[utoipa::path(
    put,
    path = "/model-choices/{name}",
    operation_id = "putModelChoice",
    tag = "model choices",
    summary = "Make a name choose a model, or replace what it chooses from",
    params(ChoiceName, IfMatch),
    request_body(content = ModelChoiceEdit, example = json!({"choice": {
        "rules": [
            {"when": {"tag": "high"}, "use": "claude-sonnet-4-5"},
            {"when": {"images": true}, "use": "nova-pro"},
        ],
        "else": "nova-lite",
    }})),
    responses(
        (status = 200, description = "What the name chooses from", body = ChoiceView,
            headers(("etag" = String, description = "Entity tag, for If-Match"))),
        (status = 201, description = "What the name, which is new, chooses from; location has its address",
            body = ChoiceView,
            headers(("etag" = String, description = "Entity tag, for If-Match"),
                ("location" = String, description = "Address of the name"))),
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
    let (view, is_new) = app.channels.put_choice(author, name, body).await?;
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok(Answer(status, view))
}

#[utoipa::path(
    delete,
    path = "/model-choices/{name}",
    operation_id = "deleteModelChoice",
    tag = "model choices",
    summary = "End that a name chooses a model",
    params(ChoiceName, IfMatch),
    responses(
        (status = 204, description = "The name no longer chooses"),
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
    app.channels.delete_choice(author, name).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(
    get,
    path = "/model-choices/{name}/history",
    operation_id = "listModelChoiceHistory",
    tag = "history",
    summary = "The history of a name that chooses a model",
    params(ChoiceName, Page),
    responses(
        (status = 200, description = "The edits of the page", body = ModelChoiceHistory),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
    ),
)]
async fn history(
    State(app): App,
    Path(name): Path<String>,
    Query(page): Query<Page>,
) -> Result<Json<ModelChoiceHistory>, Problem> {
    let found = app
        .channels
        .choice_history(&name, page.before, page.sought()?);
    let (entries, next_before) = page.cut(found.await?, |own| own.revision);
    Ok(Json(ModelChoiceHistory {
        entries,
        next_before,
    }))
}

#[utoipa::path(
    post,
    path = "/model-choices/{name}/rollback",
    operation_id = "rollBackModelChoice",
    tag = "history",
    summary = "Restore what a name chose from after a revision, also if it was deleted since",
    params(ChoiceName, IfMatch),
    request_body(content = RollBack, example = json!({"revision": 7})),
    responses(
        (status = 200, description = "What the name chooses from", body = ChoiceView,
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
    let view = app
        .channels
        .roll_back_choice(author, name, revision)
        .await?;
    Ok(Answer(StatusCode::OK, view))
}
