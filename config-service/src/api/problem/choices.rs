//! Refusals of edits of names that choose a model.

use axum::http::StatusCode;

use super::Problem;
use crate::channels::ChoiceError;

impl From<ChoiceError> for Problem {
    fn from(error: ChoiceError) -> Self {
        match error {
            ChoiceError::Syntax(error) => Self::malformed(&error),
            ChoiceError::Invalid(faults) => {
                let kind = "urn:bedrock-filter:problem:invalid-model-choice";
                Self::invalid((kind, "Invalid model choice"), "model choice", faults)
            }
            ChoiceError::NotFound(_) | ChoiceError::UnknownRevision(_) => {
                Self::not_found(error.to_string())
            }
            ChoiceError::InFile(_) => {
                let kind = "urn:bedrock-filter:problem:model-choice-in-file";
                let status = StatusCode::CONFLICT;
                Self::new(status, kind, "Model choice in the file", error.to_string())
            }
            ChoiceError::Outdated(revision) => Self::outdated("model choice", revision),
            ChoiceError::Store(error) => error.into(),
            ChoiceError::Interrupted => {
                tracing::error!("an edit of a model choice was interrupted");
                Self::internal()
            }
        }
    }
}
