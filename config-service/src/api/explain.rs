//! `POST /api/explain`.

use axum::Json;
use axum::extract::State;
use bedrock_filter::config::ProtocolName;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::body::Body;
use super::openapi::{BadRequest, Forbidden, NotFound, TooLarge};
use super::{App, Problem};
use crate::explain::{Explanation, request_for};

/// What to explain; exactly one of the first two is given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Question {
    /// The name of a model.
    model: Option<String>,
    /// A whole request.
    #[schema(value_type = Option<Object>)]
    request: Option<Value>,
    /// What the client speaks: `openai_chat` (if it is absent), `openai_responses` or `anthropic_messages`.
    #[schema(value_type = Option<String>)]
    protocol: Option<ProtocolName>,
    /// Ask only the channel with this id, even if it is disabled.
    channel: Option<String>,
    /// Name of the caller that asks, with what it may use and what is set for its requests. Without it, nobody in
    /// particular asks, or the gateway itself where every client needs a key.
    caller: Option<String>,
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
    let protocol = question.protocol.unwrap_or_default();
    let request = match (question.model, question.request) {
        (Some(model), None) => request_for(protocol, &model),
        (None, Some(request @ Value::Object(_))) => request,
        (None, Some(_)) => return Err(Problem::bad_request("request must be a JSON object")),
        _ => {
            return Err(Problem::bad_request(
                "the body must have either model or request",
            ));
        }
    };
    let channel = question.channel.as_deref();
    let caller = question.caller.as_deref();
    let explanation = app
        .channels
        .explain((protocol, &request), channel, caller)
        .await?;
    Ok(Json(explanation))
}
