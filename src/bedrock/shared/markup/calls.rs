//! Tool calls in markup: their forms, and what is needed to read them.

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::bedrock::ToolNames;
use crate::bedrock::shared::tool_names::ANSWER_TOOL;
use crate::chat::Request;

/// One way to write tool calls.
#[derive(Debug)]
pub(super) struct Form {
    /// Begins them.
    pub(super) open: &'static str,
    /// Any of these ends them; so does the end of the text.
    pub(super) closes: &'static [&'static str],
    /// Reads them, from the opening token to the closing one.
    pub(super) parse: Parse,
    /// Whether it does not tell strings from other values.
    pub(super) untyped: bool,
}

/// Reads calls; `None` if the text is not what it seems to be, or calls a tool that was not offered.
pub(super) type Parse = fn(&str, Offer<'_>) -> Option<Vec<Call>>;

/// A tool call that was written in markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::bedrock) struct Call {
    /// The model's own id, if it gave one.
    pub(in crate::bedrock) id: Option<String>,
    /// The client's name of the tool.
    pub(in crate::bedrock) name: String,
    /// A JSON object.
    pub(in crate::bedrock) arguments: String,
}

/// What the model may call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer<'o> {
    pub(super) names: &'o ToolNames,
    pub(super) schemas: &'o Schemas,
}

impl<'o> Offer<'o> {
    /// The client's name of a tool, if it was offered.
    pub(super) fn name<'n>(&self, name: &'n str) -> Option<&'n str>
    where
        'o: 'n,
    {
        if self.names.is_answer(name) {
            return Some(ANSWER_TOOL);
        }
        self.names.callable(name)
    }
}

/// Schemas of the client's tools.
#[derive(Clone, Debug, Default)]
pub(in crate::bedrock) struct Schemas(Rc<[(Box<str>, Box<RawValue>)]>);

impl Schemas {
    pub(super) fn of(request: &Request<'_>) -> Self {
        let tools = request.tools.iter();
        let known = tools.filter_map(|tool| Some((&*tool.name, tool.parameters?)));
        Self(
            known
                .map(|(name, schema)| (name.into(), schema.to_owned()))
                .collect(),
        )
    }

    #[cfg(test)]
    pub(super) fn for_test(name: &str, schema: &str) -> Self {
        let schema = RawValue::from_string(schema.to_owned()).unwrap();
        Self([(name.into(), schema)].into())
    }

    /// The properties of a tool's arguments.
    pub(super) fn properties(&self, name: &str) -> Value {
        let schema = self.0.iter().find(|(own, _)| **own == *name);
        let schema = schema.and_then(|(_, schema)| serde_json::from_str(schema.get()).ok());
        let mut schema: Value = schema.unwrap_or_default();
        schema
            .get_mut("properties")
            .map(Value::take)
            .unwrap_or_default()
    }
}

/// A pair of tags of `DeepSeek`'s own markup language.
#[derive(Debug)]
pub(super) struct Dsml {
    pub(super) open: &'static str,
    pub(super) close: &'static str,
}

impl Dsml {
    /// The part that all of its tags contain.
    const MARK: &'static str = "｜DSML｜";

    pub(super) const FUNCTIONS: Self = Self {
        open: "<｜DSML｜function_calls>",
        close: "</｜DSML｜function_calls>",
    };

    pub(super) const TOOLS: Self = Self {
        open: "<｜DSML｜tool_calls>",
        close: "</｜DSML｜tool_calls>",
    };

    /// The text with plain tags in place of these.
    pub(super) fn plain(text: &str) -> Cow<'_, str> {
        if text.contains(Self::MARK) {
            text.replace(Self::MARK, "").into()
        } else {
            text.into()
        }
    }
}
