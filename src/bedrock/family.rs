//! Model families: the registry that maps a family to its code.

use serde::{Deserialize, Serialize};

use super::{Dialect, anthropic};
use crate::catalog::strip_profile;

/// A group of models that Bedrock serves with the same request and response bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelFamily {
    /// Anthropic Claude, Messages API bodies.
    Anthropic,
}

impl ModelFamily {
    /// The family of a base model id or inference profile id, read off its vendor.
    #[must_use]
    pub fn of_model_id(id: &str) -> Option<Self> {
        let id = strip_profile(id);
        id.starts_with("anthropic.claude-")
            .then_some(Self::Anthropic)
    }

    /// The only place that maps a family to its code.
    #[must_use]
    pub fn dialect(self) -> &'static dyn Dialect {
        match self {
            Self::Anthropic => &anthropic::Messages,
        }
    }
}
