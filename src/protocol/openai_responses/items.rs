//! From input items to the messages of the chat vocabulary.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::error::path;
use super::request::{Item, items};
use super::tools::{SEARCH, Tools};
use crate::chat::{At, Block, BlockContent, Error, Message, Part, Role, ToolResult, ToolUse};
use crate::json::Text;
use crate::protocol::openai::arguments::input;
use crate::protocol::openai::blocks::{Spot, Words, block, blocks};
use crate::protocol::openai::error::missing;
use crate::protocol::openai::free_text::arguments;
use crate::protocol::openai::part::{assistant_part, shown_part, system_part};

/// How this API names parts.
const WORDS: Words = Words {
    path,
    system: "input_text",
    user: "input_text, input_image and input_file",
    assistant: "output_text and refusal",
};

/// What is read of the items.
pub(super) struct Conversation<'a> {
    pub(super) messages: Vec<Message<'a>>,
    /// Unknown kinds of items.
    pub(super) unknown: Vec<Cow<'a, str>>,
}

/// A conversation of a single user message.
pub(super) fn of_text<'a>(instructions: Option<Text<'a>>, text: Text<'a>) -> Conversation<'a> {
    let mut messages: Vec<_> = instructions.map(system).into_iter().collect();
    let content = block(BlockContent::Text(text), at(0));
    messages.push(Message {
        role: Role::User,
        blocks: vec![content],
    });
    Conversation {
        messages,
        unknown: Vec::new(),
    }
}

/// The conversation that items make up; tools among them join the others.
///
/// # Errors
///
/// A 400 that names the item that is malformed or cannot be passed on.
pub(super) fn read<'a>(
    instructions: Option<Text<'a>>,
    input: &'a RawValue,
    tools: &mut Tools<'a>,
) -> Result<Conversation<'a>, Error> {
    let items = items(input)?;
    if items.is_empty() {
        let message = "'input' is empty; it needs at least one item.";
        return Err(Error::invalid("input", message));
    }
    let mut reader = Reader {
        messages: Vec::with_capacity(items.len() + 1),
        unknown: Vec::new(),
        calls: BTreeSet::new(),
        tools,
    };
    reader.messages.extend(instructions.map(system));
    for (index, item) in items.into_iter().enumerate() {
        reader.add(&Item::read(item, index)?, at(index))?;
    }
    let mut messages = reader.messages;
    drop_thoughts_of_nothing(&mut messages);
    Ok(Conversation {
        messages,
        unknown: reader.unknown,
    })
}

