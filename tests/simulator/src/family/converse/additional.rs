//! `additionalModelRequestFields` of every family but Claude.

use serde_json::Value;

use crate::catalog::Model;
use crate::error::AwsError;
use crate::family::schema::EMPTY;
use crate::family::{Family, cohere, jamba, mistral, nova, openai};

pub(super) fn check(model: &Model, body: &Value) -> Result<(), AwsError> {
    let Some(fields) = body.get("additionalModelRequestFields") else {
        return Ok(());
    };
    let shape = match model.family {
        Family::Nova => nova::ADDITIONAL,
        Family::OpenAi => openai::Quirks::of(&model.id).additional(),
        Family::MistralPrompt => mistral::ADDITIONAL,
        Family::CommandR => cohere::ADDITIONAL,
        Family::Jamba => jamba::ADDITIONAL,
        _ => EMPTY,
    };
    shape.check_invoke(fields)?;
    match model.family {
        Family::Nova => nova::check_reasoning(model, fields.get("reasoningConfig"), body),
        _ => Ok(()),
    }
}
