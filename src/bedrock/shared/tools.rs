//! Tools and the choice between them in terms that every model family shares.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::bedrock::ToolNames;
use crate::bedrock::shared::conversation::{BlockContent, Conversation};
use crate::bedrock::shared::schema::{Object, object, owned};
use crate::chat::{self, CacheControl, Error, Param, Request, ToolChoice};

/// Schema of a tool without arguments, or with unknown ones.
const ANYTHING: &str = r#"{"type":"object","properties":{}}"#;

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
    pub(in crate::bedrock) description: Option<Cow<'a, str>>,
    /// A JSON schema with `"type": "object"`.
    pub(in crate::bedrock) schema: Cow<'a, RawValue>,
    pub(in crate::bedrock) strict: bool,
    pub(in crate::bedrock) cache: Option<CacheControl>,
    /// See [`chat::Tool::native`].
    pub(in crate::bedrock) native: Option<&'a [(Cow<'a, str>, Cow<'a, RawValue>)]>,
}

/// Which tools the model may or must call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::bedrock) enum Choice<'a> {
    /// The client did not say.
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
            list.push(definition(tool, names)?);
        }
        let choice = choice(request, &list, names)?;
        Ok(Self {
            list,
            choice,
            parallel: request.parallel_tool_calls,
        })
    }

    /// If the request offers no tools, offers those that earlier turns called: models refuse calls and results of
    /// tools that are not there. None may be called then.
    ///
    /// # Errors
    ///
    /// Never.
    pub(in crate::bedrock) fn offer_what_was_called(
        &mut self,
        conversation: &Conversation<'a>,
        names: &mut ToolNames,
    ) -> Result<(), Error> {
        if !self.list.is_empty() {
            return Ok(());
        }
        for block in conversation.blocks() {
            let BlockContent::ToolUse(call) = &block.content else {
                continue;
            };
            let name = names.send(call.name);
            if !self.list.iter().any(|tool| tool.name == name) {
                self.list.push(Tool {
                    name,
                    description: None,
                    schema: owned(ANYTHING.to_owned())?,
                    strict: false,
                    cache: None,
                    native: None,
                });
                self.choice = Choice::None;
            }
        }
        Ok(())
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

/// The client's tool; Bedrock insists on an object's schema, clients do not.
fn definition<'a>(tool: &'a chat::Tool<'_>, names: &mut ToolNames) -> Result<Tool<'a>, Error> {
    let Object { schema, note } = match tool.parameters {
        Some(schema) if schema.get() != "{}" => object(schema)?,
        _ => Object {
            schema: owned(ANYTHING.to_owned())?,
            note: None,
        },
    };
    Ok(Tool {
        name: names.send(&tool.name),
        description: description(tool.description.as_deref(), note),
        schema,
        strict: tool.strict,
        cache: tool.cache,
        native: tool.native.as_deref(),
    })
}

/// The client's description, followed by a note of ours; `None` if that is blank.
pub(in crate::bedrock) fn description(
    own: Option<&str>,
    note: Option<String>,
) -> Option<Cow<'_, str>> {
    let own = own.filter(|text| !text.trim().is_empty());
    match (own, note) {
        (Some(own), Some(note)) => Some(format!("{} {note}", own.trim_end()).into()),
        (own, note) => own.map(Cow::Borrowed).or(note.map(Cow::Owned)),
    }
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
    // Without tools there is nothing to choose, and Bedrock then refuses a choice.
    Ok(if list.is_empty() {
        Choice::Unset
    } else {
        choice
    })
}
