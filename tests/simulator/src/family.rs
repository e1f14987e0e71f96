//! The registry of model families.
//!
//! A new family is one module with a [`Dialect`], one variant of [`Family`]
//! and its rows in the catalogue.

pub(crate) mod claude;

use serde_json::Value;

use crate::catalog::Model;
use crate::error::AwsError;

/// What one family refuses and answers.
pub(crate) trait Dialect: Sync {
    /// Refuses what AWS refuses.
    ///
    /// # Errors
    /// The `ValidationException` AWS would answer with.
    fn validate(&self, model: &Model, body: &Value) -> Result<(), AwsError>;

    /// The deterministic answer to a body that was validated.
    fn answer(&self, model: &Model, body: &Value, overrides: &Overrides) -> Answer;
}

/// What a fault changes in an otherwise normal answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Overrides {
    /// The text of a guardrail that intervened.
    pub(crate) guardrail: Option<String>,
    pub(crate) cache_read: u64,
    pub(crate) cache_write: u64,
}

/// One answer in both forms.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    /// Body of `InvokeModel`.
    pub(crate) body: Value,
    /// Events of `InvokeModelWithResponseStream`, in order.
    pub(crate) events: Vec<Value>,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
}

/// The model families the simulator speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Claude,
}

impl Family {
    pub(crate) fn dialect(self) -> &'static dyn Dialect {
        match self {
            Self::Claude => &claude::Claude,
        }
    }
}
