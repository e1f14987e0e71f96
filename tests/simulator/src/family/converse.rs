//! Converse and `ConverseStream`: one body for every model.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>

mod additional;
mod answer;
mod claude;
mod files;
pub(crate) mod shape;
mod support;

use serde_json::Value;

use super::blocks::{self, Mixing};
use super::{Answer, Dialect, Family, Overrides, nova};
use crate::catalog::Model;
use crate::error::AwsError;

pub(crate) use self::files::check_image;

/// The two operations, which differ in a few rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Converse {
    Plain,
    Stream,
}

impl Dialect for Converse {
    fn validate(&self, model: &Model, body: &Value) -> Result<(), AwsError> {
        let body_shape = match self {
            Self::Plain => &shape::PLAIN,
            Self::Stream => &shape::STREAM,
        };
        body_shape
            .check(body)
            .map_err(|fault| fault.on_converse())?;
        let mixing = match model.family {
            Family::Claude => Mixing::Allowed,
            _ => Mixing::Refused,
        };
        support::check_roles(model, body)?;
        blocks::check(body, mixing)?;
        files::check(model, body)?;
        support::check(model, body, *self)?;
        if model.family == Family::Nova {
            nova::check_tools(body)?;
        }
        let inner = match model.family {
            Family::Claude => claude::validate(model, body),
            _ => additional::check(model, body),
        };
        inner.map_err(|error| {
            let text = format!("The model returned the following errors: {}", error.message);
            AwsError::validation(text)
        })
    }

    fn answer(&self, model: &Model, body: &Value, overrides: &Overrides) -> Answer {
        answer::answer(model, body, overrides)
    }
}
