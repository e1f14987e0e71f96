//! Tools and the choice among them.

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
}

/// Which tools the model may or must call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ToolChoice<'a> {
    /// The client said nothing.
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
