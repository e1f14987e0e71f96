//! The body of `POST /v1/responses`.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::object::{Object, Place, elements};
use crate::chat::Error;
use crate::json::{self, Text};
use crate::protocol::openai::arguments::Arguments;
use crate::protocol::openai::content::{Content, Part};
use crate::protocol::openai::fault;
use crate::protocol::openai::options::{GuardrailConfig, PerformanceConfig};

/// A request; strings borrow from the body. What only has to be there, or is repeated, stays raw JSON.
///
/// Parameters that mean nothing here have no field, see [`mod@super::params`].
pub(super) struct Body<'a> {
    pub(super) model: Option<Text<'a>>,
    /// A text, or an array of items.
    pub(super) input: Option<&'a RawValue>,
    pub(super) instructions: Option<Text<'a>>,
    pub(super) background: Option<bool>,
    pub(super) background_options: Option<&'a RawValue>,
    pub(super) conversation: Option<&'a RawValue>,
    pub(super) guardrail: Option<GuardrailConfig<'a>>,
    pub(super) include: Option<&'a RawValue>,
    pub(super) max_output_tokens: Option<u32>,
    pub(super) metadata: Option<&'a RawValue>,
    pub(super) parallel_tool_calls: Option<bool>,
    pub(super) performance: Option<PerformanceConfig<'a>>,
    pub(super) previous_response_id: Option<&'a RawValue>,
    pub(super) prompt: Option<&'a RawValue>,
    pub(super) prompt_cache_key: Option<&'a RawValue>,
    pub(super) prompt_cache_retention: Option<&'a RawValue>,
    pub(super) reasoning: Option<&'a RawValue>,
    pub(super) safety_identifier: Option<&'a RawValue>,
    pub(super) service_tier: Option<Text<'a>>,
    pub(super) stream: Option<bool>,
    pub(super) temperature: Option<f64>,
    pub(super) text: Option<&'a RawValue>,
    pub(super) tool_choice: Option<&'a RawValue>,
    pub(super) tools: Option<&'a RawValue>,
    pub(super) top_logprobs: Option<u32>,
    pub(super) top_p: Option<f64>,
    pub(super) user: Option<Text<'a>>,
    /// Every name that it has.
    pub(super) names: Vec<Cow<'a, str>>,
}

impl<'a> Body<'a> {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// A 400 that names the parameter.
    pub(super) fn read(text: &'a [u8]) -> Result<Self, Error> {
        let own = Object::of_body(text)?;
        Ok(Self {
            model: own.text("model")?,
            input: own.get("input"),
            instructions: own.text("instructions")?,
            background: own.flag("background")?,
            background_options: own.get("background_options"),
            conversation: own.get("conversation"),
            guardrail: own.value("guardrailConfig")?,
            include: own.get("include"),
            max_output_tokens: own.number("max_output_tokens")?,
            metadata: own.get("metadata"),
            parallel_tool_calls: own.flag("parallel_tool_calls")?,
            performance: own.value("performanceConfig")?,
            previous_response_id: own.get("previous_response_id"),
            prompt: own.get("prompt"),
            prompt_cache_key: own.get("prompt_cache_key"),
            prompt_cache_retention: own.get("prompt_cache_retention"),
            reasoning: own.get("reasoning"),
            safety_identifier: own.get("safety_identifier"),
            service_tier: own.text("service_tier")?,
            stream: own.flag("stream")?,
            temperature: own.fraction("temperature")?,
            text: own.get("text"),
            tool_choice: own.get("tool_choice"),
            tools: own.get("tools"),
            top_logprobs: own.number("top_logprobs")?,
            top_p: own.fraction("top_p")?,
            user: own.text("user")?,
            names: own.into_names().collect(),
        })
    }
}

/// One item: <https://platform.openai.com/docs/api-reference/responses/create#responses-create-input>.
pub(super) struct Item<'a> {
    own: Object<'a>,
    pub(super) kind: Option<Text<'a>>,
    pub(super) role: Option<Text<'a>>,
}

impl<'a> Item<'a> {
    /// Reads the beginning of an item.
    ///
    /// # Errors
    ///
    /// A 400 for what is not an object with a type.
    pub(super) fn read(json: &'a RawValue, index: usize) -> Result<Self, Error> {
        let own = Object::read(json, Place::Item(index))?;
        Ok(Self {
            kind: own.text("type")?,
            role: own.text("role")?,
            own,
        })
    }

    /// Any member.
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.own.get(name)
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Result<Option<Text<'a>>, Error> {
        self.own.text(name)
    }

    /// A text that is required.
    pub(super) fn needed_text(&self, name: &str) -> Result<Text<'a>, Error> {
        self.own.needed_text(name)
    }

    /// The path of a member.
    pub(super) fn path(&self, name: &str) -> String {
        self.own.path(name)
    }

    /// A text or parts.
    pub(super) fn content(&self, name: &str) -> Result<Option<Content<'a>>, Error> {
        let Some(json) = self.own.get(name) else {
            return Ok(None);
        };
        if json.get().starts_with('"')
            && let Ok(text) = Text::from_json(json)
        {
            return Ok(Some(Content::Text(text)));
        }
        if let Some(content) = json::read(json.get()) {
            return Ok(Some(content));
        }
        let path = self.own.path(name);
        if json.get().starts_with('[') {
            let parts: Vec<Part<'a>> = fault::inner(json, &path)?;
            return Ok(Some(Content::Parts(parts)));
        }
        fault::inner(json, &path).map(Some)
    }

    /// The arguments of a call.
    pub(super) fn arguments(&self) -> Result<Option<Arguments<'a>>, Error> {
        self.own.value("arguments")
    }
}

/// The items of an input that is not a text.
///
/// # Errors
///
/// A 400 for what is neither.
pub(super) fn items(json: &RawValue) -> Result<Vec<&RawValue>, Error> {
    if json.get().starts_with('[') {
        return elements(json, "input");
    }
    let message = "'input' must be a string or an array of input items.";
    Err(Error::invalid("input", message))
}
