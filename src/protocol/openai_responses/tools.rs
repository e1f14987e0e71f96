//! Tools, the choice among them, and what the client calls them.

use serde_json::value::RawValue;

use super::names::{Kind, Names};
use super::object::{Object, Place, elements};
use crate::chat::{self, Error, Param, ToolChoice};
use crate::json::Text;
use crate::protocol::openai::error::missing;
use crate::protocol::openai::fault;
use crate::protocol::openai::free_text::{self, Grammar};
use crate::protocol::openai::tool::{drop_repeated, must_be_object};

/// Name of the tool with which a client searches for others.
pub(super) const SEARCH: &str = "tool_search";

/// The tools of a request, from all its parts.
#[derive(Debug, Default)]
pub(super) struct Tools<'a> {
    pub(super) list: Vec<chat::Tool<'a>>,
    pub(super) names: Names,
    /// Hosted tools that are left out.
    pub(super) left_out: Vec<&'static str>,
}

impl<'a> Tools<'a> {
    /// Adds tools that stand at `path`.
    ///
    /// # Errors
    ///
    /// A 400 for a tool that cannot be offered here.
    pub(super) fn add(&mut self, json: &'a RawValue, path: &str) -> Result<(), Error> {
        self.add_to(None, json, path)
    }

    fn add_to(
        &mut self,
        namespace: Option<&str>,
        json: &'a RawValue,
        path: &str,
    ) -> Result<(), Error> {
        for (index, json) in elements(json, path)?.into_iter().enumerate() {
            let place = Place::Path(format!("{path}[{index}]"));
            self.add_one(namespace, &Object::read(json, place)?)?;
        }
        Ok(())
    }

    fn add_one(&mut self, namespace: Option<&str>, tool: &Object<'a>) -> Result<(), Error> {
        match &*tool.needed_text("type")? {
            "function" => self.offer(namespace, tool, Kind::Function),
            "custom" => self.offer(namespace, tool, Kind::Custom),
            "namespace" if namespace.is_none() => {
                let name = tool.needed_text("name")?;
                let path = tool.path("tools");
                let tools = tool.get("tools").ok_or_else(|| missing(path.clone()))?;
                self.add_to(Some(&name), tools, &path)
            }
            SEARCH if tool.text("execution")?.as_deref() == Some("client") => {
                self.offer(None, tool, Kind::Search)
            }
            // Every tool is offered from the start, so there is nothing to search for.
            SEARCH => Ok(()),
            // Some agents send it for every model. They can do without.
            kind if kind.starts_with("web_search") => {
                self.left_out.push("tools.web_search");
                Ok(())
            }
            kind => {
                let message = format!(
                    "Tool type '{kind}' is not supported by this gateway; use 'function' or 'custom', and run \
                     the tool yourself."
                );
                Err(Error::unsupported(tool.path("type"), message))
            }
        }
    }

    fn offer(
        &mut self,
        namespace: Option<&str>,
        tool: &Object<'a>,
        kind: Kind,
    ) -> Result<(), Error> {
        let own = match kind {
            Kind::Search => SEARCH.into(),
            Kind::Function | Kind::Custom => tool.needed_text("name")?,
        };
        let name = self.names.offer((namespace, own), kind, &self.list);
        let description = tool.text("description")?;
        let (description, parameters) = match kind {
            Kind::Custom => (
                Some(described(description.as_deref(), tool)?),
                free_text::schema(),
            ),
            Kind::Function | Kind::Search => (description, tool.get("parameters")),
        };
        if let Some(parameters) = parameters {
            must_be_object(parameters, || tool.path("parameters"))?;
        }
        self.list.push(chat::Tool {
            name,
            description,
            parameters,
            strict: tool.flag("strict")? == Some(true),
            cache: None,
            native: None,
        });
        Ok(())
    }

    /// Leaves out tools that appear twice.
    pub(super) fn finish(&mut self) {
        drop_repeated(&mut self.list);
    }
}

/// The description of a custom tool: only there can the form of its text be described.
fn described<'a>(description: Option<&str>, tool: &Object<'_>) -> Result<Text<'a>, Error> {
    let Some(format) = tool.object("format")? else {
        return Ok(free_text::description(description, None));
    };
    let (syntax, definition) = (format.text("syntax")?, format.text("definition")?);
    let grammar = definition.as_deref().map(|definition| Grammar {
        syntax: syntax.as_deref(),
        definition,
    });
    Ok(free_text::description(description, grammar))
}

/// A choice, and the names of the tools that it is among, if not all.
type Choices<'a> = (ToolChoice<'a>, Option<Vec<Text<'a>>>);

/// The choice among these tools. If none is left there is nothing to choose: clients ask for summaries that way.
///
/// # Errors
///
/// A 400 for an invalid choice, or the choice of a hosted tool.
pub(super) fn choice<'a>(
    json: Option<&'a RawValue>,
    tools: &Tools<'_>,
) -> Result<Choices<'a>, Error> {
    const NAME: &str = "tool_choice";
    let Some(json) = json else {
        return Ok((ToolChoice::Unset, None));
    };
    let any = |mode: &str, place: &'static str| match mode_of(mode) {
        Some(_) if tools.list.is_empty() => Ok(ToolChoice::Unset),
        Some(choice) => Ok(choice),
        None => {
            let message = format!("'{place}' must be \"none\", \"auto\" or \"required\".");
            Err(Error::invalid(place, message))
        }
    };
    if !json.get().starts_with('{') {
        let mode: Text<'_> = fault::inner(json, NAME)?;
        return Ok((any(&mode, NAME)?, None));
    }
    let choice = Object::read(json, Place::Path(NAME.to_owned()))?;
    match &*choice.needed_text("type")? {
        "function" | "custom" => Ok((ToolChoice::Tool(chosen(&choice, tools)?), None)),
        "allowed_tools" => {
            let mode = any(&choice.needed_text("mode")?, "tool_choice.mode")?;
            let mut allowed = Vec::new();
            if let Some(list) = choice.get("tools") {
                let path = choice.path("tools");
                for (index, tool) in elements(list, &path)?.into_iter().enumerate() {
                    let tool = Object::read(tool, Place::Path(format!("{path}[{index}]")))?;
                    // Hosted tools have none, and are not offered either.
                    if tool.get("name").is_some() {
                        allowed.push(chosen(&tool, tools)?);
                    }
                }
            }
            Ok((mode, Some(allowed)))
        }
        kind => {
            let message = format!(
                "'tool_choice' asks for a tool of type '{kind}', which this gateway does not have; use \
                 'function', 'custom' or 'allowed_tools'."
            );
            Err(Error::unsupported(Param::ToolChoice, message))
        }
    }
}

/// The name here of a tool that is chosen.
fn chosen<'a>(own: &Object<'a>, tools: &Tools<'_>) -> Result<Text<'a>, Error> {
    let namespace = own.text("namespace")?;
    let name = own.needed_text("name")?;
    Ok(tools.names.here(namespace.as_deref(), name))
}

fn mode_of<'a>(mode: &str) -> Option<ToolChoice<'a>> {
    match mode {
        "none" => Some(ToolChoice::None),
        "auto" => Some(ToolChoice::Auto),
        "required" => Some(ToolChoice::Required),
        _ => None,
    }
}