fn system(text: Text<'_>) -> Message<'_> {
    Message {
        role: Role::System,
        blocks: vec![block(BlockContent::Text(text), at(0))],
    }
}

fn at(item: usize) -> At {
    At {
        message: item,
        part: Part::Whole,
    }
}

struct Reader<'r, 'a> {
    messages: Vec<Message<'a>>,
    unknown: Vec<Cow<'a, str>>,
    /// Ids of the calls so far.
    calls: BTreeSet<Text<'a>>,
    tools: &'r mut Tools<'a>,
}

impl<'a> Reader<'_, 'a> {
    fn add(&mut self, item: &Item<'a>, at: At) -> Result<(), Error> {
        let kind = match &item.kind {
            Some(kind) => kind.clone(),
            None if item.role.is_some() || item.get("content").is_some() => "message".into(),
            None if item.get("id").is_some() => "item_reference".into(),
            None => return Err(missing(item.path("type"))),
        };
        match &*kind {
            "message" => self.message(item, at),
            "function_call" => self.call(item, at, function_input),
            "custom_tool_call" => self.call(item, at, free_text),
            "tool_search_call" => self.search(item, at),
            "function_call_output" | "custom_tool_call_output" => self.output(item, at),
            "tool_search_output" => self.found(item, at),
            "reasoning" => self.thought(item, at),
            "additional_tools" => self.more_tools(item),
            // What one agent says to another.
            "agent_message" => self.speak(Role::Assistant, item, at),
            // They contain nothing that a model here could use.
            "web_search_call" | "file_search_call" | "mcp_list_tools" | "context_compaction" => {
                Ok(())
            }
            kind => match refusal(kind) {
                Some(message) => Err(Error::unsupported(item.path("type"), message)),
                None => {
                    self.unknown.push(format!("input.{kind}").into());
                    Ok(())
                }
            },
        }
    }

    fn push(&mut self, role: Role, blocks: Vec<Block<'a>>) {
        self.messages.push(Message { role, blocks });
    }

    fn message(&mut self, item: &Item<'a>, at: At) -> Result<(), Error> {
        let role = match item.role.as_deref() {
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            Some("system" | "developer") => Role::System,
            Some(role) => {
                let place = item.path("role");
                let message = format!(
                    "'{place}' must be \"user\", \"assistant\", \"system\" or \"developer\", got '{role}'."
                );
                return Err(Error::invalid(place, message));
            }
            None => return Err(missing(item.path("role"))),
        };
        self.speak(role, item, at)
    }

    fn speak(&mut self, role: Role, item: &Item<'a>, at: At) -> Result<(), Error> {
        let content = item.content("content")?;
        let content = content.ok_or_else(|| missing(item.path("content")))?;
        let part = match role {
            Role::System => system_part,
            Role::User => shown_part,
            Role::Assistant => assistant_part,
        };
        let blocks = blocks(Some(content), spot(at), part)?;
        self.push(role, blocks);
        Ok(())
    }

    fn call(
        &mut self,
        item: &Item<'a>,
        at: At,
        input: fn(&Item<'a>) -> Result<Cow<'a, RawValue>, Error>,
    ) -> Result<(), Error> {
        let namespace = item.text("namespace")?;
        let name = item.needed_text("name")?;
        let name = self.tools.names.here(namespace.as_deref(), name);
        self.called(item, at, name, input(item)?)
    }

    fn called(
        &mut self,
        item: &Item<'a>,
        at: At,
        name: Text<'a>,
        input: Cow<'a, RawValue>,
    ) -> Result<(), Error> {
        let id = item.needed_text("call_id")?;
        self.calls.insert(id.clone());
        let call = BlockContent::ToolUse(ToolUse { id, name, input });
        self.push(Role::Assistant, vec![block(call, at)]);
        Ok(())
    }

    /// A search that the client made; OpenAI's own searches leave nothing to pass on.
    fn search(&mut self, item: &Item<'a>, at: At) -> Result<(), Error> {
        if item.get("call_id").is_none() {
            return Ok(());
        }
        let input = function_input(item)?;
        self.called(item, at, SEARCH.into(), input)
    }

    fn output(&mut self, item: &Item<'a>, at: At) -> Result<(), Error> {
        let id = item.needed_text("call_id")?;
        // Parts of an output count as parts inside a part.
        let inside = At {
            part: Part::Content(0),
            ..at
        };
        let content = blocks(item.content("output")?, spot(inside), shown_part)?;
        self.result(id, content, at)
    }

    fn result(&mut self, id: Text<'a>, content: Vec<Block<'a>>, at: At) -> Result<(), Error> {
        if !self.calls.contains(&id) {
            let message = format!(
                "No tool call found for function call output with call_id {}; send the call before it.",
                &*id
            );
            return Err(Error::invalid(path(at), message));
        }
        let result = ToolResult {
            id,
            content,
            is_error: false,
        };
        self.push(
            Role::User,
            vec![block(BlockContent::ToolResult(result), at)],
        );
        Ok(())
    }

    /// Tools that a search found: they can be called from here on.
    fn found(&mut self, item: &Item<'a>, at: At) -> Result<(), Error> {
        let before = self.tools.list.len();
        self.more_tools(item)?;
        if item.get("call_id").is_none() {
            return Ok(());
        }
        let found = self.tools.list.get(before..).unwrap_or_default();
        let names: Vec<&str> = found.iter().map(|tool| &*tool.name).collect();
        let text = format!("Tools found: {}", names.join(", "));
        let id = item.needed_text("call_id")?;
        let content = vec![block(BlockContent::Text(text.into()), at)];
        self.result(id, content, at)
    }

    fn more_tools(&mut self, item: &Item<'a>) -> Result<(), Error> {
        match item.get("tools") {
            Some(json) => self.tools.add(json, &item.path("tools")),
            None => Ok(()),
        }
    }

    /// What the model thought, if it comes with its proof: no model accepts it without.
    fn thought(&mut self, item: &Item<'a>, at: At) -> Result<(), Error> {
        let sealed = item.text("encrypted_content")?;
        if let Some(sealed) = sealed.filter(|text| !text.is_empty()) {
            let content = BlockContent::SealedThinking { sealed };
            self.push(Role::Assistant, vec![block(content, at)]);
        }
        Ok(())
    }
}

/// Why items of a kind cannot be passed on; `None` for unknown kinds.
fn refusal(kind: &str) -> Option<String> {
    let instead = match kind {
        "item_reference" => {
            "Items are not stored here: send the item itself instead of a reference to it. Clients do so when 'store' \
             is \
             false."
        }
        "compaction" | "compaction_trigger" => {
            "This gateway neither makes nor reads compacted conversations: send the items themselves, or a summary as \
             a message."
        }
        "local_shell_call"
        | "local_shell_call_output"
        | "shell_call"
        | "shell_call_output"
        | "apply_patch_call"
        | "apply_patch_call_output" => {
            "Send it as 'function_call' or 'custom_tool_call' with its output."
        }
        "code_interpreter_call"
        | "image_generation_call"
        | "computer_call"
        | "computer_call_output"
        | "mcp_call"
        | "mcp_approval_request"
        | "mcp_approval_response"
        | "program"
        | "program_output"
        | "configuration_update" => {
            "This gateway has no hosted tools: send the result as a message, or leave the item out."
        }
        "input_text" | "input_image" | "input_file" | "input_audio" | "output_text" | "refusal"
        | "text" => "Send it in the 'content' of an item of type 'message'.",
        _ => return None,
    };
    Some(format!(
        "Items of type '{kind}' are not supported. {instead}"
    ))
}

fn spot(at: At) -> Spot {
    Spot { at, words: &WORDS }
}

fn function_input<'a>(item: &Item<'a>) -> Result<Cow<'a, RawValue>, Error> {
    input(item.arguments()?, || item.path("arguments"))
}

/// The free text of a custom tool's call, as the object that models get here.
fn free_text<'a>(item: &Item<'a>) -> Result<Cow<'a, RawValue>, Error> {
    let place = item.path("input");
    let json = item.get("input");
    let json = json.ok_or_else(|| missing(place.clone()))?;
    arguments(json, &place)
}

/// Leaves out thoughts after which the model neither said nor called anything: no model takes a turn of thoughts
/// alone, and a client that interrupts an answer sends one.
fn drop_thoughts_of_nothing(messages: &mut Vec<Message<'_>>) {
    let is_thought = |message: &Message<'_>| {
        let mut blocks = message.blocks.iter();
        !message.blocks.is_empty()
            && blocks.all(|block| matches!(block.content, BlockContent::SealedThinking { .. }))
    };
    let mut follows = false;
    for message in messages.iter_mut().rev() {
        match message.role {
            Role::System => {}
            Role::User => follows = false,
            Role::Assistant if !is_thought(message) => follows |= !message.blocks.is_empty(),
            Role::Assistant if follows => {}
            Role::Assistant => message.blocks.clear(),
        }
    }
    messages.retain(|message| !message.blocks.is_empty());
}
