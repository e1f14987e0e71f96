//! From OpenAI's request to the chat vocabulary.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::conversation::{mark_end, messages, system};
use super::format::ResponseFormat;
use super::params::asked;
use super::request::ChatRequest;
use super::tool::{self, Custom, Format, Function};
use super::tool_choice::{self, LegacyChoice, ToolChoiceMode};
use crate::chat::{
    EndUser, Error, JsonSchema, Message, OutputFormat, Request, Sampling, Thinking, ThinkingMode,
    Tool, ToolChoice,
};
use crate::json::Text;
use crate::protocol::openai::error::missing;
use crate::protocol::openai::fault;
use crate::protocol::openai::free_text;
use crate::protocol::openai::options::guardrail;
use crate::protocol::openai::tool::{drop_repeated, must_be_object, schema};
use crate::protocol::openai::value::{label, whole, word};

impl<'a> ChatRequest<'a> {
    /// The request in terms that belong to no protocol.
    ///
    /// # Errors
    ///
    /// A 400 for what the vocabulary has no word for, or what contradicts itself.
    pub(super) fn into_request(mut self: Box<Self>) -> Result<Box<Request<'a>>, Error> {
        let asked = asked(&self);
        let reasoning = self.reasoning(self.thinking.map(thinking).transpose()?);
        // The old API cannot express several calls at once.
        let parallel_tool_calls =
            self.parallel_tool_calls != Some(false) && self.functions.is_none();
        let (tool_choice, allowed_tools) =
            tool_choice(self.tool_choice.take(), self.function_call.take());
        let mut tools = Vec::new();
        for (index, tool) in self.tools.take().into_iter().flatten().enumerate() {
            tools.push(tool_of(tool, &format!("tools[{index}]"))?);
        }
        for (index, function) in self.functions.take().into_iter().flatten().enumerate() {
            tools.push(function_of(function, &format!("functions[{index}]"))?);
        }
        drop_repeated(&mut tools);
        Ok(Box::new(Request {
            model: self.model.take().unwrap_or_default(),
            messages: self.conversation()?,
            tools,
            tool_choice,
            allowed_tools,
            parallel_tool_calls,
            output: output(self.response_format.take())?,
            max_output: self.max_completion_tokens.or(self.max_tokens),
            sampling: Sampling {
                temperature: self.temperature,
                top_p: self.top_p,
                top_k: self.top_k,
                seed: self.seed,
                frequency_penalty: self.frequency_penalty,
                presence_penalty: self.presence_penalty,
            },
            stop: self
                .stop
                .take()
                .or(self.stop_sequences.take())
                .unwrap_or_default(),
            reasoning,
            stream: self.stream.unwrap_or(false),
            user: self.user.take().map(EndUser::Any),
            beta_features: self.anthropic_beta.take().unwrap_or_default(),
            guardrail: self.guardrail.take().map(guardrail),
            latency: self.performance.take().map(|own| own.latency),
            labels: BTreeMap::new(),
            service_tier: self.service_tier.take(),
            metadata: self
                .metadata
                .take()
                .into_iter()
                .flatten()
                .filter_map(label)
                .collect(),
            asked,
            unknown: std::mem::take(&mut self.unknown),
            left_out: Vec::new(),
            source: self.source,
            drops_unknown_betas: false,
            context_edits: None,
        }))
    }

    /// The messages, with what stands beside them and belongs to them.
    fn conversation(&mut self) -> Result<Vec<Message<'a>>, Error> {
        let mut conversation = messages(self.messages.take().unwrap_or_default())?;
        if let Some(content) = self.system.take() {
            conversation.insert(0, system(content)?);
        }
        if let Some(mark) = self.cache_control {
            mark_end(&mut conversation, mark.into());
        }
        Ok(conversation)
    }
}

fn tool_of<'a>(tool: tool::Tool<'a>, path: &str) -> Result<Tool<'a>, Error> {
    if tool.takes_free_text() {
        return custom_of(tool, path);
    }
    if !matches!(tool.kind.as_deref(), None | Some("function" | "custom")) {
        let message = format!(
            "Tools of type '{}' are not supported; use 'function' or 'custom'.",
            tool.kind.as_deref().unwrap_or_default()
        );
        return Err(Error::unsupported(format!("{path}.type"), message));
    }
    let cache = tool.cache_control.map(Into::into);
    let read = match (tool.function, tool.name) {
        (Some(function), _) => function_of(function, &format!("{path}.function"))?,
        (None, Some(name)) => {
            if let Some(schema) = schema(tool.input_schema) {
                must_be_object(schema, || format!("{path}.input_schema"))?;
            }
            let function = Function {
                name,
                description: tool.description,
                parameters: tool.parameters.or(tool.input_schema),
                strict: tool.strict,
            };
            function_of(function, path)?
        }
        (None, None) if tool.kind.is_none() => return Err(missing(format!("{path}.type"))),
        (None, None) => return Err(missing(format!("{path}.function"))),
    };
    Ok(Tool { cache, ..read })
}

