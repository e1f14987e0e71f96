//! `POST /api/explain`.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::body::Body;
use super::openapi::{BadRequest, Forbidden, NotFound, TooLarge};
use super::{App, Problem};
use crate::explain::{Explanation, request_for};

/// What shall be explained: one of the first two.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Question {
    /// The name of a model.
    model: Option<String>,
    /// A whole chat request.
    #[schema(value_type = Option<Object>)]
    request: Option<Value>,
    /// Ask this channel alone, even if it is disabled, by id.
    channel: Option<String>,
}

#[utoipa::path(
    post,
    path = "/explain",
    operation_id = "explain",
    tag = "ask",
    summary = "Where a request would go, without calling AWS",
    request_body(content = Question, example = json!({"model": "claude-sonnet-4-5"})),
    responses(
        (status = 200, description = "Where it would go, and what Bedrock would get", body = Explanation),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 413, response = TooLarge),
    ),
)]
pub(super) async fn explain(State(app): App, body: Body) -> Result<Json<Explanation>, Problem> {
    let question: Question = body.json()?;
    let request = match (question.model, question.request) {
        (Some(model), None) => request_for(&model),
        (None, Some(request @ Value::Object(_))) => request,
        (None, Some(_)) => return Err(Problem::bad_request("request must be a JSON object")),
        _ => {
            return Err(Problem::bad_request(
                "the body must have either model or request",
            ));
        }
    };
    let channel = question.channel.as_deref();
    Ok(Json(app.channels.explain(&request, channel).await?))
}
