//! The forms in which models write tool calls.

pub(super) mod channels;
pub(super) mod tags;
pub(super) mod tokens;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::calls::{Call, Dsml, Form, Offer};
use crate::bedrock::shared::arguments::arguments;
use crate::json::Text;

/// Any number of calls, each a name and JSON, between tokens.
pub(super) const SECTION_OF_TOKENS: Form = Form {
    open: "<|tool_calls_section_begin|>",
    closes: &["<|tool_calls_section_end|>", "<|tool_call_section_end|>"],
    parse: tokens::kimi,
    untyped: false,
};

/// The same, as the model misspells it.
pub(super) const SECTION_OF_TOKENS_SINGULAR: Form = Form {
    open: "<|tool_call_section_begin|>",
    closes: &["<|tool_call_section_end|>", "<|tool_calls_section_end|>"],
    parse: tokens::kimi,
    untyped: false,
};

/// A single call without a section around it.
pub(super) const CALL_OF_TOKENS: Form = Form {
    open: "<|tool_call_begin|>",
    closes: &["<|tool_call_end|>"],
    parse: tokens::kimi,
    untyped: false,
};

/// Invocations with parameters as text.
pub(super) const INVOCATIONS: Form = Form {
    open: "<minimax:tool_call>",
    closes: &["</minimax:tool_call>"],
    parse: tags::invoke,
    untyped: true,
};

/// JSON, a function, or a name and keys.
pub(super) const TOOL_CALL: Form = Form {
    open: "<tool_call>",
    closes: &["</tool_call>"],
    parse: tags::tool_call,
    untyped: true,
};

/// A function without the tag around it.
pub(super) const FUNCTION: Form = Form {
    open: "<function=",
    closes: &["</function>"],
    parse: tags::tool_call,
    untyped: true,
};

/// Any number of calls between tokens with wide bars.
pub(super) const SECTION_OF_WIDE_TOKENS: Form = Form {
    open: "<｜tool▁calls▁begin｜>",
    closes: &["<｜tool▁calls▁end｜>"],
    parse: tokens::sections,
    untyped: false,
};

/// Invocations in a markup language of its own.
pub(super) const DSML_FUNCTIONS: Form = Form {
    open: Dsml::FUNCTIONS.open,
    closes: &[Dsml::FUNCTIONS.close],
    parse: tags::invoke,
    untyped: true,
};

/// The same under its newer name.
pub(super) const DSML_TOOLS: Form = Form {
    open: Dsml::TOOLS.open,
    closes: &[Dsml::TOOLS.close],
    parse: tags::invoke,
    untyped: true,
};

/// JSON to the end of the text.
pub(super) const PYTHON_TAG: Form = Form {
    open: "<|python_tag|>",
    closes: &["<|eom_id|>", "<|eot_id|>", "<|eom|>", "<|eot|>"],
    parse: json,
    untyped: false,
};

/// Names with arguments, or a list of JSON.
pub(super) const TOOL_CALLS: Form = Form {
    open: "[TOOL_CALLS]",
    closes: &["</s>"],
    parse: tokens::mistral,
    untyped: false,
};

/// A list of JSON.
pub(super) const TOOLCALL: Form = Form {
    open: "<TOOLCALL>",
    closes: &["</TOOLCALL>"],
    parse: json,
    untyped: false,
};

/// A call as JSON.
#[derive(Deserialize)]
struct Written<'a> {
    #[serde(default, borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(default, borrow, alias = "parameters")]
    arguments: Option<&'a RawValue>,
}

/// Calls as JSON objects after a token: a list, or one after the other, separated by semicolons.
fn json(text: &str, offer: Offer<'_>) -> Option<Vec<Call>> {
    let text = inside(text);
    if text.starts_with('[') {
        let list: Vec<Written<'_>> = serde_json::from_str(text).ok()?;
        return some(list.iter().map(|call| call.read(offer)));
    }
    let mut calls = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Written<'_>>();
        calls.push(values.next()?.ok()?.read(offer));
        let end = values.byte_offset();
        rest = rest
            .get(end..)?
            .trim_start_matches([';', ',', ' ', '\n', '\r', '\t']);
    }
    some(calls.into_iter())
}

impl Written<'_> {
    fn read(&self, offer: Offer<'_>) -> Option<Call> {
        let own = self.arguments.map(arguments).unwrap_or_default();
        Some(Call {
            id: self.id.as_deref().map(str::to_owned),
            name: offer.name(&self.name)?.to_owned(),
            arguments: object(&own)?,
        })
    }
}

/// The calls, if there are any and all of them can be read.
fn some(calls: impl Iterator<Item = Option<Call>>) -> Option<Vec<Call>> {
    let calls: Option<Vec<_>> = calls.collect();
    calls.filter(|calls| !calls.is_empty())
}

/// The text between the opening and the closing token, if both are there: each is a word in brackets.
fn inside(text: &str) -> &str {
    let body = text.split_once(['>', ']']).map_or("", |(_, body)| body);
    let end = body.rfind(['}', ']']).map_or(0, |end| end + 1);
    body.get(..end).unwrap_or_default().trim()
}

/// JSON that is an object; an empty text is an empty one.
fn object(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() {
        return Some("{}".to_owned());
    }
    let json: &RawValue = serde_json::from_str(text).ok()?;
    json.get().starts_with('{').then(|| json.get().to_owned())
}
