//! The conversation in terms that every model family shares: system texts and alternating turns.
//!
//! Bedrock's models are strict where clients need not be: roles alternate and begin with the user, blank texts are
//! refused, and every tool call has its result at the start of the next turn. Requests are brought into that shape
//! here, so that one turn cannot break a conversation for good; families only write it in their own format.

mod blocks;
mod build;
mod mixing;
mod pairing;

pub(in crate::bedrock) use build::build;
pub(in crate::bedrock) use mixing::Mixing;

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::bedrock::shared::document::{Document, Documents};
use crate::bedrock::shared::image::Image;
use crate::chat::{CacheControl, Error, Param};
use crate::json::Text;

/// A whole conversation.
pub(in crate::bedrock) struct Conversation<'a> {
    /// Instructions, in order, wherever they were.
    pub(in crate::bedrock) system: Vec<SystemText<'a>>,
    /// Turns; the first is the user's and the speakers alternate.
    pub(in crate::bedrock) turns: Vec<Turn<'a>>,
    /// Instructions after the assistant's last turn, for models that take them there.
    pub(in crate::bedrock) closing: Vec<SystemText<'a>>,
}

/// One piece of instructions.
pub(in crate::bedrock) struct SystemText<'a> {
    pub(in crate::bedrock) text: Text<'a>,
    pub(in crate::bedrock) cache: Option<CacheControl>,
}

/// Everything that one speaker says before the other speaks.
pub(in crate::bedrock) struct Turn<'a> {
    pub(in crate::bedrock) speaker: Speaker,
    pub(in crate::bedrock) blocks: Vec<Block<'a>>,
}

/// Who speaks in a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bedrock) enum Speaker {
    User,
    Assistant,
}

/// One thing that is said.
pub(in crate::bedrock) struct Block<'a> {
    pub(in crate::bedrock) content: BlockContent<'a>,
    pub(in crate::bedrock) cache: Option<CacheControl>,
}

/// What is said.
pub(in crate::bedrock) enum BlockContent<'a> {
    /// Text that is not blank.
    Text(Text<'a>),
    Image(Image<'a>),
    Document(Document<'a>),
    ToolUse(ToolUse<'a>),
    ToolResult(ToolResult<'a>),
    Thinking {
        text: &'a str,
        signature: &'a str,
    },
    RedactedThinking {
        data: &'a str,
    },
}

/// A tool call of an earlier turn; the name is the client's.
pub(in crate::bedrock) struct ToolUse<'a> {
    /// The client's, unless an earlier call has it too.
    pub(in crate::bedrock) id: Cow<'a, str>,
    pub(in crate::bedrock) name: &'a str,
    /// A JSON object.
    pub(in crate::bedrock) input: &'a RawValue,
}

/// The result of a tool call: texts, and what the model reads besides in results.
pub(in crate::bedrock) struct ToolResult<'a> {
    /// The call's.
    pub(in crate::bedrock) id: Cow<'a, str>,
    pub(in crate::bedrock) content: Vec<Block<'a>>,
    /// Whether the tool failed; never for models that cannot be told.
    pub(in crate::bedrock) is_error: bool,
}

/// What a model can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bedrock) struct Accepts {
    pub(in crate::bedrock) images: bool,
    pub(in crate::bedrock) documents: Documents,
    /// Tool calls and their results.
    pub(in crate::bedrock) tools: bool,
    /// Images and files in results; otherwise the user shows them.
    pub(in crate::bedrock) rich_results: bool,
    /// That a tool failed; otherwise the text of its result says so.
    pub(in crate::bedrock) failures: bool,
    /// Thinking blocks that clients send back.
    pub(in crate::bedrock) thinking: bool,
    /// Instructions after the last turn; otherwise they become the user's.
    pub(in crate::bedrock) closing_system: bool,
}

impl<'a> Conversation<'a> {
    /// Whether the model is asked to continue its own words.
    pub(in crate::bedrock) fn ends_with_assistant(&self) -> bool {
        let last = self.turns.last();
        last.is_some_and(|turn| turn.speaker == Speaker::Assistant) && self.closing.is_empty()
    }

    /// Whether any turn has a tool call or a result.
    pub(in crate::bedrock) fn uses_tools(&self) -> bool {
        self.blocks().any(|block| {
            matches!(
                block.content,
                BlockContent::ToolUse(_) | BlockContent::ToolResult(_)
            )
        })
    }

    /// Every block of every turn.
    pub(in crate::bedrock) fn blocks(&self) -> impl Iterator<Item = &Block<'a>> {
        self.turns.iter().flat_map(|turn| &turn.blocks)
    }

    /// All instructions as one text, for families that take one.
    pub(in crate::bedrock) fn system_text(&self) -> Option<String> {
        let texts: Vec<&str> = self.system.iter().map(|system| &*system.text).collect();
        (!texts.is_empty()).then(|| texts.join("\n\n"))
    }

    /// Adds an instruction of ours, after all others.
    pub(in crate::bedrock) fn instruct(&mut self, text: String) {
        self.system.push(SystemText {
            text: text.into(),
            cache: None,
        });
    }

    /// Refuses a conversation that ends with the assistant, for models that cannot continue it.
    pub(in crate::bedrock) fn refuse_prefill(&self) -> Result<(), Error> {
        if !self.ends_with_assistant() {
            return Ok(());
        }
        let message = "This model cannot continue an assistant message; end the conversation with \
                       a user message.";
        Err(Error::unsupported(Param::Messages, message))
    }
}

impl<'a> Turn<'a> {
    /// The turn's texts as one, for families that take plain text.
    pub(in crate::bedrock) fn text(&self) -> Text<'a> {
        joined_text(&self.blocks)
    }

    /// The turn's images.
    pub(in crate::bedrock) fn images(&self) -> impl Iterator<Item = &Image<'a>> {
        self.blocks.iter().filter_map(|block| match &block.content {
            BlockContent::Image(image) => Some(image),
            _ => None,
        })
    }
}

/// The blocks' texts as one.
pub(in crate::bedrock) fn joined_text<'t>(blocks: &[Block<'t>]) -> Text<'t> {
    let texts = blocks.iter().filter_map(|block| match &block.content {
        BlockContent::Text(text) => Some(text),
        _ => None,
    });
    paragraphs(texts.cloned().collect())
}

/// Joins texts as paragraphs; a single one stays unchanged.
pub(in crate::bedrock) fn paragraphs(mut texts: Vec<Text<'_>>) -> Text<'_> {
    if texts.len() == 1 {
        return texts.remove(0);
    }
    let texts: Vec<&str> = texts.iter().map(|text| &**text).collect();
    texts.join("\n\n").into()
}

impl<'a> From<BlockContent<'a>> for Block<'a> {
    fn from(content: BlockContent<'a>) -> Self {
        Self {
            content,
            cache: None,
        }
    }
}
