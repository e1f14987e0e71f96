//! From a request in Anthropic's words to the chat vocabulary.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::error::path;
use super::wire::{self, Asked, Content, Object, Value};
use crate::chat::{
    At, Block, BlockContent, Definition, Document, Error, Message, Part, Request, Role, Source,
    Tool, ToolResult, ToolUse,
};
use crate::json::Text;

/// What Claude Code begins its system prompt with, for Anthropic's own servers, which remove it.
const ATTRIBUTION: &str = "x-anthropic-billing-header:";

/// Parameters that only Anthropic's own models have, and that a client would miss.
const NO_WORD: [&str; 2] = ["compaction", "safeguards"];

/// What only an answer in Anthropic's own words can carry.
const CITATIONS: &str = "citations";

/// What goes on of a tool without a schema, which is at an index.
type Native<'n, 'a> = &'n dyn Fn(&Object<'a>, usize) -> Result<Option<Definition<'a>>, Error>;

/// For models that no such tool was made for: none goes on, and one that only finds others is not missed, because all
/// are offered.
///
/// # Errors
///
/// A 400 at every other.
pub fn no_native<'a>(own: &Object<'a>, index: usize) -> Result<Option<Definition<'a>>, Error> {
    match own.kind() {
        kind if kind.starts_with("tool_search_tool_") => Ok(None),
        kind => Err(no_such_tool(kind, index)),
    }
}

impl<'a> Asked<'a> {
    /// The whole request: `head` with the conversation and the tools.
    ///
    /// # Errors
    ///
    /// A 400 for what the vocabulary has no word for; and whatever `native` does not like.
    pub fn translate(
        &self,
        head: &Request<'a>,
        native: Native<'_, 'a>,
    ) -> Result<Request<'a>, Error> {
        let mut request = head.clone();
        let lost = NO_WORD.into_iter().filter(|name| self.get(name).is_some());
        request.left_out.extend(lost.map(Cow::Borrowed));
        if self
            .contents()
            .flat_map(Content::blocks)
            .any(is_to_be_cited)
        {
            request.left_out.push(CITATIONS.into());
        }
        request.messages = self.conversation()?;
        for (index, own) in self.tools.1.iter().enumerate() {
            request.tools.extend(tool(own, index, native)?);
        }
        Ok(request)
    }

    fn conversation(&self) -> Result<Vec<Message<'a>>, Error> {
        let own = &self.messages.1;
        let mut messages = Vec::with_capacity(own.len() + 1);
        let whole = |message| At {
            message,
            part: Part::Whole,
        };
        if let Some(system) = &self.system {
            let blocks = said(system, whole(0), Part::Content)?.into_iter();
            messages.push(Message {
                role: Role::System,
                blocks: blocks.skip(usize::from(system.is_attributed())).collect(),
            });
        }
        let mut is_begun = false;
        for (index, message) in own.iter().enumerate() {
            let role = match message.role {
                // Between other messages they comment on what was just said, and must stay where they are.
                wire::Role::System if is_begun => Role::User,
                wire::Role::System => Role::System,
                wire::Role::User => Role::User,
                wire::Role::Assistant => Role::Assistant,
            };
            is_begun |= message.role != wire::Role::System;
            messages.push(Message {
                role,
                blocks: said(&message.content, whole(index), Part::Content)?,
            });
        }
        Ok(messages)
    }
}

impl Content<'_> {
    /// Whether nothing is left of it once blank texts are left out.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Text(text) => text.is_blank(),
            Self::Blocks(_, blocks) => blocks.iter().all(|own| {
                own.kind() == "text" && own.text("text").is_some_and(|own| own.is_blank())
            }),
        }
    }

    /// Whether a system prompt begins with a text that only identifies the client and is not meant for the model.
    #[must_use]
    pub fn is_attributed(&self) -> bool {
        let first = match self {
            Self::Text(text) => Some(text),
            Self::Blocks(_, blocks) => blocks.first().and_then(|own| own.text("text")),
        };
        // Anything behind it on lines of its own is an instruction.
        first.is_some_and(|text| text.starts_with(ATTRIBUTION) && !text.trim().contains('\n'))
    }
}

