//! Tools and the choice among them in terms that every model family shares.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::bedrock::ToolNames;
use crate::bedrock::dialect::encoding_failed;
use crate::chat::{self, CacheControl, Error, Param, Request, ToolChoice};

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
    /// The tools that the model may call, and the choice among them.
    ///
    /// # Errors
    ///
    /// A 400 for a choice of tools that are not there.
    pub(in crate::bedrock) fn of(
        request: &'a Request<'_>,
        names: &mut ToolNames,
    ) -> Result<Self, Error> {
        let mut list = Vec::with_capacity(request.tools.len());
        for tool in request.tools.iter().filter(|own| is_allowed(request, own)) {
            names.offer(&tool.name);
            list.push(Tool {
                name: names.send(&tool.name),
                description: not_blank(tool.description.as_deref()),
                schema: schema(tool)?,
                strict: tool.strict,
                cache: tool.cache,
            });
        }
        let choice = choice(request, &list, names)?;
        Ok(Self {
            list,
            choice,
            parallel: request.parallel_tool_calls,
        })
    }

    /// Whether the model must call a tool.
    pub(in crate::bedrock) fn is_forced(&self) -> bool {
        matches!(self.choice, Choice::Any | Choice::Tool(_))
    }
}

/// Bedrock has no field for tools that may not be called, so they are left out.
fn is_allowed(request: &Request<'_>, tool: &chat::Tool<'_>) -> bool {
    let allowed = request.allowed_tools.as_ref();
    allowed.is_none_or(|allowed| allowed.contains(&tool.name))
}

fn not_blank(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.trim().is_empty())
}

/// The schema as the client wrote it; Bedrock insists on `"type": "object"`, clients do not.
fn schema<'a>(tool: &'a chat::Tool<'_>) -> Result<Cow<'a, RawValue>, Error> {
    match tool.parameters {
        Some(schema) if schema.get() != "{}" => object_schema(schema),
        _ => owned(r#"{"type":"object","properties":{}}"#.to_owned()),
    }
}

/// A schema with `"type": "object"`, added if it has no type at all.
///
/// # Errors
///
/// Never for a JSON object.
pub(in crate::bedrock) fn object_schema(schema: &RawValue) -> Result<Cow<'_, RawValue>, Error> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(rename = "type")]
        kind: Option<IgnoredAny>,
    }
    // One with two types is Bedrock's to refuse.
    let has_type =
        serde_json::from_str(schema.get()).map_or(true, |head: Head| head.kind.is_some());
    match schema.get().strip_prefix('{') {
        Some(rest) if !has_type && rest.trim() == "}" => owned(r#"{"type":"object"}"#.to_owned()),
        Some(rest) if !has_type => owned(format!(r#"{{"type":"object",{}"#, rest.trim_start())),
        _ => Ok(Cow::Borrowed(schema)),
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
    request: &'a Request<'_>,
    list: &[Tool<'_>],
    names: &mut ToolNames,
) -> Result<Choice<'a>, Error> {
    let choice = match &request.tool_choice {
        ToolChoice::Unset => return Ok(Choice::Unset),
        ToolChoice::None => Choice::None,
        ToolChoice::Auto => Choice::Auto,
        ToolChoice::Required => Choice::Any,
        ToolChoice::Tool(name) => Choice::Tool(names.send(name)),
    };
    let known = match &choice {
        Choice::Tool(name) => list.iter().any(|tool| tool.name == *name),
        Choice::Any => !list.is_empty(),
        _ => true,
    };
    if !known {
        let param = request.name_of(Param::ToolChoice);
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