/// A tool that takes free text: one text, for models.
fn custom_of<'a>(tool: tool::Tool<'a>, path: &str) -> Result<Tool<'a>, Error> {
    let own = match (tool.custom, tool.name) {
        (Some(own), _) => own,
        (None, Some(name)) => Custom {
            name,
            description: tool.description,
            format: tool.format,
        },
        (None, None) => return Err(missing(format!("{path}.custom"))),
    };
    let grammar = own.format.as_ref().and_then(Format::grammar);
    Ok(Tool {
        name: own.name,
        description: Some(free_text::description(own.description.as_deref(), grammar)),
        parameters: free_text::schema(),
        strict: false,
        native: None,
        cache: tool.cache_control.map(Into::into),
    })
}

fn function_of<'a>(function: Function<'a>, path: &str) -> Result<Tool<'a>, Error> {
    let parameters = schema(function.parameters);
    if let Some(parameters) = parameters {
        must_be_object(parameters, || format!("{path}.parameters"))?;
    }
    Ok(Tool {
        name: function.name,
        description: function.description,
        parameters,
        strict: function.strict == Some(true),
        cache: None,
        native: None,
    })
}

/// The choice, and the tools that it is among if not all; the newer parameter wins.
fn tool_choice<'a>(
    new: Option<tool_choice::ToolChoice<'a>>,
    old: Option<LegacyChoice<'a>>,
) -> (ToolChoice<'a>, Option<Vec<Text<'a>>>) {
    let mode = |mode: ToolChoiceMode| match mode {
        ToolChoiceMode::None => ToolChoice::None,
        ToolChoiceMode::Auto => ToolChoice::Auto,
        ToolChoiceMode::Required => ToolChoice::Required,
    };
    match (new, old) {
        (Some(tool_choice::ToolChoice::Mode(own)), _) | (None, Some(LegacyChoice::Mode(own))) => {
            (mode(own), None)
        }
        (Some(tool_choice::ToolChoice::Function(name)), _)
        | (None, Some(LegacyChoice::Function(name))) => (ToolChoice::Tool(name), None),
        (Some(tool_choice::ToolChoice::Allowed(own, names)), _) => (mode(own), Some(names)),
        (None, None) => (ToolChoice::Unset, None),
    }
}

fn output(format: Option<ResponseFormat<'_>>) -> Result<OutputFormat<'_>, Error> {
    const SCHEMA: &str = "response_format.json_schema.schema";
    let format = match format {
        None | Some(ResponseFormat::Text) => return Ok(OutputFormat::Text),
        Some(ResponseFormat::JsonObject) => return Ok(OutputFormat::JsonObject),
        Some(ResponseFormat::JsonSchema(format)) => format,
    };
    let Some(schema) = format.schema else {
        return Err(missing(SCHEMA.to_owned()));
    };
    must_be_object(schema, || SCHEMA.to_owned())?;
    Ok(OutputFormat::JsonSchema(JsonSchema {
        name: format.name,
        description: format.description,
        schema,
        strict: format.strict == Some(true),
    }))
}

/// Claude's own `thinking` object.
fn thinking(json: &RawValue) -> Result<Thinking, Error> {
    #[derive(Deserialize)]
    struct Object {
        #[serde(rename = "type", deserialize_with = "word")]
        kind: Kind,
        #[serde(default, deserialize_with = "whole")]
        budget_tokens: Option<u32>,
        #[serde(default)]
        display: Option<String>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Enabled,
        Adaptive,
        Disabled,
    }

    let object: Object = fault::inner(json, "thinking")?;
    Ok(Thinking {
        mode: match object.kind {
            Kind::Enabled => ThinkingMode::Enabled,
            Kind::Adaptive => ThinkingMode::Adaptive,
            Kind::Disabled => ThinkingMode::Disabled,
        },
        budget_tokens: object.budget_tokens,
        display: object.display,
        is_hint: false,
    })
}