fn said<'a>(
    content: &Content<'a>,
    at: At,
    part: impl Fn(usize) -> Part,
) -> Result<Vec<Block<'a>>, Error> {
    match content {
        Content::Text(text) => Ok(vec![Block {
            content: BlockContent::Text(text.clone()),
            cache: None,
            at,
        }]),
        Content::Blocks(_, list) => blocks(list, at, part),
    }
}

fn blocks<'a>(
    list: &[Object<'a>],
    at: At,
    part: impl Fn(usize) -> Part,
) -> Result<Vec<Block<'a>>, Error> {
    let mut found = Vec::with_capacity(list.len());
    for (index, block) in list.iter().enumerate() {
        let at = At {
            part: part(index),
            ..at
        };
        let cache = block.mark();
        let content = content(block, at)?;
        found.extend(content.map(|content| Block { content, cache, at }));
    }
    Ok(found)
}

/// The content of a block; `None` if it means nothing to another model.
fn content<'a>(block: &Object<'a>, at: At) -> Result<Option<BlockContent<'a>>, Error> {
    Ok(Some(match block.kind() {
        "text" => BlockContent::Text(text(block, "text")),
        "image" => BlockContent::Image(bytes(block, at)?),
        "document" => document(block, at)?,
        "search_result" => BlockContent::Text(search_result(block)),
        "tool_use" => BlockContent::ToolUse(ToolUse {
            id: text(block, "id"),
            name: text(block, "name"),
            input: match block.get("input").and_then(Value::to_raw) {
                Some(input) => input,
                None => return Ok(None),
            },
        }),
        "tool_result" => BlockContent::ToolResult(result(block, at)?),
        "thinking" => BlockContent::Thinking {
            text: text(block, "thinking"),
            signature: text(block, "signature"),
        },
        "redacted_thinking" => BlockContent::RedactedThinking {
            data: text(block, "data"),
        },
        // What Anthropic's own tools did: the model's own words about it come with it.
        "server_tool_use" | "mcp_tool_use" | "tool_reference" | "fallback" => return Ok(None),
        other if other.ends_with("_tool_result") => return Ok(None),
        other => return Err(no_such_block(other, at)),
    }))
}

/// A member that is a string, empty where there is none.
fn text<'a>(object: &Object<'a>, name: &str) -> Text<'a> {
    object.text(name).cloned().unwrap_or_default()
}

fn result<'a>(block: &Object<'a>, at: At) -> Result<ToolResult<'a>, Error> {
    let index = match at.part {
        Part::Content(index) => index,
        _ => 0,
    };
    let content = match block.get("content") {
        Some(Value::Text(text)) => vec![Block {
            content: BlockContent::Text(text.clone()),
            cache: None,
            at,
        }],
        Some(Value::Blocks(_, list)) => blocks(list, at, |inner| Part::Nested(index, inner))?,
        _ => Vec::new(),
    };
    Ok(ToolResult {
        id: text(block, "tool_use_id"),
        content,
        is_error: block.is_true("is_error"),
    })
}

fn document<'a>(block: &Object<'a>, at: At) -> Result<BlockContent<'a>, Error> {
    let name = block.text("title").cloned();
    let context = block.text("context").filter(|own| !own.is_blank());
    let source = block.object("source");
    let source = match source.map(|own| (own, own.kind())) {
        Some((own, "text")) => Source::Base64 {
            media_type: "text/plain".into(),
            data: STANDARD.encode(text(own, "data").as_bytes()).into(),
        },
        // Another model can be given only the text that it consists of.
        Some((own, "content")) if is_text(own) => Source::Base64 {
            media_type: "text/plain".into(),
            data: STANDARD.encode(joined(own)).into(),
        },
        _ => bytes(block, at)?,
    };
    Ok(BlockContent::Document(Document {
        name,
        context: context.cloned(),
        source,
    }))
}

fn is_text(source: &Object<'_>) -> bool {
    source.inside().iter().all(|block| block.kind() == "text")
}

