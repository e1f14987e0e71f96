//! Anthropic Claude: the Messages body on `InvokeModel`.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html>

mod answer;
mod ask;
mod content;
mod generation;
mod models;
mod node;
mod parameters;
mod request;
mod stream;
mod structure;
pub(crate) mod thinking;
mod tools;
mod turns;

pub(crate) use self::models::MODELS;
pub(crate) use self::structure::fault as schema_fault;

use serde_json::Value;

use self::generation::Generation;
use super::ask::Ask;
use super::{Answer, Dialect, Overrides};
use crate::catalog::Model;
use crate::error::AwsError;

pub(crate) struct Claude;

impl Dialect for Claude {
    fn validate(&self, model: &Model, body: &Value) -> Result<(), AwsError> {
        validate(model, body)
    }

    fn answer(&self, model: &Model, body: &Value, overrides: &Overrides) -> Answer {
        answer::answer(model, body, overrides)
    }
}

/// Refuses what the model server refuses, whichever API the body came by.
///
/// # Errors
/// `ValidationException` about the first fault.
pub(crate) fn validate(model: &Model, body: &Value) -> Result<(), AwsError> {
    request::validate(model, body)
}

/// What a validated body asks for.
pub(crate) fn ask(model: &Model, body: &Value) -> Ask {
    ask::ask(body, Generation::of(&model.id))
}

/// The thinking block of the answer to a body.
pub(crate) fn thought(model_id: &str, body: &Value, text: &str) -> Value {
    let display = thinking::display(body, Generation::of(model_id));
    thinking::block(text, display.unwrap_or(thinking::Display::Summarized))
}

/// Whether `CountTokens` knows a model.
pub(crate) fn counts(model_id: &str) -> bool {
    Generation::of(model_id).is_counted()
}

/// Whether `system` may be the role of a message.
pub(crate) fn takes_system_role(model_id: &str) -> bool {
    Generation::of(model_id).takes_system_role()
}
