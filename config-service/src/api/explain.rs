//! `POST /api/explain`.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::Value;

use super::body::Body;
use super::{App, Problem};
use crate::explain::{Explanation, request_for};

/// What shall be explained: one of the first two.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    /// The name of a model.
    model: Option<String>,
    /// A whole chat request.
    request: Option<Value>,
    /// Ask this channel alone, even if it is disabled, by id.
    channel: Option<String>,
}

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