/// The texts inside an object, one per line.
fn joined(object: &Object<'_>) -> String {
    if let Some(text) = object.text("content") {
        return text.to_string();
    }
    let texts = object.inside().iter().filter_map(|own| own.text("text"));
    let texts: Vec<_> = texts.map(|text| &**text).collect();
    texts.join("\n")
}

/// Whether the answer is to cite a block, or one inside it.
fn is_to_be_cited(block: &Object<'_>) -> bool {
    #[derive(Deserialize)]
    struct Citations {
        enabled: bool,
    }
    let own = block.raw(CITATIONS);
    let own = own.and_then(|json| serde_json::from_str::<Citations>(json.get()).ok());
    own.is_some_and(|own| own.enabled) || block.inside().iter().any(is_to_be_cited)
}

/// Where a result was found, and what it says.
fn search_result<'a>(block: &Object<'a>) -> Text<'a> {
    let title = text(block, "title");
    let source = text(block, "source");
    format!("{} ({})\n{}", &*title, &*source, joined(block)).into()
}

/// The source of an image or a file.
fn bytes<'a>(block: &Object<'a>, at: At) -> Result<Source<'a>, Error> {
    let source = block.object("source");
    match source.map(|own| (own, own.kind())) {
        Some((own, "base64")) => Ok(Source::Base64 {
            media_type: text(own, "media_type"),
            data: text(own, "data"),
        }),
        other => {
            let kind = other.map_or("none", |(_, kind)| kind);
            Err(not_fetched(kind, at))
        }
    }
}

/// The error for a source that Bedrock does not fetch.
#[must_use]
pub fn not_fetched(kind: &str, at: At) -> Error {
    let message = format!(
        "sources of type '{kind}' are not available on Amazon Bedrock, which does not fetch anything; use 'base64'"
    );
    Error::unsupported(format!("{}.source", path(at)), message)
}

/// A tool as any model can be offered it, or one of those that a model was made for.
fn tool<'a>(
    own: &Object<'a>,
    index: usize,
    native: Native<'_, 'a>,
) -> Result<Option<Tool<'a>>, Error> {
    let read = Tool {
        name: text(own, "name"),
        description: own.text("description").cloned(),
        parameters: own.object("input_schema").and_then(Object::to_raw),
        strict: own.is_true("strict"),
        cache: own.mark(),
        native: None,
    };
    Ok(match own.kind() {
        "" | "custom" => Some(read),
        _ => native(own, index)?.map(|definition| Tool {
            native: Some(definition),
            ..read
        }),
    })
}

/// The error for a tool that Bedrock does not run, or that the model was not trained for.
#[must_use]
pub fn no_such_tool(kind: &str, index: usize) -> Error {
    let what = match kind {
        "function" => "tools are sent without the type 'function': with `name`, `description` and `input_schema`".into(),
        kind if is_run_by_clients(kind) => format!(
            "the tool type '{kind}' is not available on Amazon Bedrock with this model; remove it"
        ),
        kind => format!("the tool type '{kind}' is not available on Amazon Bedrock; remove it"),
    };
    let place = format!("tools.{index}");
    Error::unsupported(place.clone(), format!("{place}: {what}"))
}

/// Whether a type is one of the tools that clients run, and that only some models were trained for.
fn is_run_by_clients(kind: &str) -> bool {
    ["bash_", "computer_2", "text_editor_"]
        .iter()
        .any(|start| kind.starts_with(start))
}

/// The error for a block that Bedrock does not have; for one of OpenAI's, it says what takes its place.
#[must_use]
pub fn no_such_block(kind: &str, at: At) -> Error {
    let instead = match kind {
        "image_url" | "input_image" => "send an `image` block with a source of type 'base64'",
        "file" | "input_file" => "send a `document` block with a source of type 'base64'",
        "input_text" | "output_text" => "send a `text` block",
        _ => "remove it",
    };
    let message = format!("`{kind}` blocks are not available on Amazon Bedrock; {instead}");
    Error::unsupported(format!("{}.type", path(at)), message)
}
