//! Tools, and the choice between them.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::CacheControl;
use crate::json::Text;

/// A tool that the model may call.
#[derive(Clone, Debug)]
pub struct Tool<'a> {
    /// Its name.
    pub name: Text<'a>,
    /// What it does.
    pub description: Option<Text<'a>>,
    /// JSON schema of its arguments, an object, kept as it was written.
    pub parameters: Option<&'a RawValue>,
    /// Whether arguments must fit the schema exactly.
    pub strict: bool,
    /// Ends a prefix of the request that the model may cache.
    pub cache: Option<CacheControl>,
    /// Its definition in the words of the vendor whose models were made for it. Such a tool has no description and no
    /// schema, and only that vendor's dialect can offer it.
    pub native: Option<Definition<'a>>,
}

/// The members of a definition, in their order.
pub type Definition<'a> = Vec<(Cow<'a, str>, Cow<'a, RawValue>)>;

/// Which tools the model may or must call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ToolChoice<'a> {
    /// The client did not say.
    #[default]
    Unset,
    /// None.
    None,
    /// The model decides.
    Auto,
    /// At least one.
    Required,
    /// This one.
    Tool(Text<'a>),
}

impl ToolChoice<'_> {
    /// Whether the model must call a tool.
    #[must_use]
    pub fn is_forced(&self) -> bool {
        matches!(self, Self::Required | Self::Tool(_))
    }
}
