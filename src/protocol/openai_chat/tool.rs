//! Tools.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::Text;
use crate::protocol::openai::content::CacheControl;
use crate::protocol::openai::free_text;

/// A tool that the model may call.
///
/// Flat over the forms in which clients send it: OpenAI's own has a `function`; those of its Responses API and of
/// Anthropic's have what is in it beside the type, which Anthropic's may lack.
#[derive(Clone, Debug, Deserialize)]
pub struct Tool<'a> {
    /// `function` or `custom`, which is also Anthropic's word for what has a schema; other kinds have no counterpart on
    /// Bedrock.
    #[serde(default, rename = "type", borrow)]
    pub kind: Option<Text<'a>>,
    /// Of OpenAI's `function` tools.
    #[serde(default, borrow)]
    pub function: Option<Function<'a>>,
    /// Of OpenAI's `custom` tools.
    #[serde(default, borrow)]
    pub custom: Option<Custom<'a>>,
    /// Of the flat forms, like all that follows but the last.
    #[serde(default, borrow)]
    pub name: Option<Text<'a>>,
    /// What it does.
    #[serde(default, borrow)]
    pub description: Option<Text<'a>>,
    /// JSON schema of its arguments, in Responses.
    #[serde(default, borrow)]
    pub parameters: Option<&'a RawValue>,
    /// The same, in Anthropic's API.
    #[serde(default, borrow)]
    pub input_schema: Option<&'a RawValue>,
    /// What the text of a `custom` tool looks like, in Responses.
    #[serde(default, borrow)]
    pub format: Option<Format<'a>>,
    /// Whether arguments must fit the schema exactly.
    #[serde(default)]
    pub strict: Option<bool>,
    /// Extension: ends a prefix of the request that the model may cache.
    #[serde(default)]
    pub cache_control: Option<CacheControl>,
}

impl Tool<'_> {
    /// Whether the model gives it free text. Anthropic's tools of that type have a schema.
    #[must_use]
    pub fn takes_free_text(&self) -> bool {
        self.kind.as_deref() == Some("custom") && self.input_schema.is_none()
    }

    /// The name of a tool that takes free text.
    pub(super) fn name_for_free_text(&self) -> Option<&str> {
        let name = self
            .custom
            .as_ref()
            .map(|own| &own.name)
            .or(self.name.as_ref());
        name.filter(|_| self.takes_free_text()).map(|name| &**name)
    }
}

/// A tool that takes free text.
#[derive(Clone, Debug, Deserialize)]
pub struct Custom<'a> {
    /// Name of the tool.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// What it does.
    #[serde(default, borrow)]
    pub description: Option<Text<'a>>,
    /// What the text looks like.
    #[serde(default, borrow)]
    pub format: Option<Format<'a>>,
}

/// What the text of a tool looks like: anything, or what fits a grammar, which Responses has beside the type.
#[derive(Clone, Debug, Deserialize)]
pub struct Format<'a> {
    /// The grammar.
    #[serde(default, borrow)]
    pub grammar: Option<Grammar<'a>>,
    /// In Responses, its language.
    #[serde(default, borrow)]
    pub syntax: Option<Text<'a>>,
    /// In Responses, its definition.
    #[serde(default, borrow)]
    pub definition: Option<Text<'a>>,
}

/// A grammar.
#[derive(Clone, Debug, Deserialize)]
pub struct Grammar<'a> {
    /// The language of the definition: `lark` or `regex`.
    #[serde(default, borrow)]
    pub syntax: Option<Text<'a>>,
    /// The definition.
    #[serde(borrow)]
    pub definition: Text<'a>,
}

impl Format<'_> {
    /// The grammar, wherever it stands.
    pub(super) fn grammar(&self) -> Option<free_text::Grammar<'_>> {
        let own = self.grammar.as_ref();
        let own = own.map(|own| (own.syntax.as_deref(), &*own.definition));
        let flat = self.definition.as_deref();
        let flat = flat.map(|definition| (self.syntax.as_deref(), definition));
        own.or(flat)
            .map(|(syntax, definition)| free_text::Grammar { syntax, definition })
    }
}

/// A function that the model may call.
#[derive(Clone, Debug, Deserialize)]
pub struct Function<'a> {
    /// Name of the function.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// What it does.
    #[serde(default, borrow)]
    pub description: Option<Text<'a>>,
    /// JSON schema of its arguments, kept as it was written.
    #[serde(default, borrow)]
    pub parameters: Option<&'a RawValue>,
    /// Whether arguments must fit the schema exactly.
    #[serde(default)]
    pub strict: Option<bool>,
}
