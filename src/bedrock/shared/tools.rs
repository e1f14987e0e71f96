//! Tools and the choice among them in terms that every model family shares.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::bedrock::ToolNames;
use crate::bedrock::dialect::encoding_failed;
use crate::chat::Error;
use crate::openai::{self, CacheControl, ChatRequest, Function, LegacyChoice, ToolChoiceMode};

/// The tools of a request, made ready for Bedrock.
pub(in crate::bedrock) struct Tools<'a> {
    pub(in crate::bedrock) list: Vec<Tool<'a>>,
    pub(in crate::bedrock) choice: Choice<'a>,
    /// Whether the model may call several at once.
    pub(in crate::bedrock) parallel: bool,
}

/// One tool.
pub(in crate::bedrock) struct Tool<'a> {
    /// The name to send; see [`ToolNames`].
    pub(in crate::bedrock) name: Cow<'a, str>,
    /// Not blank.
    pub(in crate::bedrock) description: Option<&'a str>,
    /// A JSON schema with `"type": "object"`.
    pub(in crate::bedrock) schema: Cow<'a, RawValue>,
    pub(in crate::bedrock) strict: bool,
    pub(in crate::bedrock) cache: Option<CacheControl>,
}

/// Which tools the model may or must call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::bedrock) enum Choice<'a> {
    /// The client said nothing.
    Unset,
    /// None.
    None,
    /// The model decides.
    Auto,
    /// At least one.
    Any,
    /// This one, by the name to send.
    Tool(Cow<'a, str>),
}

impl<'a> Tools<'a> {
    /// Reads `tools`, `tool_choice` and `parallel_tool_calls`, or the old `functions` and
    /// `function_call`.
    ///
    /// # Errors
    ///
    /// A 400 for tools that are no functions, broken schemas and choices of tools that are not there.
    pub(in crate::bedrock) fn of(
        request: &'a ChatRequest<'_>,
        names: &mut ToolNames,
    ) -> Result<Self, Error> {
        let mut list = Vec::new();
        for (function, cache, param) in functions(request)? {
            if is_allowed(request, &function.name) {
                list.push(Tool {
                    name: names.send(&function.name),
                    description: not_blank(function.description.as_deref()),
                    schema: schema(function, &param)?,
                    strict: function.strict == Some(true),
                    cache,
                });
            }
        }
        let choice = choice(request, &list, names)?;
        // The old API has no word for several calls at once.
        let parallel = request.parallel_tool_calls != Some(false) && request.functions.is_none();
        Ok(Self {
            list,
            choice,
            parallel,
        })
    }

    /// Whether the model must call a tool.
    pub(in crate::bedrock) fn is_forced(&self) -> bool {
        matches!(self.choice, Choice::Any | Choice::Tool(_))
    }
}

type Listed<'a> = (&'a Function<'a>, Option<CacheControl>, String);

fn functions<'a>(request: &'a ChatRequest<'_>) -> Result<Vec<Listed<'a>>, Error> {
    let mut found = Vec::new();
    for (index, tool) in request.tools.iter().flatten().enumerate() {
        let param = format!("tools[{index}]");
        if &*tool.kind != "function" {
            let message = format!(
                "Tools of type '{}' are not supported; use 'function'.",
                &*tool.kind
            );
            return Err(Error::unsupported(format!("{param}.type"), message));
        }
        let param = format!("{param}.function");
        let Some(function) = &tool.function else {
            let message = format!("Missing required parameter: '{param}'.");
            return Err(Error::invalid(param, message).code("missing_required_parameter"));
        };
        found.push((function, tool.cache_control, param));
    }
    let old = request.functions.iter().flatten().enumerate();
    found.extend(old.map(|(index, function)| (function, None, format!("functions[{index}]"))));
    Ok(found)
}

/// `tool_choice.allowed_tools` narrows the tools; Bedrock has no such field, so the others are left
/// out.
fn is_allowed(request: &ChatRequest<'_>, name: &str) -> bool {
    match &request.tool_choice {
        Some(openai::ToolChoice::Allowed(_, allowed)) => {
            allowed.iter().any(|allowed| &**allowed == name)
        }
        _ => true,
    }
}

fn not_blank(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.trim().is_empty())
}

/// The schema as the client wrote it; Bedrock insists on `"type": "object"`, OpenAI does not.
fn schema<'a>(function: &'a Function<'_>, param: &str) -> Result<Cow<'a, RawValue>, Error> {
    match function.parameters {
        Some(schema) if schema.get() != "null" && schema.get() != "{}" => {
            object_schema(schema, &format!("{param}.parameters"))
        }
        _ => owned(r#"{"type":"object","properties":{}}"#.to_owned()),
    }
}

/// A schema with `"type": "object"`, added if it has no type at all.
///
/// # Errors
///
/// A 400 at `param` when it is no JSON object.
pub(in crate::bedrock) fn object_schema<'a>(
    schema: &'a RawValue,
    param: &str,
) -> Result<Cow<'a, RawValue>, Error> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(rename = "type")]
        kind: Option<IgnoredAny>,
    }
    let invalid = || Error::invalid(param, format!("'{param}' must be a JSON schema object."));
    let rest = schema.get().strip_prefix('{').ok_or_else(invalid)?;
    let head: Head = serde_json::from_str(schema.get()).map_err(|_| invalid())?;
    match head.kind {
        Some(_) => Ok(Cow::Borrowed(schema)),
        None if rest.trim() == "}" => owned(r#"{"type":"object"}"#.to_owned()),
        None => owned(format!(r#"{{"type":"object",{}"#, rest.trim_start())),
    }
}

/// JSON that was written here.
///
/// # Errors
///
/// A 500 when it is none.
pub(in crate::bedrock) fn owned<'a>(json: String) -> Result<Cow<'a, RawValue>, Error> {
    RawValue::from_string(json)
        .map(Cow::Owned)
        .map_err(|error| encoding_failed(&error))
}

fn choice<'a>(
    request: &'a ChatRequest<'_>,
    list: &[Tool<'_>],
    names: &mut ToolNames,
) -> Result<Choice<'a>, Error> {
    let mode = |mode: ToolChoiceMode| match mode {
        ToolChoiceMode::None => Choice::None,
        ToolChoiceMode::Auto => Choice::Auto,
        ToolChoiceMode::Required => Choice::Any,
    };
    let (choice, param) = match (&request.tool_choice, &request.function_call) {
        (Some(openai::ToolChoice::Mode(own) | openai::ToolChoice::Allowed(own, _)), _) => {
            (mode(*own), "tool_choice")
        }
        (Some(openai::ToolChoice::Function(name)), _) => {
            (Choice::Tool(names.send(name)), "tool_choice")
        }
        (None, Some(LegacyChoice::Mode(own))) => (mode(*own), "function_call"),
        (None, Some(LegacyChoice::Function(name))) => {
            (Choice::Tool(names.send(name)), "function_call")
        }
        (None, None) => return Ok(Choice::Unset),
    };
    let known = match &choice {
        Choice::Tool(name) => list.iter().any(|tool| tool.name == *name),
        Choice::Any => !list.is_empty(),
        _ => true,
    };
    if !known {
        let message = format!("'{param}' asks for a tool that is not in 'tools'.");
        return Err(Error::invalid(param, message));
    }
    // Without tools there is nothing to choose, and Bedrock refuses a choice then.
    Ok(if list.is_empty() {
        Choice::Unset
    } else {
        choice
    })
}
