//! Anthropic Claude: the Messages body on `InvokeModel`.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html>

mod answer;
mod content;
mod generation;
mod models;
mod node;
mod parameters;
mod plan;
mod request;
mod stream;
mod tools;
mod turns;

pub(crate) use self::models::MODELS;

use serde_json::Value;

use super::{Answer, Dialect, Overrides};
use crate::catalog::Model;
use crate::error::AwsError;

pub(crate) struct Claude;

impl Dialect for Claude {
    fn validate(&self, model: &Model, body: &Value) -> Result<(), AwsError> {
        request::validate(model, body)
    }

    fn answer(&self, model: &Model, body: &Value, overrides: &Overrides) -> Answer {
        answer::answer(model, body, overrides)
    }
}
